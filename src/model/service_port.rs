//! Ports of a Service.

use std::fmt;

use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

use super::deserialize::empty_as_default;
use super::scalar::{PortNumber, as_integer, zero_as_none};

/// Port of a Service.
///
/// Specification: [ServicePort][spec].
///
/// [spec]: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/#ServiceSpec
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// Name; the ports of EndpointSlices refer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Transport protocol.
    #[serde(default, deserialize_with = "empty_as_default")]
    pub protocol: TransportProtocol,
    /// The port that routes refer to.
    pub port: PortNumber,
    /// The port of the pods; `port` by default. 0 and an empty name are read as absent.
    #[serde(default, deserialize_with = "target_port", skip_serializing_if = "Option::is_none")]
    pub target_port: Option<TargetPort>,
    /// The port on every node, for a Service of type NodePort or LoadBalancer. 0 is read as absent.
    #[serde(default, deserialize_with = "zero_as_none", skip_serializing_if = "Option::is_none")]
    pub node_port: Option<PortNumber>,
}

/// Port of a pod: a number, or the name of a container port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "a number or a name")]
#[expect(missing_docs, reason = "the names are sufficient")]
pub enum TargetPort {
    Number(PortNumber),
    Name(String),
}

/// Implemented by hand: the error of an untagged enum does not contain the allowed values.
impl<'de> Deserialize<'de> for TargetPort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        target_port(deserializer)?
            .ok_or_else(|| de::Error::invalid_value(Unexpected::Unit, &EXPECTED))
    }
}

/// Deserializes a target port. `null`, 0 and an empty name mean that it is not set.
fn target_port<'de, D>(deserializer: D) -> Result<Option<TargetPort>, D::Error>
where
    D: Deserializer<'de>,
{
    struct NumberOrName;

    impl Visitor<'_> for NumberOrName {
        type Value = Option<TargetPort>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(EXPECTED)
        }

        fn visit_unit<E: de::Error>(self) -> Result<Option<TargetPort>, E> {
            Ok(None)
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<TargetPort>, E> {
            let number = u16::try_from(number)
                .map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))?;
            Ok(PortNumber::new(number).map(TargetPort::Number))
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<TargetPort>, E> {
            match u64::try_from(number) {
                Ok(number) => self.visit_u64(number),
                Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
            }
        }

        fn visit_f64<E: de::Error>(self, number: f64) -> Result<Option<TargetPort>, E> {
            match as_integer(number) {
                Some(number) => self.visit_u64(number),
                None => Err(E::invalid_value(Unexpected::Float(number), &self)),
            }
        }

        fn visit_str<E: de::Error>(self, name: &str) -> Result<Option<TargetPort>, E> {
            Ok(Some(name)
                .filter(|name| !name.is_empty())
                .map(|name| TargetPort::Name(name.to_owned())))
        }
    }

    deserializer.deserialize_any(NumberOrName)
}

const EXPECTED: &str = "a port from 1 to 65535, or the name of a port";

/// Transport protocol of a Service port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes does not extend this set")]
#[expect(missing_docs, reason = "the values of Kubernetes")]
pub enum TransportProtocol {
    #[default]
    Tcp,
    Udp,
    Sctp,
}

impl fmt::Display for TransportProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        })
    }
}

impl ServicePort {
    /// Creates a TCP port without a name.
    pub fn tcp(port: PortNumber) -> Self {
        let protocol = TransportProtocol::Tcp;
        Self { name: None, protocol, port, target_port: None, node_port: None }
    }
}
