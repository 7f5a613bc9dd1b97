//! The compiled plan: the listeners to open and the routes of their connections.
//!
//! A plan is plain data. Translation creates it, [`Forwarder`](crate::forward::Forwarder) runs it,
//! and an embedder can run it with a proxy of its own. It refers to Gateway API objects only by
//! name.
//!
//! Parts are shared (`Arc`): a route on several listeners is one value, and two plans compare fast.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::model::{Hostname, InvalidScalar, NamespacedName, PortNumber, SectionName};

/// The listeners to open, with the routes of their connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The listeners to open. Their bind addresses are distinct.
    pub listeners: BTreeMap<ListenerId, ListenerPlan>,
}

/// Identifier of a listener. Text form: `namespace/gateway/listener`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an identifier")]
pub struct ListenerId {
    /// The Gateway.
    pub gateway: NamespacedName,
    /// The name of the listener in the Gateway.
    pub listener: SectionName,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that embedders build by hand")]
pub struct ListenerPlan {
    /// The addresses of the listener. Several of them may have the same `bind`, which is opened
    /// once.
    pub addresses: Vec<ListenAddress>,
    /// The route of each connection.
    pub routing: Routing,
}

/// An address of a listener.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that embedders build by hand")]
pub struct ListenAddress {
    /// The address to bind. With port 0, the kernel assigns an ephemeral port.
    pub bind: SocketAddr,
    /// The address that clients use: the bound address, an address of the host if all interfaces
    /// are bound, or the address of the load balancer in front. `None` until a load balancer has
    /// one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertised: Option<DialAddress>,
}

/// An address that clients use. Text form: `192.0.2.1:5432`, `[2001:db8::1]:5432` or
/// `db.example.com:5432`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a host has an address or a name")]
pub enum DialAddress {
    /// IP address and port.
    Ip(SocketAddr),
    /// Hostname and port.
    Name(Hostname, PortNumber),
}

/// Error of opening an address of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct BindError {
    /// The bind address of the plan.
    pub address: SocketAddr,
    /// The kind of the error.
    pub kind: BindErrorKind,
    /// The message of the operating system.
    pub message: String,
}

/// Kind of a [`BindError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindErrorKind {
    /// Another socket has the port, or this process lacks the permission to use it.
    PortUnavailable,
    /// The host does not have the address.
    AddressNotUsable,
    /// A resource is exhausted, such as file descriptors.
    NoResources,
}

/// The route of a listener's connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Routing {
    /// No route is attached: every connection is rejected.
    Unrouted,
    /// All connections take the same route.
    Single(Arc<RoutePlan>),
}

/// One route: backends that share its connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that embedders build by hand")]
pub struct RoutePlan {
    /// The route's name.
    pub route: NamespacedName,
    /// The backends, in the order of the route. If all weights are 0, every connection is rejected.
    pub backends: Vec<BackendPlan>,
}

/// A weighted target of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data that embedders build by hand")]
pub struct BackendPlan {
    /// The object that the route refers to.
    pub backend: BackendId,
    /// The backend's share of the route's connections, relative to the sum of the weights; 0 to
    /// 1,000,000 in a TCPRoute.
    pub weight: u32,
    /// The endpoints, or the reason to reject connections.
    pub target: Target,
}

/// Identifier of the object that a route refers to. Text form: `namespace/name:port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "an identifier")]
pub struct BackendId {
    /// The Service, or the object of another kind that an invalid reference names.
    pub name: NamespacedName,
    /// The port of the Service; `None` if the reference has none.
    pub port: Option<PortNumber>,
}

/// The target of a backend's connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Target {
    /// These addresses, used round robin. At least one, sorted, without duplicates.
    Endpoints(Arc<[SocketAddr]>),
    /// No address: each connection is accepted and reset at once.
    Reject(RejectReason),
}

/// Reason for rejecting connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum RejectReason {
    /// The listener has no route.
    NoRoute,
    /// The route has no backend with a weight greater than 0.
    NoWeight,
    /// The backend's Service has no ready endpoint.
    NoEndpoints,
    /// The backend, or its port, does not exist.
    BackendNotFound,
    /// The backend is in another namespace and no ReferenceGrant allows the reference.
    RefNotPermitted,
    /// The backend is not a Service.
    InvalidKind,
    /// The backend's port has another protocol than TCP.
    UnsupportedProtocol,
    /// The backend leads back to this gateway.
    Loop,
    /// The backend has a loopback endpoint, which is not allowed.
    LocalEndpoint,
}

impl ListenAddress {
    /// Creates an address that is bound and advertised as it is.
    pub fn at(address: SocketAddr) -> Self {
        Self { bind: address, advertised: Some(DialAddress::Ip(address)) }
    }

    /// Returns `true` unless one of these errors is about the bind address.
    pub fn is_open(&self, errors: &[BindError]) -> bool {
        errors.iter().all(|error| error.address != self.bind)
    }
}

impl fmt::Display for DialAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

impl Serialize for DialAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl RejectReason {
    /// Returns the label for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::NoWeight => "no_weight",
            Self::NoEndpoints => "no_endpoints",
            Self::BackendNotFound => "backend_not_found",
            Self::RefNotPermitted => "ref_not_permitted",
            Self::InvalidKind => "invalid_kind",
            Self::UnsupportedProtocol => "unsupported_protocol",
            Self::Loop => "loop",
            Self::LocalEndpoint => "local_endpoint",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ListenerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.gateway, self.listener)
    }
}

impl FromStr for ListenerId {
    type Err = InvalidScalar;

    fn from_str(text: &str) -> Result<Self, InvalidScalar> {
        let (gateway, listener) = text.rsplit_once('/').ok_or_else(|| InvalidScalar {
            found: text.to_owned(),
            expected: "a listener with its Gateway, as in default/gateway/listener",
        })?;
        Ok(Self { gateway: gateway.parse()?, listener: listener.parse()? })
    }
}

impl Serialize for ListenerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for BackendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.name),
            None => self.name.fmt(f),
        }
    }
}

impl Serialize for BackendId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listener_id_parses_its_text_form() {
        let id: ListenerId = "infra/edge/db".parse().unwrap();
        assert_eq!(id.gateway, "infra/edge".parse().unwrap());
        assert_eq!(id.listener, "db");
        assert_eq!(id.to_string(), "infra/edge/db");
        for bad in ["db", "edge/db", "infra/edge/", "a/b/c/d"] {
            assert!(bad.parse::<ListenerId>().is_err(), "{bad}");
        }
    }
}
