//! The election loop of a replica.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::election::Election;
use super::handle::RELEASE_TIMEOUT;
use super::lease_lock::{Attempt, CONFLICT_RETRY_DELAY, LeaseLock};
use super::state::ElectionState;
use crate::sources::kube::error_text::format_error;

/// Takes part in an election until the Lease is released.
///
/// The writer checks [`Election::leadership`] and the clock before every write.
pub(in crate::sources::kube) async fn run_election(
    client: Client,
    election: Election,
    identity: String,
) {
    let Some(_running) = Running::start(&election.state) else { return };
    let mut state = election.state.subscribe();
    let lock = LeaseLock::new(client, &election.lease, identity, election.lease_duration);
    let mut elector = Elector { election, lock, last_error: None };
    tokio::select! {
        biased;
        // The sender lives as long as the election.
        _ = state.wait_for(|state| *state == ElectionState::Releasing) => {}
        never = elector.run() => match never {},
    }
    elector.release().await;
}

/// Sets the state to stopped when the election ends in any way, such as by a panic.
struct Running(Arc<watch::Sender<ElectionState>>);

impl Running {
    /// Starts the election, unless the Lease was released already.
    fn start(state: &Arc<watch::Sender<ElectionState>>) -> Option<Self> {
        let is_started = state.send_if_modified(|state| {
            let is_first = *state == ElectionState::NotStarted;
            if is_first {
                *state = ElectionState::Running;
            }
            is_first
        });
        is_started.then(|| Self(state.clone()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_replace(ElectionState::Stopped);
    }
}

struct Elector {
    election: Election,
    lock: LeaseLock,
    /// The kind of the error that was last logged; `None` if the last attempt succeeded.
    last_error: Option<ErrorKind>,
}

/// The kinds of error that are logged separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorKind {
    /// The API server responded with this code.
    Status(u16),
    NoResponse,
}

impl Drop for Elector {
    /// A source that is dropped while it is the leader writes no longer.
    fn drop(&mut self) {
        self.election.leadership.send_replace(None);
    }
}

impl Elector {
    async fn run(&mut self) -> Infallible {
        loop {
            let started = Instant::now();
            let request_timeout = self.request_timeout();
            let attempt = timeout(request_timeout, self.lock.try_acquire_or_renew()).await;
            self.log_transition(&attempt);
            match attempt {
                Ok(Ok(Attempt::Acquired)) => {
                    self.set_leader(started + self.renew_deadline());
                    sleep(self.election.retry_period.min(self.time_left())).await;
                }
                Ok(Ok(Attempt::HeldByOther)) => {
                    self.clear_leader();
                    self.lock.wait_for_change(self.election.retry_period).await;
                }
                Ok(Ok(Attempt::Conflict)) => sleep(CONFLICT_RETRY_DELAY).await,
                Ok(Err(_)) | Err(_) => {
                    self.lock.invalidate();
                    sleep(self.election.retry_period.min(self.time_left())).await;
                }
            }
            if self.time_left().is_zero() {
                self.clear_leader();
            }
        }
    }

    fn renew_deadline(&self) -> Duration {
        self.election.renew_deadline.min(self.election.lease_duration)
    }

    /// Returns the time to wait for a response. It allows two requests before the renew deadline,
    /// because one can be lost.
    fn request_timeout(&self) -> Duration {
        (self.renew_deadline() / 2).min(self.time_left())
    }

    /// Returns the time for which this replica remains the leader without a renewal, or
    /// `Duration::MAX` if it is a follower.
    fn time_left(&self) -> Duration {
        let until = *self.election.leadership.borrow();
        until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()))
    }

    fn set_leader(&self, until: Instant) {
        if self.election.leadership.send_replace(Some(until)).is_none() {
            tracing::info!(
                lease = %self.election.lease,
                "this replica is now the leader and writes to the cluster"
            );
        }
    }

    fn clear_leader(&self) {
        if self.election.leadership.send_replace(None).is_some() {
            tracing::warn!(
                lease = %self.election.lease,
                "this replica is no longer the leader and has stopped writing: it lost the Lease"
            );
        }
    }

    /// Stops writing and releases the Lease, if this replica holds it.
    async fn release(&mut self) {
        self.election.leadership.send_replace(None);
        if !self.lock.may_be_held() {
            return;
        }
        let lease = self.election.lease.to_string();
        match timeout(RELEASE_TIMEOUT, self.lock.release()).await {
            Ok(Ok(Attempt::Acquired)) => tracing::info!(
                lease,
                "this replica is no longer the leader and has stopped writing: it released the Lease"
            ),
            Ok(Ok(Attempt::HeldByOther | Attempt::Conflict)) => {}
            Ok(Err(error)) => tracing::warn!(
                lease,
                error = format_error(&error),
                "cannot release the Lease; another replica can acquire it when it has expired"
            ),
            Err(_) => tracing::warn!(
                lease,
                error = "the API server did not respond",
                "cannot release the Lease; another replica can acquire it when it has expired"
            ),
        }
    }

    /// Logs an error of another kind than the one before, and the end of errors.
    fn log_transition(&mut self, attempt: &Result<kube::Result<Attempt>, impl Error>) {
        let lease = &self.election.lease;
        let (kind, error) = match attempt {
            Ok(Ok(_)) => {
                if self.last_error.take().is_some() {
                    tracing::info!(%lease, "the Lease can be read and written again");
                }
                return;
            }
            Ok(Err(error @ kube::Error::Api(status))) => {
                (ErrorKind::Status(status.code), format_error(error))
            }
            Ok(Err(error)) => (ErrorKind::NoResponse, format_error(error)),
            Err(_) => (ErrorKind::NoResponse, "the API server did not respond".to_owned()),
        };
        if self.last_error.replace(kind) == Some(kind) {
            return;
        }
        match kind {
            ErrorKind::Status(403) => tracing::warn!(
                %lease, error,
                "permission denied for the Lease: this replica cannot become the leader, so it does not write; allow its ServiceAccount to get, create and update the Lease, or use another Lease"
            ),
            ErrorKind::Status(_) | ErrorKind::NoResponse => {
                tracing::warn!(%lease, error, "cannot read or write the Lease; trying again");
            }
        }
    }
}
