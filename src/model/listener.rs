//! Listener: one port of a Gateway, and the routes that may attach to it.

use serde::{Deserialize, Serialize};

use super::deserialize::{null_as_default, texts};
use super::labels::Labels;
use super::protocol::Protocol;
use super::reference::{ObjectRef, RouteGroupKind};
use super::scalar::{Hostname, PortNumber, SectionName};
use super::selector::LabelSelector;
use super::validate::Violations;

/// A listener: one port of a Gateway.
///
/// Specification: [Listener](https://gateway-api.sigs.k8s.io/reference/spec/#listener).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Name, unique in its Gateway; the `sectionName` of a route refers to it.
    pub name: SectionName,
    /// Hostname of the connections; not allowed for TCP and UDP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<Hostname>,
    /// The port that clients dial.
    pub port: PortNumber,
    /// The protocol.
    pub protocol: Protocol,
    /// TLS settings, for TLS and HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ListenerTls>,
    /// The routes that may attach.
    #[serde(default, deserialize_with = "null_as_default")]
    pub allowed_routes: AllowedRoutes,
}

/// TLS settings of a listener.
///
/// Specification:
/// [ListenerTLSConfig](https://gateway-api.sigs.k8s.io/reference/spec/#listenertlsconfig).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenerTls {
    /// Termination or passthrough.
    #[serde(default, deserialize_with = "null_as_default")]
    pub mode: TlsMode,
    /// The server certificates; at most 64.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub certificate_refs: Vec<ObjectRef>,
    /// Options that an implementation defines; at most 16.
    #[serde(default, deserialize_with = "texts", skip_serializing_if = "Labels::is_empty")]
    pub options: Labels,
}

/// Handling of TLS connections by a listener.
///
/// Specification: [TLSModeType](https://gateway-api.sigs.k8s.io/reference/spec/#tlsmodetype).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the enum of the CRD")]
#[expect(missing_docs, reason = "the values of the specification")]
pub enum TlsMode {
    #[default]
    Terminate,
    Passthrough,
}

/// Routes that may attach to a listener.
///
/// Specification: [AllowedRoutes](https://gateway-api.sigs.k8s.io/reference/spec/#allowedroutes).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedRoutes {
    /// The namespaces of the routes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub namespaces: RouteNamespaces,
    /// The kinds of the routes; at most 8. If there is none, the protocol decides.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<RouteGroupKind>,
}

/// Namespaces from which routes may attach to a listener.
///
/// Specification:
/// [RouteNamespaces](https://gateway-api.sigs.k8s.io/reference/spec/#routenamespaces).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteNamespaces {
    /// The choice of namespaces.
    #[serde(default, deserialize_with = "null_as_default")]
    pub from: FromNamespaces,
    /// The labels of the namespaces, for [`FromNamespaces::Selector`]. An absent selector selects
    /// no namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// Choice of the namespaces from which routes may attach to a listener.
///
/// Specification: [FromNamespaces](https://gateway-api.sigs.k8s.io/reference/spec/#fromnamespaces).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the enum of the CRD")]
pub enum FromNamespaces {
    /// All namespaces.
    All,
    /// The namespaces that a selector selects.
    Selector,
    /// The namespace of the Gateway.
    #[default]
    Same,
}

impl Listener {
    /// Creates a TCP listener for routes in the namespace of its Gateway.
    pub fn tcp(name: SectionName, port: PortNumber) -> Self {
        let allowed_routes = AllowedRoutes::default();
        Self { name, hostname: None, port, protocol: Protocol::Tcp, tls: None, allowed_routes }
    }

    /// Checks the listener. `earlier` are the listeners before it in its Gateway.
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
                format!("{} {} is already used by listener `{}`; the combination of port, protocol and hostname must be unique", self.protocol, self.port, other.name),
            );
        }
        if self.hostname.is_some() && matches!(self.protocol, Protocol::Tcp | Protocol::Udp) {
            violations.add(
                format!("{path}.hostname"),
                format!("must be absent for protocol {}, which has no hostnames", self.protocol),
            );
        }
        self.validate_tls(&path, violations);
        violations.check_count(
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
                violations
                    .add_required(format!("{path}.tls"), "is missing; protocol TLS requires it");
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
        violations.check_count(
            &format!("{path}.tls.certificateRefs"),
            tls.certificate_refs.len(),
            0,
            64,
        );
        violations.check_count(&format!("{path}.tls.options"), tls.options.len(), 0, 16);
        for (key, value) in &tls.options {
            violations.check_length(&format!("{path}.tls.options.{key}"), value, 4096);
        }
        if tls.mode == TlsMode::Terminate
            && tls.certificate_refs.is_empty()
            && tls.options.is_empty()
        {
            violations.add_required(
                format!("{path}.tls.certificateRefs"),
                "is empty; mode Terminate needs certificateRefs or options",
            );
        }
    }
}
