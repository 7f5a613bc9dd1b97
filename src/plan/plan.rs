//! The whole plan.

use std::collections::BTreeMap;

use serde::Serialize;

use super::listener::{ListenerId, ListenerPlan};

/// The listeners to open, with the routes of their connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The listeners to open. Their sockets are distinct.
    pub listeners: BTreeMap<ListenerId, ListenerPlan>,
}
