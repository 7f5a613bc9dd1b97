//! The result of applying a plan: bound addresses and bind errors.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::plan::{BindError, ListenerId};

/// Addresses that are bound, and addresses that could not be bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bindings {
    /// The bound addresses by listener. For port 0 in the plan, the address contains the port that
    /// the kernel assigned.
    pub bound: BTreeMap<ListenerId, Vec<SocketAddr>>,
    /// Bind errors by listener. [`Forwarder::retry`](super::Forwarder::retry) tries again.
    pub errors: BTreeMap<ListenerId, Vec<BindError>>,
}
