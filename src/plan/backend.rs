//! Backends: identifier and endpoints.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::model::{NamespacedName, PortNumber};

/// Identifier of the object that a route refers to. Text form: `namespace/name:port`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct BackendId {
    /// The Service, or the object of another kind that an invalid reference names.
    pub name: NamespacedName,
    /// The port of the Service; `None` if the reference has none.
    pub port: Option<PortNumber>,
}

/// A backend. All routes to it share one value, and the forwarder keeps the state of its endpoints
/// with it: the rotation, and the marks of endpoints that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BackendPlan {
    /// The identifier. Backends of one plan with the same identifier are equal.
    pub id: BackendId,
    /// The endpoints, used round robin. At least one, sorted by address, without duplicates.
    pub endpoints: Vec<Endpoint>,
}

/// One address of a backend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// The address to dial.
    pub address: SocketAddr,
    /// The zone of the endpoint's node, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Arc<str>>,
}

impl BackendId {
    /// Creates the identifier of a backend.
    pub const fn new(name: NamespacedName, port: Option<PortNumber>) -> Self {
        Self { name, port }
    }
}

impl BackendPlan {
    /// Creates a backend. The endpoints are sorted, and further ones with the same address removed.
    pub fn new(id: BackendId, endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        let mut endpoints: Vec<_> = endpoints.into_iter().collect();
        endpoints.sort_unstable();
        endpoints.dedup_by_key(|endpoint| endpoint.address);
        Self { id, endpoints }
    }
}

impl Endpoint {
    /// Creates an endpoint without a zone.
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, zone: None }
    }

    /// Sets the zone.
    #[must_use]
    pub fn with_zone(mut self, zone: Option<Arc<str>>) -> Self {
        self.zone = zone;
        self
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::new(address)
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
