//! Permission to write: always, never, or while this replica is the leader.

use std::future::pending;

use tokio::sync::watch;
use tokio::time::Instant;

/// Permission of this replica to write.
#[derive(Debug, Clone)]
pub(in crate::sources::kube) enum WriteAccess {
    /// The source never writes.
    ReadOnly,
    /// There is no other replica.
    Sole,
    /// This replica writes while it is the leader: until the instant that the election sets.
    Leader(watch::Receiver<Option<Instant>>),
}

impl WriteAccess {
    /// Returns the instant by which all requests must have ended; `None` means no limit.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Leader(until) => Some(until.borrow().unwrap_or_else(Instant::now)),
            Self::ReadOnly | Self::Sole => None,
        }
    }

    /// Returns `true` if this replica may start a write now.
    pub(super) fn may_write(&self) -> bool {
        match self {
            Self::ReadOnly => false,
            Self::Sole => true,
            Self::Leader(until) => until.borrow().is_some_and(|until| until > Instant::now()),
        }
    }

    /// Waits for a change of leadership.
    ///
    /// # Cancel safety
    /// Cancel safe, if the caller checks [`may_write`](Self::may_write) before it waits again.
    pub(super) async fn changed(&mut self) {
        if let Self::Leader(until) = self
            && until.changed().await.is_ok()
        {
            return;
        }
        pending().await
    }
}
