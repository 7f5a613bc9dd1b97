//! Names in the lines about connections.

use crate::forward::route::Route;
use crate::plan::{ListenerId, RoutePlan};

/// The names of a listener and its route, rendered once for all connections.
#[derive(Debug)]
pub(in crate::forward) struct Names {
    pub(super) listener: String,
    pub(super) route: Option<String>,
    /// The backends, by index of their share.
    pub(super) backends: Box<[String]>,
}

impl Names {
    pub(in crate::forward) fn new(listener: &ListenerId, route: Option<&Route>) -> Self {
        let route: Option<&RoutePlan> = route.map(|route| &**route.plan());
        let shares = route.iter().flat_map(|route| &route.shares);
        Self {
            listener: listener.to_string(),
            route: route.map(|route| route.id.to_string()),
            backends: shares.map(|share| share.backend().to_string()).collect(),
        }
    }
}
