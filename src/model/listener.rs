//! Listener: one port of a Gateway, and the routes it takes.

use serde::{Deserialize, Serialize};

use super::meta::{Labels, null_as_default};
use super::protocol::Protocol;
use super::reference::{ObjectRef, RouteGroupKind};
use super::scalar::{Hostname, PortNumber, SectionName};
use super::selector::LabelSelector;
use super::validate::Violations;

/// One port of a Gateway.
///
/// Specification: [Listener](https://gateway-api.sigs.k8s.io/reference/spec/#listener).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Unique in its Gateway; what a route's `sectionName` refers to.
    pub name: SectionName,
    /// For protocols that know hostnames; TCP does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<Hostname>,
    /// The port that clients dial.
    pub port: PortNumber,
    /// What is spoken there.
    pub protocol: Protocol,
    /// For TLS and HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// Which routes may attach.
    #[serde(default, deserialize_with = "null_as_default")]
    pub allowed_routes: AllowedRoutes,
}

/// TLS settings of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerTls {
    /// Whether TLS ends here.
    #[serde(default)]
    pub mode: TlsMode,
    /// The certificates to show; at most 64.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub certificate_refs: Vec<ObjectRef>,
    /// Options of an implementation's own; at most 16.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Labels::is_empty"
    )]
    pub options: Labels,
}

/// Whether TLS ends at the listener.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "it does or it does not")]
#[expect(missing_docs, reason = "the specification's words")]
pub enum TlsMode {
    #[default]
    Terminate,
    Passthrough,
}

/// Which routes may attach to a listener.
///
/// Specification: [AllowedRoutes](https://gateway-api.sigs.k8s.io/reference/spec/#allowedroutes).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedRoutes {
    /// From which namespaces.
    #[serde(default, deserialize_with = "null_as_default")]
    pub namespaces: RouteNamespaces,
    /// Of which kinds; at most 8. None means: those that the protocol implies.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<RouteGroupKind>,
}

/// From which namespaces routes may attach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteNamespaces {
    /// From where.
    #[serde(default, deserialize_with = "null_as_default")]
    pub from: FromNamespaces,
    /// With [`FromNamespaces::Selector`], the labels of the namespaces. Without a selector, it
    /// selects nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// From where routes may attach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the CRD's enum")]
pub enum FromNamespaces {
    /// Every namespace.
    All,
    /// Those a selector chooses.
    Selector,
    /// The Gateway's own.
    #[default]
    Same,
}

impl Listener {
    /// A TCP listener that takes routes from its Gateway's own namespace.
    pub fn tcp(name: SectionName, port: PortNumber) -> Self {
        let allowed_routes = AllowedRoutes::default();
        Self { name, hostname: None, port, protocol: Protocol::Tcp, tls: None, allowed_routes }
    }

    /// `earlier` are the listeners before this one in its Gateway.
    pub(crate) fn validate(&self, index: usize, earlier: &[Self], violations: &mut Violations) {
        let path = format!("spec.listeners[{index}]");
        if earlier.iter().any(|other| other.name == self.name) {
            violations.add(
                format!("{path}.name"),
                format!("`{}` is the name of an earlier listener; names must be unique", self.name),
            );
        }
        let endpoint =
            |listener: &Self| (listener.port, listener.protocol.clone(), listener.hostname.clone());
        if let Some(other) = earlier.iter().find(|other| endpoint(other) == endpoint(self)) {
            violations.add(
                format!("{path}.port"),
                format!("{} {} is taken by listener `{}`; port, protocol and hostname together must be unique", self.protocol, self.port, other.name),
            );
        }
        if self.hostname.is_some() && matches!(self.protocol, Protocol::Tcp | Protocol::Udp) {
            violations.add(
                format!("{path}.hostname"),
                format!("must be absent for protocol {}, which knows no hostnames", self.protocol),
            );
        }
        self.validate_tls(&path, violations);
        violations.count(
            &format!("{path}.allowedRoutes.kinds"),
            self.allowed_routes.kinds.len(),
            0,
            8,
        );
        if let Some(selector) = &self.allowed_routes.namespaces.selector {
            selector.validate(&format!("{path}.allowedRoutes.namespaces.selector"), violations);
        }
    }

    fn validate_tls(&self, path: &str, violations: &mut Violations) {
        let Some(tls) = &self.tls else {
            if self.protocol == Protocol::Tls {
                violations.add(format!("{path}.tls"), "is missing; protocol TLS needs it");
            }
            return;
        };
        if matches!(self.protocol, Protocol::Tcp | Protocol::Udp | Protocol::Http) {
            violations.add(
                format!("{path}.tls"),
                format!("must be absent for protocol {}", self.protocol),
            );
            return;
        }
        if self.protocol == Protocol::Https && tls.mode == TlsMode::Passthrough {
            violations.add(format!("{path}.tls.mode"), "must be Terminate for protocol HTTPS");
        }
        violations.count(&format!("{path}.tls.certificateRefs"), tls.certificate_refs.len(), 0, 64);
        violations.count(&format!("{path}.tls.options"), tls.options.len(), 0, 16);
        if tls.mode == TlsMode::Terminate
            && tls.certificate_refs.is_empty()
            && tls.options.is_empty()
        {
            violations.add(
                format!("{path}.tls.certificateRefs"),
                "is empty; mode Terminate needs certificateRefs or options",
            );
        }
    }
}
