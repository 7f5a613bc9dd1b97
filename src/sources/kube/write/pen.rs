//! Who may write.

use std::future::pending;

use tokio::sync::watch;
use tokio::time::Instant;

/// Who may write.
#[derive(Debug, Clone)]
pub(in super::super) enum Pen {
    /// Nobody: the source is only to read.
    Nobody,
    /// We are alone.
    Ours,
    /// One of several, until the moment that the election says.
    Elected(watch::Receiver<Option<Instant>>),
}

impl Pen {
    /// Until when requests may be under way; `None` is for ever.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Elected(until) => Some(until.borrow().unwrap_or_else(Instant::now)),
            Self::Nobody | Self::Ours => None,
        }
    }

    pub(super) fn may_write(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Ours => true,
            Self::Elected(until) => until.borrow().is_some_and(|until| until > Instant::now()),
        }
    }

    /// Waits for news of the election.
    ///
    /// # Cancel safety
    /// Cancel safe, for whoever asks [`may_write`](Self::may_write) before waiting again.
    pub(super) async fn changed(&mut self) {
        if let Self::Elected(until) = self
            && until.changed().await.is_ok()
        {
            return;
        }
        pending().await
    }
}
