//! The progress of a connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::settings::ListenSettings;

/// Progress of a connection, as its stream and its requests report it.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Time since which the client reads nothing of an answer.
    stalled: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The header of a request is expected since this time, or has begun to arrive.
    Header(Instant),
    /// A request is served.
    Request,
    /// An answer was sent at this time, and the next request has not begun.
    Idle(Instant),
}

/// Reason to close a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The header of a request did not arrive in time.
    Header,
    /// No further request arrived in time.
    Idle,
    /// The client did not read an answer in time.
    Stalled,
}

impl Progress {
    /// Returns the progress of a new connection, whose first request is expected at once.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { phase: Phase::Header(Instant::now()), stalled: None })))
    }

    /// Records that the TLS handshake is complete.
    pub(super) fn note_handshake(&self) {
        self.lock().phase = Phase::Header(Instant::now());
    }

    /// Records received bytes: between requests, they begin the next one.
    pub(super) fn note_received(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Idle(_)) {
            state.phase = Phase::Header(Instant::now());
        }
    }

    /// Records a write: `true` if the socket accepted bytes, `false` if its buffer is full.
    pub(super) fn note_written(&self, has_progress: bool) {
        let mut state = self.lock();
        if has_progress {
            state.stalled = None;
        } else {
            state.stalled.get_or_insert_with(Instant::now);
        }
    }

    /// Records that a request has arrived.
    pub(super) fn note_request(&self) {
        self.lock().phase = Phase::Request;
    }

    /// Records that the answer to a request is complete.
    pub(super) fn note_answer(&self) {
        self.lock().phase = Phase::Idle(Instant::now());
    }

    /// Returns `true` between an answer and the next request.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.lock().phase, Phase::Idle(_))
    }

    /// Returns the reason to close the connection, or the time of the next check. That is early
    /// enough for any phase that begins before it.
    pub(super) fn check(&self, settings: &ListenSettings) -> Result<Instant, CloseReason> {
        let now = Instant::now();
        let state = self.lock();
        let phase = match state.phase {
            Phase::Header(since) => Some((since, settings.header_timeout, CloseReason::Header)),
            Phase::Idle(since) => Some((since, settings.idle_timeout, CloseReason::Idle)),
            Phase::Request => None,
        };
        let stalled =
            state.stalled.map(|since| (since, settings.stall_timeout, CloseReason::Stalled));
        let timeouts = [settings.header_timeout, settings.idle_timeout, settings.stall_timeout];
        // At least 1 ms, since a timeout of zero would cause a busy loop.
        let shortest = timeouts.into_iter().min().unwrap_or_default();
        let mut next = now + shortest.max(Duration::from_millis(1));
        for (since, timeout, overdue) in [phase, stalled].into_iter().flatten() {
            let deadline = since + timeout;
            if deadline <= now {
                return Err(overdue);
            }
            next = next.min(deadline);
        }
        Ok(next)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn settings() -> ListenSettings {
        ListenSettings::new()
            .with_header_timeout(Duration::from_secs(10))
            .with_idle_timeout(Duration::from_secs(100))
            .with_stall_timeout(Duration::from_secs(50))
    }

    /// Checks the connection whenever it is due, and returns the seconds until it is closed, at
    /// most 1000.
    async fn run(progress: &Progress) -> (u64, Option<CloseReason>) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(1000) {
            match progress.check(&settings()) {
                Ok(next) => advance(next - Instant::now()).await,
                Err(overdue) => return (start.elapsed().as_secs(), Some(overdue)),
            }
        }
        (start.elapsed().as_secs(), None)
    }

    #[tokio::test(start_paused = true)]
    async fn header_has_a_timeout_also_after_an_idle_time() {
        let progress = Progress::new();
        progress.note_received();
        assert_eq!(run(&progress).await, (10, Some(CloseReason::Header)));
        progress.note_request();
        progress.note_answer();
        advance(Duration::from_secs(99)).await;
        progress.note_received();
        advance(Duration::from_secs(5)).await;
        progress.note_received();
        assert_eq!(run(&progress).await, (5, Some(CloseReason::Header)));
    }

    #[tokio::test(start_paused = true)]
    async fn request_has_no_timeout_and_idle_connection_has_one() {
        let progress = Progress::new();
        progress.note_request();
        progress.note_received();
        assert_eq!(run(&progress).await, (1000, None));
        progress.note_answer();
        assert_eq!(run(&progress).await, (100, Some(CloseReason::Idle)));
    }

    #[tokio::test(start_paused = true)]
    async fn answer_that_is_not_read_has_a_timeout() {
        let progress = Progress::new();
        progress.note_request();
        progress.note_written(false);
        advance(Duration::from_secs(40)).await;
        progress.note_written(false);
        assert!(progress.check(&settings()).is_ok());
        progress.note_written(true);
        advance(Duration::from_secs(40)).await;
        assert!(progress.check(&settings()).is_ok());
        progress.note_written(false);
        assert_eq!(run(&progress).await, (50, Some(CloseReason::Stalled)));
    }
}
