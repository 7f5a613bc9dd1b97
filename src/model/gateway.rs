//! Gateway: addresses and listeners that accept connections.

use serde::{Deserialize, Serialize};

use super::address::{GatewayAddress, validate_addresses};
use super::deserialize::{null_as_default, valid_or_default};
use super::gateway_infrastructure::GatewayInfrastructure;
use super::gateway_tls::GatewayTls;
use super::listener::Listener;
use super::meta::ObjectMeta;
use super::scalar::ObjectName;
use super::selector::LabelSelector;
use super::status::GatewayStatus;
use super::validate::Violations;

const MAX_LISTENERS: usize = 64;

/// A Gateway: a set of listeners on a set of addresses.
///
/// Versions `v1` and `v1beta1` are read as this type; their fields are the same.
///
/// Specification: [Gateway](https://gateway-api.sigs.k8s.io/reference/spec/#gateway).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Name, namespace and creation timestamp.
    pub metadata: ObjectMeta,
    /// The desired state.
    pub spec: GatewaySpec,
    /// The status that controllers reported.
    #[serde(
        default,
        deserialize_with = "valid_or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<GatewayStatus>,
}

/// Desired state of a Gateway.
///
/// Specification: [GatewaySpec](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayspec).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewaySpec {
    /// The GatewayClass, which names the controller.
    pub gateway_class_name: ObjectName,
    /// The listeners; 1 to 64, with unique names.
    pub listeners: Vec<Listener>,
    /// The requested addresses; at most 16. If there is none, the implementation assigns some.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<GatewayAddress>,
    /// Labels, annotations and parameters for the objects that are created for the Gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infrastructure: Option<GatewayInfrastructure>,
    /// ListenerSets that may add listeners; read, but not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_listeners: Option<AllowedListeners>,
    /// TLS settings towards clients and backends; read, but not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<GatewayTls>,
    /// Scope in which this is a default Gateway, to which routes attach without naming it;
    /// experimental in Gateway API, read, but not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_scope: Option<String>,
}

/// ListenerSets that may add listeners to a Gateway.
///
/// Specification:
/// [AllowedListeners](https://gateway-api.sigs.k8s.io/reference/spec/#allowedlisteners).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedListeners {
    /// The namespaces of the ListenerSets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<ListenerNamespaces>,
}

/// Namespaces from which ListenerSets may add listeners.
///
/// Specification:
/// [ListenerNamespaces](https://gateway-api.sigs.k8s.io/reference/spec/#listenernamespaces).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerNamespaces {
    /// `All`, `Selector`, `Same` or `None`; `None` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// With `from: Selector`, the labels of the namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

impl Gateway {
    /// Creates a Gateway of a class with these listeners. It requests no address.
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
        violations.check_metadata(&self.metadata);
        let spec = &self.spec;
        violations.check_count("spec.listeners", spec.listeners.len(), 1, MAX_LISTENERS);
        for (index, listener) in spec.listeners.iter().enumerate() {
            // A comparison with listeners beyond the limit would take quadratic time.
            let earlier = &spec.listeners[..index.min(MAX_LISTENERS)];
            listener.validate(index, earlier, violations);
        }
        validate_addresses(&spec.addresses, violations);
        if let Some(infrastructure) = &spec.infrastructure {
            infrastructure.validate(violations);
        }
        if let Some(tls) = &spec.tls {
            tls.validate(violations);
        }
        let namespaces =
            spec.allowed_listeners.as_ref().and_then(|allowed| allowed.namespaces.as_ref());
        if let Some(namespaces) = namespaces {
            let path = "spec.allowedListeners.namespaces";
            let values = ["All", "Selector", "Same", "None"];
            violations.check_enum(&format!("{path}.from"), namespaces.from.as_deref(), &values);
            if let Some(selector) = &namespaces.selector {
                selector.validate(&format!("{path}.selector"), violations);
            }
        }
        violations.check_enum("spec.defaultScope", spec.default_scope.as_deref(), &["All", "None"]);
    }
}
