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
pub(super) struct Open {
    pub(super) bound: SocketAddr,
    listener: Arc<SharedListener>,
    stop: watch::Sender<Phase>,
    closed: Vec<oneshot::Receiver<()>>,
    finished: Vec<oneshot::Receiver<()>>,
}

impl Open {
    /// Gives each worker its socket.
    pub(super) async fn new(
        bound: SocketAddr,
        sockets: Vec<TcpListener>,
        workers: &[Worker],
        state: ListenerState,
    ) -> Self {
        let listener = Arc::new(SharedListener::new(state));
        let (stop, stopped) = watch::channel(Phase::Open);
        let mut open = Self { bound, listener, stop, closed: Vec::new(), finished: Vec::new() };
        for (worker, socket) in workers.iter().zip(sockets) {
            let (closed, is_closed) = oneshot::channel();
            let (finished, is_finished) = oneshot::channel();
            open.closed.push(is_closed);
            open.finished.push(is_finished);
            let (listener, stop) = (open.listener.clone(), stopped.clone());
            worker.assign(Assignment { socket, listener, stop, closed, finished }).await;
        }
        open
    }

    /// What new connections find from now on.
    pub(super) fn replace(&self, state: ListenerState) {
        let now = self.listener.state();
        let route = |state: &ListenerState| state.route.as_ref().map(Arc::as_ptr);
        // The counters are those of one listener.
        if !Arc::ptr_eq(&now.counters, &state.counters) || route(&now) != route(&state) {
            self.listener.replace(state);
        }
    }

    /// Takes no more connections. Those there are may go on until the deadline, if any.
    pub(super) fn stop(&self, deadline: Option<Instant>) {
        self.stop.send_replace(Phase::Closed(deadline));
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match *self.stop.borrow() {
            Phase::Closed(deadline) => deadline,
            Phase::Open => None,
        }
    }

    /// Waits until the sockets of an address that was stopped are closed; whether there was
    /// anything to wait for.
    pub(super) async fn closed(&mut self) -> bool {
        let mut waited = false;
        for closed in self.closed.drain(..) {
            let _ = timeout(CLOSE_TIMEOUT, closed).await;
            waited = true;
        }
        waited
    }

    /// Whether there may be connections left.
    pub(super) fn is_live(&mut self) -> bool {
        let is_live = |finished: &mut oneshot::Receiver<()>| {
            matches!(finished.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        };
        self.finished.retain_mut(is_live);
        !self.finished.is_empty()
    }

    /// Waits until no connection is left. Whoever stops waiting may begin again.
    pub(super) async fn finished(&mut self) {
        while let Some(finished) = self.finished.last_mut() {
            // Told by being dropped.
            let _ = finished.await;
            self.finished.pop();
        }
    }
}
