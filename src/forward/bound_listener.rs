//! A bound address: its socket, the state for new connections, and the drain.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::desired::Claimed;
use super::listener::{ListenerState, ListeningSocket, SharedListener};
use super::worker::{Command, Mailbox, Workers};

/// Maximum time to wait for a worker to close its socket when another socket needs the port.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// An address with a socket, which belongs to one worker. After [`close`](Self::close), the socket
/// is gone, but connections may still be open.
#[derive(Debug)]
pub(super) struct BoundListener {
    pub(super) address: SocketAddr,
    /// Number of the socket on its worker.
    number: usize,
    /// The worker that accepts connections.
    owner: usize,
    /// `None` after the socket is closed.
    listener: Option<Arc<SharedListener>>,
    socket: Weak<ListeningSocket>,
    /// The deadline for open connections.
    deadline: Option<Instant>,
    /// Resolves when the worker has closed the socket.
    closed: Option<oneshot::Receiver<()>>,
    /// Resolves when no connection is left; `None` after that.
    finished: Option<oneshot::Receiver<()>>,
}

impl BoundListener {
    /// Gives the socket to a worker. `number` is unique, and selects the worker round robin.
    ///
    /// # Errors
    /// The error of registering the socket with the worker's event queue.
    pub(super) fn start(
        number: usize,
        address: SocketAddr,
        socket: TcpListener,
        workers: &Workers,
        claimed: Claimed,
    ) -> io::Result<Self> {
        let (listening, finished) = ListeningSocket::new(address);
        let weak = Arc::downgrade(&listening);
        let listener = Arc::new(SharedListener::new(new_state(claimed, listening)));
        let owner = number % workers.mailboxes().len();
        workers.mailboxes()[owner].listen(number, socket, listener.clone())?;
        Ok(Self {
            address,
            number,
            owner,
            listener: Some(listener),
            socket: weak,
            deadline: None,
            closed: None,
            finished: Some(finished),
        })
    }

    /// Sets the state for new connections.
    pub(super) fn update(&self, claimed: Claimed) {
        let (Some(listener), Some(socket)) = (&self.listener, self.socket.upgrade()) else {
            return;
        };
        let current = listener.state();
        let same_route =
            current.route.as_ref().map(Arc::as_ptr) == claimed.route.as_ref().map(Arc::as_ptr);
        // Names are not compared: the counters belong to one listener and so identify it.
        if !same_route || !Arc::ptr_eq(&current.counters, &claimed.counters) {
            listener.replace(new_state(claimed, socket));
        }
    }

    /// Closes the socket, or changes the deadline of a listener that is closed. Open connections
    /// are reset at the deadline, if there is one.
    pub(super) fn close(&mut self, workers: &Workers, deadline: Option<Instant>) {
        if self.listener.take().is_some() {
            let (closed, is_closed) = oneshot::channel();
            self.closed = Some(is_closed);
            workers.mailboxes()[self.owner].send(Command::Close { number: self.number, closed });
        }
        if self.deadline != deadline {
            self.deadline = deadline;
            let set = |mailbox: &Mailbox| {
                mailbox.send(Command::SetDeadline { socket: self.socket.clone(), deadline });
            };
            workers.mailboxes().iter().for_each(set);
        }
    }

    /// Returns the deadline for open connections; `None` if there is none, or if the listener is
    /// open.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Waits until the worker has closed the socket, at most [`CLOSE_TIMEOUT`]. Returns `false` if
    /// an earlier call has waited already. The listener must be closed.
    pub(super) async fn wait_closed(&mut self) -> bool {
        let Some(closed) = &mut self.closed else { return false };
        let _ = timeout(CLOSE_TIMEOUT, closed).await;
        // Set only now, so that a caller that was cancelled waits again.
        self.closed = None;
        true
    }

    /// Returns `true` if connections may still be open.
    pub(super) fn has_connections(&mut self) -> bool {
        let is_unfinished = |finished: &mut oneshot::Receiver<()>| {
            matches!(finished.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        };
        self.finished.as_mut().is_some_and(is_unfinished)
    }

    /// Waits until no connection is left. It is cancel safe.
    pub(super) async fn wait_finished(&mut self) {
        if let Some(finished) = &mut self.finished {
            // The sender is dropped instead of used, so this is an error.
            let _ = finished.await;
            self.finished = None;
        }
    }
}

fn new_state(claimed: Claimed, socket: Arc<ListeningSocket>) -> ListenerState {
    let Claimed { id, route, counters } = claimed;
    ListenerState::new(id, route, counters, socket)
}
