//! References from one object to another: one type each, whatever kind of route holds them.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::scalar::{Group, KindName, NamespaceName, ObjectName, PortNumber, SectionName, Weight};

/// The API group of Gateway API itself.
pub const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// A route's request to attach to a parent, possibly to one listener of it.
///
/// Specification: [ParentReference](https://gateway-api.sigs.k8s.io/reference/spec/#parentreference).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Group of the parent.
    #[serde(default = "gateway_group")]
    pub group: Group,
    /// Kind of the parent.
    #[serde(default = "gateway_kind")]
    pub kind: KindName,
    /// Namespace of the parent; absent means the route's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Name of the parent.
    pub name: ObjectName,
    /// The listener meant, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<SectionName>,
    /// The listeners meant, by port. With a `section_name`, both must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PortNumber>,
}

impl ParentRef {
    /// A reference to all listeners of the Gateway `name` in the route's own namespace.
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

    /// Whether the parent is a Gateway.
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

/// Where a route sends a share of its connections.
///
/// Specification: [BackendRef](https://gateway-api.sigs.k8s.io/reference/spec/#backendref).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendRef {
    /// Group of the backend; the core group by default.
    #[serde(default = "core_group")]
    pub group: Group,
    /// Kind of the backend.
    #[serde(default = "service_kind")]
    pub kind: KindName,
    /// Namespace of the backend; absent means the route's own. Another one needs a ReferenceGrant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Name of the backend.
    pub name: ObjectName,
    /// The Service's port (not its pods' port).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PortNumber>,
    /// Share of new connections, in relation to the sum of the weights.
    #[serde(default)]
    pub weight: Weight,
}

impl BackendRef {
    /// A reference of weight 1 to a Service in the route's own namespace.
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

    /// Whether the backend is a Service.
    pub fn is_service(&self) -> bool {
        self.group == "" && self.kind == "Service"
    }
}

/// A kind of route that a listener allows, or supports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteGroupKind {
    /// Group of the route; Gateway API's own by default.
    #[serde(default = "gateway_group")]
    pub group: Group,
    /// Kind of the route.
    pub kind: KindName,
}

impl RouteGroupKind {
    /// TCPRoute.
    pub fn tcp_route() -> Self {
        Self { group: gateway_group(), kind: tcp_route_kind() }
    }

    /// Whether this is TCPRoute; a foreign group's kind of that name is not.
    pub fn is_tcp_route(&self) -> bool {
        self.group == GATEWAY_GROUP && self.kind == "TCPRoute"
    }
}

/// A reference to an object that may live in another namespace, such as a Secret or parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Group of the object; the core group by default.
    #[serde(default = "core_group")]
    pub group: Group,
    /// Kind of the object; Secret by default.
    #[serde(default = "secret_kind")]
    pub kind: KindName,
    /// Namespace of the object, where it has one and it is not the referrer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// Name of the object.
    pub name: ObjectName,
}

/// Defaults are made once: all the objects that rely on one share its text.
macro_rules! defaults {
    ($($name:ident: $scalar:ident = $text:expr;)+) => {
        $(fn $name() -> $scalar {
            static DEFAULT: LazyLock<$scalar> =
                LazyLock::new(|| $scalar::new($text).expect("a valid default"));
            DEFAULT.clone()
        })+
    };
}

defaults! {
    gateway_group: Group = GATEWAY_GROUP;
    core_group: Group = "";
    gateway_kind: KindName = "Gateway";
    service_kind: KindName = "Service";
    secret_kind: KindName = "Secret";
    tcp_route_kind: KindName = "TCPRoute";
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
