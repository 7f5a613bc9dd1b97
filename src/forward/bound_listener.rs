//! An open address: a socket on each worker, what to do with its connections, and its end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

use super::listener::{ListenerState, Phase, SharedListener};
use super::worker::{Assignment, Worker};

/// How long to wait for a socket to close that is in the way of a new one.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// An address that takes connections; or no more, while those it has go on.
#[derive(Debug)]
pub(super) struct BoundListener {
    pub(super) address: SocketAddr,
    listener: Arc<SharedListener>,
    phase: watch::Sender<Phase>,
    closed: Vec<oneshot::Receiver<()>>,
    finished: Vec<oneshot::Receiver<()>>,
}

impl BoundListener {
    /// Gives each worker its socket.
    pub(super) async fn start(
        address: SocketAddr,
        sockets: Vec<TcpListener>,
        workers: &[Worker],
        state: ListenerState,
    ) -> Self {
        let listener = Arc::new(SharedListener::new(state));
        let (phase, phases) = watch::channel(Phase::Open);
        let mut bound_listener =
            Self { address, listener, phase, closed: Vec::new(), finished: Vec::new() };
        for (worker, socket) in workers.iter().zip(sockets) {
            let (closed, is_closed) = oneshot::channel();
            let (finished, is_finished) = oneshot::channel();
            bound_listener.closed.push(is_closed);
            bound_listener.finished.push(is_finished);
            let (listener, stop) = (bound_listener.listener.clone(), phases.clone());
            worker.assign(Assignment { socket, listener, stop, closed, finished }).await;
        }
        bound_listener
    }

    /// What new connections find from now on.
    pub(super) fn update(&self, state: ListenerState) {
        let current = self.listener.state();
        let route = |state: &ListenerState| state.route.as_ref().map(Arc::as_ptr);
        // The counters are those of one listener.
        if !Arc::ptr_eq(&current.counters, &state.counters) || route(&current) != route(&state) {
            self.listener.replace(state);
        }
    }

    /// Takes no more connections. Those there are may go on until the deadline, if any.
    pub(super) fn close(&self, deadline: Option<Instant>) {
        self.phase.send_replace(Phase::Closed(deadline));
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match *self.phase.borrow() {
            Phase::Closed(deadline) => deadline,
            Phase::Open => None,
        }
    }

    /// Waits until the sockets of an address that was stopped are closed; whether there was
    /// anything to wait for.
    pub(super) async fn wait_closed(&mut self) -> bool {
        let mut waited = false;
        for closed in self.closed.drain(..) {
            let _ = timeout(CLOSE_TIMEOUT, closed).await;
            waited = true;
        }
        waited
    }

    /// Whether there may be connections left.
    pub(super) fn has_connections(&mut self) -> bool {
        let is_unfinished = |finished: &mut oneshot::Receiver<()>| {
            matches!(finished.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        };
        self.finished.retain_mut(is_unfinished);
        !self.finished.is_empty()
    }

    /// Waits until no connection is left. Whoever stops waiting may begin again.
    pub(super) async fn wait_finished(&mut self) {
        while let Some(finished) = self.finished.last_mut() {
            // Told by being dropped.
            let _ = finished.await;
            self.finished.pop();
        }
    }
}
