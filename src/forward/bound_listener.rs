//! A bound address: a socket on each worker, the state for new connections, and the drain.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

use super::listener::{ListenerState, Phase, SharedListener};
use super::worker::{Assignment, Worker};

/// Maximum time to wait for a worker to close its socket when another socket needs the port.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// An address with a socket on each worker. After [`close`](Self::close), it has no sockets, but
/// connections may still be open.
#[derive(Debug)]
pub(super) struct BoundListener {
    pub(super) address: SocketAddr,
    listener: Arc<SharedListener>,
    phase: watch::Sender<Phase>,
    /// Resolves when a worker has closed its socket; one for each worker.
    closed: Vec<oneshot::Receiver<()>>,
    /// Resolves when the last connection on a worker has ended; one for each worker.
    finished: Vec<oneshot::Receiver<()>>,
}

impl BoundListener {
    /// Assigns one of `sockets` to each worker.
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

    /// Sets the state for new connections.
    pub(super) fn update(&self, state: ListenerState) {
        let current = self.listener.state();
        let route = |state: &ListenerState| state.route.as_ref().map(Arc::as_ptr);
        // Names are not compared: the counters belong to one listener and so identify it.
        if !Arc::ptr_eq(&current.counters, &state.counters) || route(&current) != route(&state) {
            self.listener.replace(state);
        }
    }

    /// Closes the sockets, or changes the deadline of a listener that is closed. Open connections
    /// are reset at the deadline, if there is one.
    pub(super) fn close(&self, deadline: Option<Instant>) {
        self.phase.send_replace(Phase::Closed(deadline));
    }

    /// Returns the deadline for open connections; `None` if there is none, or if the listener is
    /// open.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match *self.phase.borrow() {
            Phase::Closed(deadline) => deadline,
            Phase::Open => None,
        }
    }

    /// Waits until all workers have closed their sockets, at most [`CLOSE_TIMEOUT`] for each.
    /// Returns `false` if an earlier call has waited already. The listener must be closed.
    pub(super) async fn wait_closed(&mut self) -> bool {
        let mut waited = false;
        for closed in self.closed.drain(..) {
            let _ = timeout(CLOSE_TIMEOUT, closed).await;
            waited = true;
        }
        waited
    }

    /// Returns `true` if connections may still be open.
    pub(super) fn has_connections(&mut self) -> bool {
        let is_unfinished = |finished: &mut oneshot::Receiver<()>| {
            matches!(finished.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        };
        self.finished.retain_mut(is_unfinished);
        !self.finished.is_empty()
    }

    /// Waits until no connection is left. It is cancel safe.
    pub(super) async fn wait_finished(&mut self) {
        while let Some(finished) = self.finished.last_mut() {
            // The worker drops the sender instead of sending, so this is an error.
            let _ = finished.await;
            self.finished.pop();
        }
    }
}
