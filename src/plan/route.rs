//! Routes: backends that share connections.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::backend::{BackendId, BackendPlan};
use crate::model::NamespacedName;

/// Identifier of a route. Text form: `TCPRoute/default/orders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct RouteId {
    /// The kind. Routes of two kinds can have the same name.
    pub kind: RouteKind,
    /// Namespace and name.
    pub name: NamespacedName,
}

/// Kind of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RouteKind {
    /// TCPRoute.
    Tcp,
}

/// One route: backends that share its connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RoutePlan {
    /// The identifier. Routes of one plan with the same identifier are equal.
    pub id: RouteId,
    /// The shares of the backends, in the order of the route. If all weights are 0, every
    /// connection is rejected.
    pub shares: Vec<Share>,
}

/// A backend's share of the connections of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Share {
    /// The share, relative to the sum of the weights; 0 to 1,000,000 in a TCPRoute.
    pub weight: u32,
    /// The backend, or the reason to reject connections.
    pub target: Target,
}

/// The target of a share's connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Target {
    /// The connections go to the backend, which other routes may share.
    Backend(Arc<BackendPlan>),
    /// Each connection is accepted and reset at once.
    Reject {
        /// The object that the route refers to.
        backend: BackendId,
        /// The reason.
        reason: RejectReason,
    },
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

impl RouteId {
    /// Creates the identifier of a TCPRoute.
    pub const fn tcp(name: NamespacedName) -> Self {
        Self { kind: RouteKind::Tcp, name }
    }
}

impl RouteKind {
    /// Returns the name of the kind, as in a manifest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCPRoute",
        }
    }
}

impl RoutePlan {
    /// Creates a route.
    pub const fn new(id: RouteId, shares: Vec<Share>) -> Self {
        Self { id, shares }
    }
}

impl Share {
    /// Creates the share of a backend.
    pub const fn new(weight: u32, backend: Arc<BackendPlan>) -> Self {
        Self { weight, target: Target::Backend(backend) }
    }

    /// Creates a share whose connections are rejected.
    pub const fn reject(weight: u32, backend: BackendId, reason: RejectReason) -> Self {
        Self { weight, target: Target::Reject { backend, reason } }
    }

    /// Returns the identifier of the backend.
    pub fn backend(&self) -> &BackendId {
        match &self.target {
            Target::Backend(backend) => &backend.id,
            Target::Reject { backend, .. } => backend,
        }
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

impl fmt::Display for RouteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for RouteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl Serialize for RouteId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
