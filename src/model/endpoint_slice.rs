//! EndpointSlice: addresses of the endpoints of a Service.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::deserialize::null_as_default;
use super::meta::ObjectMeta;
use super::scalar::{AnyPort, ObjectName, PORT_EXPECTED, PortNumber};
use super::service::Service;
use super::service_port::TransportProtocol;
use super::validate::Violations;

/// Label of an EndpointSlice with the name of its Service.
pub const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// Some or all of the endpoints of a Service.
///
/// Specification:
/// [EndpointSlice](https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointSlice {
    /// Name, namespace and the label [`SERVICE_NAME_LABEL`].
    pub metadata: ObjectMeta,
    /// Type of the addresses.
    pub address_type: AddressType,
    /// The endpoints; at most 1000.
    #[serde(default, deserialize_with = "null_as_default")]
    pub endpoints: Vec<SliceEndpoint>,
    /// The ports of every endpoint; at most 100.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ports: Vec<EndpointPort>,
}

/// Type of the addresses of an EndpointSlice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes does not extend this set")]
#[expect(missing_docs, reason = "the values of Kubernetes")]
pub enum AddressType {
    IPv4,
    IPv6,
    #[serde(rename = "FQDN")]
    Fqdn,
}

/// Endpoint of a slice.
///
/// Specification: [Endpoint][spec].
///
/// [spec]: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/#EndpointSlice
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SliceEndpoint {
    /// The addresses. Kubernetes writes one, and only the first is used.
    pub addresses: Vec<EndpointAddress>,
    /// Readiness of the endpoint.
    #[serde(default, deserialize_with = "null_as_default")]
    pub conditions: EndpointConditions,
    /// Node of the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_name: Option<Arc<str>>,
    /// Zone of the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Arc<str>>,
}

impl SliceEndpoint {
    /// Creates an endpoint with this address, without conditions, node and zone.
    pub fn new(address: EndpointAddress) -> Self {
        let conditions = EndpointConditions::default();
        Self { addresses: vec![address], conditions, node_name: None, zone: None }
    }
}

/// Address of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an address is one or the other")]
pub enum EndpointAddress {
    /// An IP address.
    Ip(IpAddr),
    /// Anything else, such as a hostname; it is not dialled.
    Name(Arc<str>),
}

/// Readiness of an endpoint; `None` means unknown.
///
/// Specification: [EndpointConditions][spec].
///
/// [spec]: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/#EndpointSlice
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointConditions {
    /// `true` if the endpoint accepts new connections. Unknown counts as ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// Like `ready`, but not affected by termination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving: Option<bool>,
    /// `true` if the endpoint is terminating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminating: Option<bool>,
}

/// Port of a slice.
///
/// Specification: [EndpointPort][spec].
///
/// [spec]: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/#EndpointSlice
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "EndpointPortFields")]
pub struct EndpointPort {
    /// Name of the Service port; empty and absent are the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The port to dial. A slice port without a number is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<PortNumber>,
    /// A number in the field `port` that is not a port, for [`Object::validate`]. An API server
    /// does not check the number. The slice port is ignored, like one without a number.
    ///
    /// [`Object::validate`]: super::Object::validate
    #[serde(skip)]
    pub invalid_port: Option<i64>,
    /// Transport protocol.
    pub protocol: TransportProtocol,
}

/// The fields of an [`EndpointPort`] as they are in the object.
#[derive(Deserialize)]
struct EndpointPortFields {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    port: Option<AnyPort>,
    #[serde(default, deserialize_with = "null_as_default")]
    protocol: TransportProtocol,
}

impl From<EndpointPortFields> for EndpointPort {
    fn from(EndpointPortFields { name, port, protocol }: EndpointPortFields) -> Self {
        let (port, invalid_port) = match port {
            None => (None, None),
            Some(AnyPort(Ok(port))) => (Some(port), None),
            Some(AnyPort(Err(number))) => (None, Some(number)),
        };
        Self { name, port, invalid_port, protocol }
    }
}

