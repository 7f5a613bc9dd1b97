//! A listening socket on the worker that owns it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::accepted::Accepted;
use crate::forward::bind::BACKLOG;
use crate::forward::budget::Permit;
use crate::forward::descriptors::{DescriptorLimit, Reservation};
use crate::forward::engine::Engine;
use crate::forward::listener::SharedListener;

/// Backoff after a failed accept. It begins with the shortest pause and doubles up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause without a free descriptor. A busy listener takes each descriptor at once, so a
/// quiet one has to try often.
const LONGEST_EXHAUSTION_PAUSE: Duration = Duration::from_millis(100);

/// Time between two checks for connections that have not dialled yet.
const UNDIALLED_PAUSE: Duration = Duration::from_millis(1);

/// Minimum time between two warnings about a listener.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// A listening socket.
pub(super) struct Acceptor {
    socket: TcpListener,
    listener: Arc<SharedListener>,
    state: State,
    /// The next pause after an error.
    pause: Duration,
    /// A warning was logged about the current series of errors.
    is_warned: bool,
    /// No warning is logged before this time.
    quiet_until: Option<Instant>,
    /// Set once the socket is to be closed, after the connections in its backlog are accepted.
    closing: Option<Closing>,
}

/// End of a listening socket.
struct Closing {
    /// Receives a message when the socket is closed.
    closed: oneshot::Sender<()>,
    /// Maximum number of connections that are still accepted. The backlog limits it, so that
    /// clients that connect later do not keep the socket open.
    remaining: usize,
}

/// State of the backlog. Events are edge-triggered, so the state records that clients may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The backlog was empty.
    Empty,
    /// Clients may wait.
    Ready,
    /// An attempt failed. Clients may wait, and the next attempt is made at this time.
    PausedUntil(Instant),
    /// Other connections need the free descriptors for their dials. Clients may wait, and the next
    /// attempt is made at this time.
    WaitingForDials(Instant),
}

impl Acceptor {
    /// Creates an acceptor. Clients may have come before its first event.
    pub(super) fn new(socket: TcpListener, listener: Arc<SharedListener>) -> Self {
        Self {
            socket,
            listener,
            state: State::Ready,
            pause: SHORTEST_PAUSE,
            is_warned: false,
            quiet_until: None,
            closing: None,
        }
    }

    /// Forgets the state of the backlog, so that the next accept tries the socket.
    pub(super) fn forget(&mut self) {
        self.state = State::Ready;
    }

    /// Notes an event: clients wait. Returns `true` if that was not known.
    pub(super) fn note_clients(&mut self) -> bool {
        let is_new = self.state == State::Empty;
        if is_new {
            self.state = State::Ready;
        }
        is_new
    }

    /// Closes the socket as soon as the connections in its backlog are accepted. The kernel would
    /// reset connections that are still in the backlog.
    pub(super) fn close(&mut self, closed: oneshot::Sender<()>) {
        self.closing = Some(Closing { closed, remaining: BACKLOG as usize });
        self.state = State::Ready;
    }

    /// Returns `true` if the socket is to be closed.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// Returns `true` if the socket has to be closed now: its backlog is empty, or a connection
    /// cannot be accepted.
    pub(super) fn is_finished(&self) -> bool {
        let is_pending = matches!(self.state, State::Ready | State::WaitingForDials(_));
        self.closing.as_ref().is_some_and(|closing| closing.remaining == 0 || !is_pending)
    }

    /// Closes the socket.
    pub(super) fn finish(self) {
        drop((self.socket, self.listener));
        if let Some(closing) = self.closing {
            // An error means that the receiver was dropped, so no task waits.
            let _ = closing.closed.send(());
        }
    }

    /// Returns `true` if clients may wait.
    pub(super) fn has_clients(&self) -> bool {
        self.state != State::Empty
    }

    /// Returns the time of the next attempt: `now`, or the end of a pause.
    pub(super) fn next_attempt(&self, now: Instant) -> Option<Instant> {
        match self.state {
            State::Ready => Some(now),
            State::PausedUntil(until) | State::WaitingForDials(until) => Some(until),
            State::Empty => None,
        }
    }

    /// Accepts a connection if there are descriptors for both of its sockets. Returns the permit if
    /// no connection is accepted.
    pub(super) fn accept(
        &mut self,
        permit: Permit,
        worker: usize,
        engine: &Engine,
        now: Instant,
    ) -> Result<Accepted, Permit> {
        if engine.descriptors.has_undialled() {
            self.state = State::WaitingForDials(now + UNDIALLED_PAUSE);
            return Err(permit);
        }
        loop {
            match self.try_accept(engine) {
                Ok((stream, peer, held)) => {
                    let note = || engine.descriptors.note_unchecked(&stream, worker);
                    let reservation = held.or_else(note);
                    (self.state, self.pause, self.is_warned) =
                        (State::Ready, SHORTEST_PAUSE, false);
                    if let Some(closing) = &mut self.closing {
                        closing.remaining -= 1;
                    }
                    let listener = self.listener.state();
                    return Ok(Accepted { stream, peer, listener, reservation, permit });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.state = State::Empty;
                    return Err(permit);
                }
                Err(error) if is_per_connection_error(&error) => {}
                Err(error) => {
                    self.note_error(worker, engine, &error, now);
                    return Err(permit);
                }
            }
        }
    }

    fn try_accept(
        &self,
        engine: &Engine,
    ) -> io::Result<(TcpStream, SocketAddr, Option<Reservation>)> {
        let held = engine.descriptors.admit(&self.socket)?;
        let (stream, peer) = self.socket.accept()?;
        Ok((stream, peer, held))
    }

    fn note_error(&mut self, worker: usize, engine: &Engine, error: &io::Error, now: Instant) {
        self.listener.counters().of(worker).record_accept_error();
        engine.descriptors.note_accept_error(error);
        let error_text = engine.descriptors.describe(error);
        if self.may_warn(now) {
            tracing::warn!(
                listener = %self.listener.state().id,
                error = %error_text,
                "cannot accept connections, clients wait in the backlog; retrying with backoff"
            );
        }
        let longest = if DescriptorLimit::is_exhaustion(error) {
            LONGEST_EXHAUSTION_PAUSE
        } else {
            LONGEST_PAUSE
        };
        self.state = State::PausedUntil(now + self.pause.min(longest));
        self.pause = (2 * self.pause).min(longest);
    }

    /// Returns `true` if a warning may be logged: one for each series of errors. If errors and
    /// successes alternate, the interval limits the warnings.
    fn may_warn(&mut self, now: Instant) -> bool {
        if self.is_warned || self.quiet_until.is_some_and(|until| now < until) {
            return false;
        }
        self.is_warned = true;
        self.quiet_until = Some(now + WARNING_INTERVAL);
        true
    }
}

/// Returns `true` if a connection was lost before it was accepted, so that the next accept may
/// succeed at once. `EPERM` is not such an error: no accept is permitted, and a retry without a
/// pause would loop forever.
fn is_per_connection_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
    )
}
