//! The parts of a listener that its workers share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::time::Instant;

use super::counters::Shards;
use super::route::Route;
use crate::plan::ListenerId;

/// Phase of a listener's life, sent to its workers. The state diagram is in the documentation of
/// [`forward`](crate::forward).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The listener accepts connections.
    Open,
    /// The listener accepts no connections. Open connections are reset at the deadline, if there is
    /// one. The deadline can change.
    Closed(Option<Instant>),
}

/// The current state of a listener, shared by its workers.
#[derive(Debug)]
pub(super) struct SharedListener(ArcSwap<ListenerState>);

/// Name, route and counters of a listener. A connection keeps the state that was current when it
/// was accepted.
#[derive(Debug)]
pub(super) struct ListenerState {
    pub(super) id: ListenerId,
    /// The route of new connections; `None` rejects them.
    pub(super) route: Option<Arc<Route>>,
    pub(super) counters: Arc<Shards>,
}

impl SharedListener {
    pub(super) fn new(state: ListenerState) -> Self {
        Self(ArcSwap::from_pointee(state))
    }

    pub(super) fn state(&self) -> Arc<ListenerState> {
        self.0.load_full()
    }

    pub(super) fn counters(&self) -> Arc<Shards> {
        self.0.load().counters.clone()
    }

    /// Sets the state for new connections.
    pub(super) fn replace(&self, state: ListenerState) {
        self.0.store(Arc::new(state));
    }
}
