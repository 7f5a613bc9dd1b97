//! Connects to an endpoint of a backend: tries endpoints until one accepts the connection.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use super::deadline::within;
use super::descriptors::DescriptorLimit;
use super::dial_failure::DialFailure;
use super::dial_log::DialLog;
use super::endpoints::{Attempt, Choice, Limits, Marks, State};
use super::route::Endpoints;
use super::settings::Settings;
use crate::plan::BackendId;

/// Number of attempts to open a socket after the first one found no descriptor.
const DESCRIPTOR_RETRIES: usize = 40;

/// Time between two attempts to open a socket.
const DESCRIPTOR_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Dialer for all workers, with the marks of failed endpoints.
#[derive(Debug)]
pub(super) struct Dialer {
    limits: Limits,
    marks: Mutex<Marks>,
    log: DialLog,
}

/// A failed dial: the last endpoint that was tried, and the cause.
pub(super) struct FailedDial {
    pub(super) endpoint: SocketAddr,
    pub(super) failure: DialFailure,
}

impl Dialer {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            limits: Limits { attempt: settings.dial_timeout, budget: settings.dial_budget },
            marks: Mutex::default(),
            log: DialLog::default(),
        }
    }

    /// Connects to one of `endpoints`, and counts the attempts in `attempts`.
    ///
    /// # Errors
    /// The failure of the last attempt, if no endpoint or no time is left.
    pub(super) async fn dial(
        &self,
        endpoints: &Endpoints<'_>,
        attempts: &mut u32,
        descriptors: &DescriptorLimit,
    ) -> Result<(SocketAddr, TcpStream), FailedDial> {
        let mut choice =
            Choice::new(endpoints.addresses, endpoints.rotation, self.limits, Instant::now());
        let mut last = None;
        while let Some(attempt) = self.next(&mut choice) {
            *attempts += 1;
            let endpoint = attempt.endpoint;
            let error = match within(attempt.timeout, connect(endpoint, descriptors)).await {
                Some(Ok(stream)) => {
                    self.record_success(attempt, endpoints.backend);
                    return Ok((endpoint, stream));
                }
                Some(Err(error)) => error,
                None => no_answer_within(attempt.timeout),
            };
            let failure = DialFailure::of(&error);
            tracing::debug!(%endpoint, %error, "cannot connect to the endpoint");
            self.record_failure(attempt, failure, &error, endpoints);
            last = Some(FailedDial { endpoint, failure });
            // The next attempt would fail too. This does not apply to local ports: each endpoint
            // has its own.
            if matches!(failure, DialFailure::NoDescriptor | DialFailure::NoMemory) {
                break;
            }
        }
        Err(last.expect("BUG: backend without endpoints"))
    }

    fn next(&self, choice: &mut Choice<'_>) -> Option<Attempt> {
        choice.next(&mut self.lock_marks(), Instant::now())
    }

    fn record_success(&self, attempt: Attempt, backend: &BackendId) {
        if attempt.state == State::Unmarked {
            return;
        }
        let recovery = self.lock_marks().record_success(attempt.endpoint, Instant::now());
        if let Some(failing_for) = recovery {
            let failing_ms = u64::try_from(failing_for.as_millis()).unwrap_or(u64::MAX);
            tracing::info!(
                endpoint = %attempt.endpoint,
                %backend,
                failing_ms,
                "endpoint accepts connections again"
            );
        }
    }

    fn record_failure(
        &self,
        attempt: Attempt,
        failure: DialFailure,
        error: &io::Error,
        endpoints: &Endpoints<'_>,
    ) {
        let (endpoint, now) = (attempt.endpoint, Instant::now());
        if failure.is_local() {
            return self.log.warn_local(endpoint, failure, error, now);
        }
        let is_check = attempt.state == State::Due;
        let mut marks = self.lock_marks();
        let Some(mark) = marks.record_failure(endpoint, is_check, now) else { return };
        let has_others = endpoints.addresses.iter().any(|other| !marks.is_failing(*other));
        drop(marks);
        let consequence = if has_others {
            "connections prefer others until a retry succeeds"
        } else {
            "all endpoints of the backend fail, so its connections are reset unless one accepts"
        };
        tracing::warn!(
            %endpoint,
            backend = %endpoints.backend,
            reason = failure.as_str(),
            %error,
            retry_after_s = mark.as_secs_f64(),
            "endpoint failed; {consequence}"
        );
    }

    /// Locks the marks. Callers hold the lock for one pass over the endpoints of a backend at most.
    fn lock_marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the error of an attempt that reached its timeout.
fn no_answer_within(timeout: Duration) -> io::Error {
    let message = format!("no answer within {:.3} s", timeout.as_secs_f64());
    io::Error::new(ErrorKind::TimedOut, message)
}

async fn connect(endpoint: SocketAddr, descriptors: &DescriptorLimit) -> io::Result<TcpStream> {
    let socket = open_socket(endpoint, descriptors).await?;
    socket.set_nodelay(true)?;
    // Keepalive detects backends that are lost without FIN or RST.
    socket.set_keepalive(true)?;
    socket.connect(endpoint).await
}

/// Opens a socket. A thread that does not forward may have taken the descriptor that the connection
/// had reserved, so a lack of descriptors is an error only if it persists.
async fn open_socket(endpoint: SocketAddr, descriptors: &DescriptorLimit) -> io::Result<TcpSocket> {
    let open = || {
        let socket = if endpoint.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        descriptors.check_dial(&socket).map(|()| socket)
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
