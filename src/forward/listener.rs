//! A listener as its workers share it: its state, and the route for new connections.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::time::Instant;

use super::counters::Shards;
use super::route::Route;
use crate::plan::ListenerId;

/// How long a listener is to go on, as far as anybody knows now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It takes connections.
    Open,
    /// It takes no more; those it has must have finished by this time, if any.
    Closed(Option<Instant>),
}

/// A listener as all workers share it: what it does now.
#[derive(Debug)]
pub(super) struct SharedListener(ArcSwap<ListenerState>);

/// What a listener does with new connections.
#[derive(Debug)]
pub(super) struct ListenerState {
    pub(super) id: ListenerId,
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

    /// What new connections find from now on.
    pub(super) fn replace(&self, state: ListenerState) {
        self.0.store(Arc::new(state));
    }
}