impl EndpointSlice {
    /// Creates a slice with these addresses and one port, for a Service with one port without a
    /// name.
    ///
    /// A slice has one address family: that of the first address. Addresses of the other family are
    /// left out; they need another slice.
    pub fn new(
        service: &Service,
        port: PortNumber,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        let mut addresses = addresses.into_iter().map(|ip| ip.to_canonical()).peekable();
        let address_type = match addresses.peek() {
            Some(IpAddr::V6(_)) => AddressType::IPv6,
            Some(IpAddr::V4(_)) | None => AddressType::IPv4,
        };
        let service_name = service.metadata.name.to_string();
        // The suffix makes the slice of the other family another object.
        let name = ObjectName::new(format!("{service_name}-{address_type}").to_lowercase());
        Self {
            metadata: ObjectMeta {
                name: name.unwrap_or_else(|_| service.metadata.name.clone()),
                labels: [(SERVICE_NAME_LABEL.to_owned(), service_name)].into(),
                ..service.metadata.clone()
            },
            address_type,
            endpoints: addresses
                .map(EndpointAddress::Ip)
                .filter(|address| address_type.admits(address))
                .map(SliceEndpoint::new)
                .collect(),
            ports: vec![EndpointPort {
                name: None,
                port: Some(port),
                invalid_port: None,
                protocol: TransportProtocol::Tcp,
            }],
        }
    }

    /// Returns the name of the Service.
    pub fn service_name(&self) -> Option<&str> {
        self.metadata.labels.get(SERVICE_NAME_LABEL).map(String::as_str)
    }

    pub(crate) fn validate(&self, violations: &mut Violations) {
        violations.check_metadata(&self.metadata);
        violations.check_count("endpoints", self.endpoints.len(), 0, 1000);
        violations.check_count("ports", self.ports.len(), 0, 100);
        let mut names = BTreeSet::new();
        for (index, port) in self.ports.iter().enumerate() {
            if let Some(number) = port.invalid_port {
                violations.add(
                    format!("ports[{index}].port"),
                    format!("{number} must be {PORT_EXPECTED}"),
                );
            }
            if !names.insert(port.name.as_deref().unwrap_or_default()) {
                violations.add_duplicate(
                    format!("ports[{index}].name"),
                    "is the name of an earlier port; names must be unique",
                );
            }
        }
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let path = format!("endpoints[{index}].addresses");
            violations.check_count(&path, endpoint.addresses.len(), 1, 100);
            for (index, address) in endpoint.addresses.iter().enumerate() {
                if !self.address_type.admits(address) {
                    violations.add(
                        format!("{path}[{index}]"),
                        format!(
                            "`{address}` is not of the slice's addressType {}",
                            self.address_type
                        ),
                    );
                }
            }
        }
    }
}

impl AddressType {
    fn admits(self, address: &EndpointAddress) -> bool {
        match (self, address) {
            (Self::IPv4, EndpointAddress::Ip(ip)) => ip.is_ipv4(),
            // An IPv4-mapped address is an IPv4 address to Kubernetes.
            (Self::IPv6, EndpointAddress::Ip(ip)) => ip.to_canonical().is_ipv6(),
            (Self::Fqdn, EndpointAddress::Name(_)) => true,
            _ => false,
        }
    }
}

impl fmt::Display for AddressType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IPv4 => "IPv4",
            Self::IPv6 => "IPv6",
            Self::Fqdn => "FQDN",
        })
    }
}

impl EndpointAddress {
    /// Parses an address: an IP address, or else a name.
    pub fn new(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.into()), Self::Ip)
    }
}

impl fmt::Display for EndpointAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Serialize for EndpointAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EndpointAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Address;

        impl Visitor<'_> for Address {
            type Value = EndpointAddress;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<EndpointAddress, E> {
                Ok(EndpointAddress::new(text))
            }
        }

        deserializer.deserialize_str(Address)
    }
}
