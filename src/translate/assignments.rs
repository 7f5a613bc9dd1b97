//! State of translation over time: pool addresses, pod ports, and the Gateways that are served.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{NamespacedName, PodPorts};

/// Addresses and ports that Gateways have been assigned, and the Gateways that are served.
///
/// [`translate`](super::translate) takes the assignments of the translation before and returns the
/// new ones ([`Translation::assignments`](super::Translation::assignments)), so that a Gateway
/// keeps its addresses and ports. Translation has no clock: it adds addresses to `cooling_down`,
/// and its caller removes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Assignments {
    /// Addresses of the pool, by Gateway.
    pub addresses: BTreeMap<NamespacedName, Vec<IpAddr>>,
    /// Released addresses of the pool, with their last Gateway. Clients of that Gateway may still
    /// connect to them, so they are assigned to it or to a Gateway that requests one by its value,
    /// but to no other.
    pub cooling_down: BTreeMap<IpAddr, NamespacedName>,
    /// The pod ports behind the Services of Gateways.
    pub pod_ports: Arc<PodPorts>,
    /// The Gateways that are served, with their uids, and those that were served until their class
    /// was deleted: their status reports that they are not served any longer.
    pub served: BTreeMap<NamespacedName, Option<Arc<str>>>,
}
