//! The parts of a listener that its workers share.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use super::connection_log::Names;
use super::counters::Shards;
use super::route::Route;
use crate::plan::ListenerId;

/// The current state of a listener. The worker that accepts its connections reads it, and the
/// reconciler replaces it.
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
    pub(super) socket: Arc<ListeningSocket>,
    names: OnceLock<Names>,
}

impl ListenerState {
    pub(super) fn new(
        id: ListenerId,
        route: Option<Arc<Route>>,
        counters: Arc<Shards>,
        socket: Arc<ListeningSocket>,
    ) -> Self {
        Self { id, route, counters, socket, names: OnceLock::new() }
    }

    /// Returns the names for log lines, which the first line renders.
    pub(super) fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::new(&self.id, self.route.as_deref()))
    }
}

/// A listening socket, from its bind to the end of its last connection: each of them holds it.
#[derive(Debug)]
pub(super) struct ListeningSocket {
    /// The address that clients connected to, if it is the same for all.
    local: Option<SocketAddr>,
    #[expect(dead_code, reason = "dropped with the last connection, which ends the channel")]
    finished: oneshot::Sender<()>,
}

impl ListeningSocket {
    /// Creates a socket that is bound to this address. The receiver resolves when the socket is
    /// closed and no connection is left.
    pub(super) fn new(bound: SocketAddr) -> (Arc<Self>, oneshot::Receiver<()>) {
        // A socket on all interfaces has no single address; each connection has its own.
        let local = Some(bound).filter(|bound| !bound.ip().is_unspecified());
        let (finished, receiver) = oneshot::channel();
        (Arc::new(Self { local, finished }), receiver)
    }

    pub(super) fn local(&self) -> Option<SocketAddr> {
        self.local
    }
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
