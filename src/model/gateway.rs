//! Gateway: where connections come in.

use serde::{Deserialize, Serialize};

use super::address::{GatewayAddress, validate_addresses};
use super::gateway_infrastructure::GatewayInfrastructure;
use super::gateway_tls::GatewayTls;
use super::listener::Listener;
use super::meta::{ObjectMeta, null_as_default};
use super::scalar::ObjectName;
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
