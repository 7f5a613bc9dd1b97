//! Connects to an endpoint of a backend: tries endpoints until one accepts the connection.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use super::backend::Backend;
use super::deadline::within;
use super::descriptors::DescriptorLimit;
use super::dial_failure::DialFailure;
use super::endpoints::{Attempt, Choice, Limits};
use super::settings::Settings;

/// Number of attempts to open a socket after the first one found no descriptor.
const DESCRIPTOR_RETRIES: usize = 40;

/// Time between two attempts to open a socket.
const DESCRIPTOR_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Time after which an attempt counts as failed if the client leaves. The kernel repeats a SYN that
/// was not answered after 1 s.
const NO_ANSWER_TIME: Duration = Duration::from_secs(1);

/// Dialer for all workers.
#[derive(Debug)]
pub(super) struct Dialer {
    limits: Limits,
}

/// A failed dial: the last endpoint that was tried, and the cause.
pub(super) struct FailedDial {
    pub(super) endpoint: SocketAddr,
    pub(super) failure: DialFailure,
}

impl Dialer {
    pub(super) fn new(settings: &Settings) -> Self {
        let limits = Limits { attempt: settings.dial_timeout, budget: settings.dial_budget };
        Self { limits }
    }

    /// Connects to an endpoint of `backend`, and counts the attempts in `attempts`.
    ///
    /// # Errors
    /// The failure of the last attempt, if no endpoint or no time is left.
    pub(super) async fn dial(
        &self,
        backend: &Backend,
        attempts: &mut u32,
        descriptors: &DescriptorLimit,
    ) -> Result<(SocketAddr, TcpStream), FailedDial> {
        let endpoints = &backend.plan().endpoints;
        let mut choice = Choice::new(endpoints, backend.rotation(), self.limits, Instant::now());
        let mut last = None;
        while let Some(attempt) = backend.marks().next(&mut choice) {
            *attempts += 1;
            let endpoint = attempt.endpoint;
            let running = RunningAttempt::new(backend, attempt);
            let error = match connect(running, descriptors).await {
                Ok(stream) => return Ok((endpoint, stream)),
                Err(error) => error,
            };
            tracing::debug!(%endpoint, %error, "cannot connect to the endpoint");
            let failure = DialFailure::of(&error);
            last = Some(FailedDial { endpoint, failure });
            // The next attempt would fail too. This does not apply to local ports: each endpoint
            // has its own.
            if matches!(failure, DialFailure::NoDescriptor | DialFailure::NoMemory) {
                break;
            }
        }
        Err(last.expect("BUG: backend without endpoints"))
    }
}

/// An attempt whose result is not known yet. If it is dropped, the client has left.
struct RunningAttempt<'a> {
    backend: &'a Backend,
    attempt: Attempt,
    /// Begin of the handshake; `None` until the socket is open.
    started: Option<Instant>,
    is_finished: bool,
}

impl<'a> RunningAttempt<'a> {
    fn new(backend: &'a Backend, attempt: Attempt) -> Self {
        Self { backend, attempt, started: None, is_finished: false }
    }

    fn finish<T>(&mut self, result: &io::Result<T>) {
        self.is_finished = true;
        match result {
            Ok(_) => self.backend.marks().record_success(self.attempt, self.backend.plan()),
            Err(error) => self.record_failure(error),
        }
    }

    fn record_failure(&self, error: &io::Error) {
        let failure = DialFailure::of(error);
        let started = self.started.unwrap_or_else(Instant::now);
        let (marks, plan) = (self.backend.marks(), self.backend.plan());
        marks.record_failure(self.attempt, started, failure, error, plan);
    }
}

impl Drop for RunningAttempt<'_> {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        let elapsed = self.started.map_or(Duration::ZERO, |started| started.elapsed());
        if elapsed >= NO_ANSWER_TIME {
            // Otherwise an endpoint would never be marked if clients are less patient than the
            // dial timeout.
            self.record_failure(&no_answer_within(elapsed));
        } else {
            self.backend.marks().abandon(self.attempt);
        }
    }
}

/// Connects to the endpoint of an attempt, and records the result.
async fn connect(
    mut running: RunningAttempt<'_>,
    descriptors: &DescriptorLimit,
) -> io::Result<TcpStream> {
    let Attempt { endpoint, timeout, .. } = running.attempt;
    let result = match open_socket(endpoint, descriptors).await {
        Ok(socket) => {
            // The time to open the socket says nothing about the endpoint.
            running.started = Some(Instant::now());
            let connected = within(timeout, socket.connect(endpoint)).await;
            connected.unwrap_or_else(|| Err(no_answer_within(timeout)))
        }
        Err(error) => Err(error),
    };
    running.finish(&result);
    result
}

/// Returns the error of an attempt that got no answer.
fn no_answer_within(time: Duration) -> io::Error {
    let message = format!("no answer within {:.3} s", time.as_secs_f64());
    io::Error::new(ErrorKind::TimedOut, message)
}

/// Opens a socket. A thread that does not forward may have taken the descriptor that the connection
/// had reserved, so a lack of descriptors is an error only if it persists.
async fn open_socket(endpoint: SocketAddr, descriptors: &DescriptorLimit) -> io::Result<TcpSocket> {
    let open = || {
        let socket = if endpoint.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        descriptors.check_dial(&socket)?;
        socket.set_nodelay(true)?;
        // Keepalive detects backends that are lost without FIN or RST.
        socket.set_keepalive(true)?;
        Ok(socket)
    };
    for _ in 0..DESCRIPTOR_RETRIES {
        match open() {
            Err(error) if DialFailure::of(&error) == DialFailure::NoDescriptor => {
                sleep(DESCRIPTOR_RETRY_DELAY).await;
            }
            result => return result,
        }
    }
    open()
}
