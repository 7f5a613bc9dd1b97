//! The addresses that are bound, and those that are not.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::plan::{BindError, ListenerId};

/// Which addresses are open after a plan was applied, and which could not be opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bindings {
    /// The addresses really bound, by listener: where the plan says port 0, here is the port.
    pub bound: BTreeMap<ListenerId, Vec<SocketAddr>>,
    /// What could not be opened; [`Forwarder::retry`](super::Forwarder::retry) tries again.
    pub failures: BTreeMap<ListenerId, Vec<BindError>>,
}
