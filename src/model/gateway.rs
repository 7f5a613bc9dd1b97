//! Gateway: where connections come in.

use serde::{Deserialize, Serialize};

use super::address::{GatewayAddress, validate_addresses};
use super::listener::Listener;
use super::meta::{Labels, ObjectMeta, null_as_default};
use super::reference::ObjectRef;
use super::scalar::{Group, KindName, ObjectName, PortNumber};
use super::selector::LabelSelector;
use super::status::GatewayStatus;
use super::validate::Violations;

/// A set of listeners on a set of addresses.
///
/// Read in versions `v1` and `v1beta1`, which are alike.
/// Specification: [Gateway](https://gateway-api.sigs.k8s.io/reference/spec/#gateway).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Name, namespace and age.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: GatewaySpec,
    /// What controllers have said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<GatewayStatus>,
}

/// What a Gateway asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpec {
    /// The GatewayClass, and with it the controller.
    pub gateway_class_name: ObjectName,
    /// The listeners; 1 to 64, with unique names.
    pub listeners: Vec<Listener>,
    /// The addresses to listen on; at most 16. None means: assign some.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<GatewayAddress>,
    /// Labels, annotations and parameters of what is set up for the Gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infrastructure: Option<GatewayInfrastructure>,
    /// Which ListenerSets may add listeners; not acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_listeners: Option<AllowedListeners>,
    /// TLS towards clients and backends; not acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<GatewayTls>,
    /// Whether routes without parents attach; experimental in Gateway API and not acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_scope: Option<String>,
}

/// Metadata and parameters for what an implementation sets up for a Gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayInfrastructure {
    /// Labels; at most 8.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Labels::is_empty"
    )]
    pub labels: Labels,
    /// Annotations; at most 16.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Labels::is_empty"
    )]
    pub annotations: Labels,
    /// Parameters; this controller has none and refuses a Gateway that gives any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters_ref: Option<LocalParametersRef>,
}

/// A reference to parameters in the Gateway's own namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalParametersRef {
    /// Group of the object.
    pub group: Group,
    /// Kind of the object.
    pub kind: KindName,
    /// Name of the object.
    pub name: ObjectName,
}

/// Which ListenerSets may add listeners to a Gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedListeners {
    /// From which namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<ListenerNamespaces>,
}

/// From which namespaces ListenerSets may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerNamespaces {
    /// All, Selector, Same or None; None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// With `from: Selector`, the labels of the namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// TLS settings of a whole Gateway. They are read, so that a manifest that has them is not
/// refused, and kept; TCP listeners do not use them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayTls {
    /// Towards backends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendTls>,
    /// Towards clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<FrontendTls>,
}

/// How a Gateway shows itself to backends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTls {
    /// The client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_ref: Option<ObjectRef>,
}

/// How a Gateway checks clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTls {
    /// On every port not listed in `per_port`.
    pub default: FrontendTlsConfig,
    /// On single ports.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub per_port: Vec<FrontendTlsPort>,
}

/// How clients are checked on one port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontendTlsPort {
    /// The port.
    pub port: PortNumber,
    /// How.
    pub tls: FrontendTlsConfig,
}

/// How client certificates are checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontendTlsConfig {
    /// Against which authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<FrontendTlsValidation>,
}

/// Against which authorities client certificates are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontendTlsValidation {
    /// The authorities.
    pub ca_certificate_refs: Vec<ObjectRef>,
    /// AllowValidOnly or AllowInsecureFallback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

impl Gateway {
    /// A Gateway of a class, with these listeners and no wishes about its addresses.
    pub fn new(metadata: ObjectMeta, class: ObjectName, listeners: Vec<Listener>) -> Self {
        let spec = GatewaySpec {
            gateway_class_name: class,
            listeners,
            addresses: Vec::new(),
            infrastructure: None,
            allowed_listeners: None,
            tls: None,
            default_scope: None,
        };
        Self { metadata, spec, status: None }
    }

    pub(crate) fn validate(&self, violations: &mut Violations) {
        violations.metadata(&self.metadata);
        let spec = &self.spec;
        violations.count("spec.listeners", spec.listeners.len(), 1, 64);
        for (index, listener) in spec.listeners.iter().enumerate() {
            listener.validate(index, &spec.listeners[..index], violations);
        }
        validate_addresses(&spec.addresses, violations);
        if let Some(infrastructure) = &spec.infrastructure {
            infrastructure.validate(violations);
        }
    }
}

impl GatewayInfrastructure {
    fn validate(&self, violations: &mut Violations) {
        violations.count("spec.infrastructure.labels", self.labels.len(), 0, 8);
        violations.count("spec.infrastructure.annotations", self.annotations.len(), 0, 16);
        for (key, value) in &self.labels {
            validate_key("labels", key, violations);
            if !is_label_value(value) {
                violations.add(
                    format!("spec.infrastructure.labels.{key}"),
                    format!("`{value}` must be at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"),
                );
            }
        }
        for (key, value) in &self.annotations {
            validate_key("annotations", key, violations);
            violations.length(&format!("spec.infrastructure.annotations.{key}"), value, 4096);
        }
    }
}

fn validate_key(map: &str, key: &str, violations: &mut Violations) {
    let (prefix, name) =
        key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let prefix_ok =
        prefix.is_none_or(|prefix| prefix.len() < 253 && super::scalar::is_dns_subdomain(prefix));
    if !prefix_ok || name.is_empty() || !is_label_value(name) {
        violations.add(
            format!("spec.infrastructure.{map}"),
            format!("key `{key}` must be a name of at most 63 letters, digits, '-', '_' and '.', possibly behind a domain and a slash"),
        );
    }
}

fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return true };
    bytes.len() <= 63
        && first.is_ascii_alphanumeric()
        && last.is_ascii_alphanumeric()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}
