//! The compiled plan: what the forwarding engine runs, with every decision already taken.
//!
//! A plan is plain data. Translation writes it, [`Forwarder`](crate::forward::Forwarder) runs it,
//! and an embedder with a proxy of its own can run it instead. Nothing in it refers back to a
//! Gateway API object but by name.
//!
//! Parts are shared (`Arc`): a route on several listeners is one value, and comparing an old plan
//! with a new one is cheap.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::model::{Hostname, InvalidScalar, NamespacedName, PortNumber, SectionName};

/// Everything that is to be forwarded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The listeners to open. No two of them want the same address.
    pub listeners: BTreeMap<ListenerId, ListenerPlan>,
}

/// Which listener of which Gateway; written `namespace/gateway/listener`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a name")]
pub struct ListenerId {
    /// The Gateway.
    pub gateway: NamespacedName,
    /// The listener in it.
    pub listener: SectionName,
}

/// One listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data, meant to be built by hand too")]
pub struct ListenerPlan {
    /// The addresses to open. Several may share one `bind`, which is then opened once.
    pub addresses: Vec<ListenAddress>,
    /// How each connection finds its route.
    pub routing: Routing,
}

/// One address of a listener.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data, meant to be built by hand too")]
pub struct ListenAddress {
    /// What to bind. Port 0 leaves the choice to the system.
    pub bind: SocketAddr,
    /// What clients dial. On a host that is the bound address (or, where all interfaces are bound,
    /// one of them); behind a load balancer it is the balancer's, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertised: Option<DialAddress>,
}

/// What clients dial; written `192.0.2.1:5432`, `[2001:db8::1]:5432` or `db.example.com:5432`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a host is known by its address or by its name")]
pub enum DialAddress {
    /// An address.
    Ip(SocketAddr),
    /// A name that leads to one, and the port there.
    Name(Hostname, PortNumber),
}

/// Why a listener's address could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "plain data")]
pub struct BindError {
    /// The address as the plan asked for it.
    pub address: SocketAddr,
    /// What kind of failure it is.
    pub kind: BindErrorKind,
    /// What the system said.
    pub message: String,
}

/// What kind of failure kept an address from being opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindErrorKind {
    /// Somebody else has the port, or this process may not use it.
    PortUnavailable,
    /// The address is not one of this host's.
    AddressNotUsable,
    /// The system is out of something, such as file descriptors.
    NoResources,
}

/// How a connection finds its route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Routing {
    /// No route is attached: every connection is rejected.
    Unrouted,
    /// Every connection takes the same route.
    Single(Arc<RoutePlan>),
}

/// One route: backends that share its connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data, meant to be built by hand too")]
pub struct RoutePlan {
    /// The route's name.
    pub route: NamespacedName,
    /// The backends, in the order of the route. Where all weights are 0, every connection is
    /// rejected.
    pub backends: Vec<BackendPlan>,
}

/// A weighted target of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "plain data, meant to be built by hand too")]
pub struct BackendPlan {
    /// What the route refers to.
    pub backend: BackendId,
    /// Its share of the route's connections, in relation to the sum of the weights.
    pub weight: u32,
    /// Where its connections go.
    pub target: Target,
}

/// What a route refers to; written `namespace/name:port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a name")]
pub struct BackendId {
    /// The Service (or, in a refused reference, whatever object it names).
    pub name: NamespacedName,
    /// The port of the Service, where the reference has one.
    pub port: Option<PortNumber>,
}

/// Where the connections of a backend go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Target {
    /// To one of these addresses, in turn; at least one, without duplicates, sorted.
    Endpoints(Arc<[SocketAddr]>),
    /// Nowhere: the connection is accepted and reset at once.
    Reject(RejectReason),
}

/// Why connections are rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum RejectReason {
    /// The listener has no route.
    NoRoute,
    /// The route has no backend with a weight over 0.
    NoWeight,
    /// The backend's Service has no endpoint that takes connections.
    NoEndpoints,
    /// The backend, or its port, does not exist.
    BackendNotFound,
    /// The backend is in another namespace and no ReferenceGrant allows the reference.
    RefNotPermitted,
    /// The backend is of a kind that cannot be forwarded to.
    InvalidKind,
    /// The backend's port does not speak TCP.
    UnsupportedProtocol,
}

impl ListenAddress {
    /// An address that clients dial as it is bound.
    pub fn at(address: SocketAddr) -> Self {
        Self { bind: address, advertised: Some(DialAddress::Ip(address)) }
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
    /// The reason as a label for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::NoWeight => "no_weight",
            Self::NoEndpoints => "no_endpoints",
            Self::BackendNotFound => "backend_not_found",
            Self::RefNotPermitted => "ref_not_permitted",
            Self::InvalidKind => "invalid_kind",
            Self::UnsupportedProtocol => "unsupported_protocol",
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
    fn a_listener_is_read_as_it_is_written() {
        let id: ListenerId = "infra/edge/db".parse().unwrap();
        assert_eq!(id.gateway, "infra/edge".parse().unwrap());
        assert_eq!(id.listener, "db");
        assert_eq!(id.to_string(), "infra/edge/db");
        for bad in ["db", "edge/db", "infra/edge/", "a/b/c/d"] {
            assert!(bad.parse::<ListenerId>().is_err(), "{bad}");
        }
    }
}
