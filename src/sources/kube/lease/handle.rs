//! [`LeaseHandle`]: access to a running election.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::state::ElectionState;

/// Maximum time for which [`LeaseHandle::release`] waits.
pub(super) const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// Handle of a replica in an [`Election`](super::Election). A replica releases the Lease before it
/// stops.
#[derive(Debug, Clone)]
pub struct LeaseHandle {
    state: Arc<watch::Sender<ElectionState>>,
    leadership: watch::Receiver<Option<Instant>>,
}

impl LeaseHandle {
    pub(super) fn new(
        state: Arc<watch::Sender<ElectionState>>,
        leadership: watch::Receiver<Option<Instant>>,
    ) -> Self {
        Self { state, leadership }
    }

    /// Returns `true` if this replica is the leader: it holds the Lease, and writes.
    pub fn is_leader(&self) -> bool {
        self.leadership.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Stops writing, and releases the Lease, so that another replica can acquire it at once. This
    /// replica does not become the leader again.
    ///
    /// Returns when the Lease is released, or after 2 s. If it could not be released, another
    /// replica can acquire it when it has expired.
    ///
    /// # Cancel safety
    /// The Lease is released even if the future is dropped.
    pub async fn release(&self) {
        self.state.send_if_modified(|state| {
            *state = match state {
                ElectionState::NotStarted => ElectionState::Stopped,
                ElectionState::Running => ElectionState::Releasing,
                ElectionState::Releasing | ElectionState::Stopped => return false,
            };
            true
        });
        let mut state = self.state.subscribe();
        let is_stopped = state.wait_for(|state| *state == ElectionState::Stopped);
        let _ = timeout(RELEASE_TIMEOUT, is_stopped).await;
    }
}
