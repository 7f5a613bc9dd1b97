//! References from one object to another. All kinds of route share them.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize};

use super::deserialize::null_as_default;
use super::scalar::{Group, KindName, NamespaceName, ObjectName, PortNumber, SectionName, Weight};

/// The API group of Gateway API.
pub const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// Reference from a route to a parent to which it requests to attach: a whole Gateway, or some of
/// its listeners.
///
/// Specification:
/// [ParentReference](https://gateway-api.sigs.k8s.io/reference/spec/#parentreference).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Group of the parent; Gateway API by default.
    #[serde(default = "gateway_group", deserialize_with = "null_as_gateway_group")]
    pub group: Group,
    /// Kind of the parent; Gateway by default.
    #[serde(default = "gateway_kind", deserialize_with = "null_as_gateway_kind")]
    pub kind: KindName,
    /// Namespace of the parent; that of the route by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Name of the parent.
    pub name: ObjectName,
    /// Name of the listener; all listeners if it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<SectionName>,
    /// Port of the listeners. If `section_name` is set too, both must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PortNumber>,
}

impl ParentRef {
    /// Creates a reference to all listeners of a Gateway in the namespace of the route.
    pub fn gateway(name: ObjectName) -> Self {
        Self {
            group: gateway_group(),
            kind: gateway_kind(),
            namespace: None,
            name,
            section_name: None,
            port: None,
        }
    }

    /// Returns `true` if the parent is a Gateway.
    pub fn is_gateway(&self) -> bool {
        self.group == GATEWAY_GROUP && self.kind == "Gateway"
    }
}

/// Writes `name`, `name/section`, `name:port` or `name/section:port`, for logs and tables.
impl fmt::Display for ParentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(section) = &self.section_name {
            write!(f, "/{section}")?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        Ok(())
    }
}

/// Reference from a route to a backend, with a weight.
///
/// Specification: [BackendRef](https://gateway-api.sigs.k8s.io/reference/spec/#backendref).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendRef {
    /// Group of the backend; the core group by default.
    #[serde(default = "core_group", deserialize_with = "null_as_core_group")]
    pub group: Group,
    /// Kind of the backend; Service by default.
    #[serde(default = "service_kind", deserialize_with = "null_as_service_kind")]
    pub kind: KindName,
    /// Namespace of the backend; that of the route by default. Another namespace needs a
    /// [`ReferenceGrant`](crate::model::ReferenceGrant).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Name of the backend.
    pub name: ObjectName,
    /// Port of the Service (not the port of its pods).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PortNumber>,
    /// Weight; 1 by default. The share of new connections is the weight divided by the sum of the
    /// weights.
    #[serde(default, deserialize_with = "null_as_default")]
    pub weight: Weight,
}

impl BackendRef {
    /// Creates a reference with weight 1 to a Service in the namespace of the route.
    pub fn service(name: ObjectName, port: PortNumber) -> Self {
        Self {
            group: core_group(),
            kind: service_kind(),
            namespace: None,
            name,
            port: Some(port),
            weight: Weight::default(),
        }
    }

    /// Returns `true` if the backend is a Service.
    pub fn is_service(&self) -> bool {
        self.group == "" && self.kind == "Service"
    }
}

/// Kind of route that a listener allows or supports.
///
/// Specification: [RouteGroupKind](https://gateway-api.sigs.k8s.io/reference/spec/#routegroupkind).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteGroupKind {
    /// Group of the route; Gateway API by default.
    #[serde(default = "gateway_group", deserialize_with = "null_as_gateway_group")]
    pub group: Group,
    /// Kind of the route.
    pub kind: KindName,
}

impl RouteGroupKind {
    /// Returns the kind TCPRoute of Gateway API.
    pub fn tcp_route() -> Self {
        static KIND: LazyLock<KindName> =
            LazyLock::new(|| KindName::new("TCPRoute").expect("a valid kind"));
        Self { group: gateway_group(), kind: KIND.clone() }
    }

    /// Returns `true` for the kind TCPRoute of Gateway API.
    pub fn is_tcp_route(&self) -> bool {
        self.group == GATEWAY_GROUP && self.kind == "TCPRoute"
    }
}

/// Reference to an object that may be in another namespace, such as a Secret.
///
/// Specification: [SecretObjectReference][spec].
///
/// [spec]: https://gateway-api.sigs.k8s.io/reference/spec/#secretobjectreference
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Group of the object; the core group by default.
    #[serde(default = "core_group", deserialize_with = "null_as_core_group")]
    pub group: Group,
    /// Kind of the object; Secret by default.
    #[serde(default = "secret_kind", deserialize_with = "null_as_secret_kind")]
    pub kind: KindName,
    /// Namespace of the object; that of the referring object by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Name of the object.
    pub name: ObjectName,
}

/// Reference to an object of any kind that may be in another namespace, such as a ConfigMap.
///
/// Specification: [ObjectReference][spec].
///
/// [spec]: https://gateway-api.sigs.k8s.io/reference/spec/#objectreference
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectReference {
    /// Group of the object; empty for the core group.
    pub group: Group,
    /// Kind of the object.
    pub kind: KindName,
    /// Namespace of the object; that of the referring object by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Name of the object.
    pub name: ObjectName,
}

/// Defines functions that return a default, and functions that deserialize `null` as this default.
/// Each default is allocated once, and the objects share it.
macro_rules! defaults {
    ($($name:ident, $deserialize:ident: $scalar:ident = $text:expr;)+) => {
        $(
            fn $name() -> $scalar {
                static DEFAULT: LazyLock<$scalar> =
                    LazyLock::new(|| $scalar::new($text).expect("a valid default"));
                DEFAULT.clone()
            }

            fn $deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$scalar, D::Error> {
                Ok(Option::deserialize(deserializer)?.unwrap_or_else($name))
            }
        )+
    };
}

defaults! {
    gateway_group, null_as_gateway_group: Group = GATEWAY_GROUP;
    core_group, null_as_core_group: Group = "";
    gateway_kind, null_as_gateway_kind: KindName = "Gateway";
    service_kind, null_as_service_kind: KindName = "Service";
    secret_kind, null_as_secret_kind: KindName = "Secret";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_ref_is_displayed_with_section_and_port() {
        let mut parent = ParentRef::gateway("edge".parse().unwrap());
        assert_eq!(parent.to_string(), "edge");
        parent.port = PortNumber::new(443);
        assert_eq!(parent.to_string(), "edge:443");
        parent.section_name = Some("tls".parse().unwrap());
        assert_eq!(parent.to_string(), "edge/tls:443");
        parent.port = None;
        assert_eq!(parent.to_string(), "edge/tls");
    }
}
