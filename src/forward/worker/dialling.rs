//! The dial of a connection: the choice of endpoints, their sockets, and the marks of endpoints
//! that fail.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::Token;
use mio::net::TcpStream;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};

use super::context::Context;
use super::record::Record;
use crate::forward::descriptors::Reservation;
use crate::forward::dial_failure::DialFailure;
use crate::forward::endpoints::{Attempt, Choice};
use crate::forward::outcome::Outcome;
use crate::plan::RejectReason;

/// Time after which an attempt counts as failed if the client leaves. The kernel repeats an
/// unanswered SYN after 1 s.
const NO_ANSWER_TIME: Duration = Duration::from_secs(1);

/// Panic message for a dial before the pick.
const NO_BACKEND: &str = "BUG: a dial without a backend";

/// A dial that is in progress.
pub(super) struct Dialling {
    choice: Choice,
    started: Instant,
    /// The attempt whose result is not known yet.
    attempt: Option<Attempt>,
    /// Start of its handshake; `None` until the socket is open.
    attempt_started: Option<Instant>,
    last_failure: Option<DialFailure>,
    /// The backend counts this dial.
    is_counted: bool,
    /// `None` once the connection has opened a socket.
    reservation: Option<Reservation>,
}

impl Dialling {
    pub(super) fn new(reservation: Option<Reservation>, cx: &Context<'_>) -> Self {
        let now = Instant::now();
        Self {
            choice: Choice::new(cx.engine.dial_limits, now),
            started: now,
            attempt: None,
            attempt_started: None,
            last_failure: None,
            is_counted: false,
            reservation,
        }
    }

    pub(super) fn endpoint(&self) -> Option<SocketAddr> {
        self.attempt.map(|attempt| attempt.endpoint)
    }

    /// Begins to dial the backend that was picked.
    ///
    /// # Errors
    /// The outcome of the connection if too many dials to the backend are in progress.
    pub(super) fn begin(&mut self, record: &Record, cx: &Context<'_>) -> Result<(), Outcome> {
        let backend = record.backend().expect(NO_BACKEND);
        let limit = cx.engine.dials_per_backend;
        self.is_counted = backend.start_dial(limit);
        if self.is_counted {
            return Ok(());
        }
        backend.marks().warn_dial_limit(limit, backend.plan(), cx.now);
        Err(Outcome::DialLimit)
    }

    /// Chooses the endpoint of the next attempt.
    ///
    /// # Errors
    /// The outcome of the connection if no endpoint or no time is left, or if the endpoint is a
    /// socket of this process or cannot be checked.
    pub(super) fn choose(&mut self, record: &Record, cx: &Context<'_>) -> Result<(), Outcome> {
        let none_left = Outcome::DialFailed(self.last_failure.unwrap_or(DialFailure::Other));
        let backend = record.backend().expect(NO_BACKEND);
        let attempt = backend.marks().next(&mut self.choice, backend.turns(), Instant::now());
        let attempt = attempt.ok_or(none_left)?;
        self.attempt = Some(attempt);
        self.attempt_started = None;
        match cx.engine.own_sockets.contains(attempt.endpoint, cx.now) {
            Ok(false) => Ok(()),
            Ok(true) => Err(Outcome::Rejected(RejectReason::Loop)),
            // An endpoint that cannot be checked is not dialled. The cause is this host.
            Err(error) => {
                let failure = DialFailure::of(&error);
                backend.marks().record_local_failure(attempt, failure, &error);
                Err(Outcome::DialFailed(failure))
            }
        }
    }

    /// Begins the handshake with the chosen endpoint. Returns the socket and the longest time of
    /// the handshake.
    ///
    /// # Errors
    /// The error of a socket call.
    pub(super) fn connect(
        &mut self,
        token: Token,
        cx: &Context<'_>,
    ) -> io::Result<(TcpStream, Duration)> {
        let Attempt { endpoint, timeout, .. } = self.attempt.expect("BUG: no endpoint is chosen");
        // The socket gets the descriptor that was reserved.
        cx.engine.descriptors.release(self.reservation.take());
        let socket = open_socket(endpoint)?;
        cx.engine.descriptors.check_dial(&socket)?;
        socket.set_tcp_nodelay(true)?;
        // Keepalive detects backends that are lost without FIN or RST.
        socket.set_keepalive(true)?;
        // Measured from here: the time to open the socket does not depend on the endpoint.
        self.attempt_started = Some(Instant::now());
        match socket.connect(&endpoint.into()) {
            Err(error) if error.raw_os_error() != Some(IN_PROGRESS) => return Err(error),
            _ => {}
        }
        let mut stream = TcpStream::from_std(socket.into());
        // Registered after connect(): epoll reports an end for a socket that is not connected.
        cx.register(&mut stream, token).inspect_err(|_| self.attempt_started = None)?;
        Ok((stream, timeout))
    }

    /// Ends the dial: the endpoint accepted the connection.
    pub(super) fn succeeded(&self, record: &Record) {
        let backend = record.backend().expect(NO_BACKEND);
        backend.end_dial();
        if let Some(attempt) = self.attempt {
            backend.marks().record_success(attempt, backend.plan());
        }
    }

    /// Notes that the attempt failed.
    pub(super) fn failed(&mut self, failure: DialFailure, error: &io::Error, record: &Record) {
        self.last_failure = Some(failure);
        let (Some(attempt), Some(backend)) = (self.attempt.take(), record.backend()) else {
            return;
        };
        tracing::debug!(endpoint = %attempt.endpoint, %error, "cannot connect to the endpoint");
        match self.attempt_started {
            Some(started) => {
                backend.marks().record_failure(attempt, started, failure, error, backend.plan());
            }
            // The socket could not be opened, so the endpoint is not the cause.
            None => backend.marks().record_local_failure(attempt, failure, error),
        }
    }

    /// Ends the dial with the connection.
    pub(super) fn abandoned(mut self, record: &Record, cx: &Context<'_>) {
        cx.engine.descriptors.release(self.reservation.take());
        let Some(backend) = record.backend().filter(|_| self.is_counted) else { return };
        backend.end_dial();
        let Some(attempt) = self.attempt else { return };
        let elapsed = self.attempt_elapsed();
        if elapsed >= NO_ANSWER_TIME {
            // If all clients leave before the dial timeout, nothing else marks the endpoint.
            self.failed(DialFailure::TimedOut, &no_answer_within(elapsed), record);
        } else {
            backend.marks().abandon(attempt);
        }
    }

    /// Returns the error of an attempt that got no answer.
    pub(super) fn no_answer(&self) -> io::Error {
        no_answer_within(self.attempt.map_or(Duration::ZERO, |attempt| attempt.timeout))
    }

    /// Returns the duration of the dial in microseconds, at most 71 minutes.
    pub(super) fn elapsed_us(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_micros()).unwrap_or(u32::MAX)
    }

    fn attempt_elapsed(&self) -> Duration {
        self.attempt_started.map_or(Duration::ZERO, |started| started.elapsed())
    }
}

fn no_answer_within(time: Duration) -> io::Error {
    let message = format!("no answer within {:.3} s", time.as_secs_f64());
    io::Error::new(ErrorKind::TimedOut, message)
}

/// Error of connect(2) for a handshake that has begun.
const IN_PROGRESS: i32 = Errno::INPROGRESS.raw_os_error();

/// Opens a socket that does not block.
fn open_socket(endpoint: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(endpoint);
    #[cfg(target_os = "linux")]
    return Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP));
    #[cfg(not(target_os = "linux"))]
    {
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    }
}

/// Returns `true` for the errors of a connection that was established before.
pub(super) fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}
