//! [`RetryDelay`]: exponential backoff with jitter.

use std::time::Duration;

/// Delay before the first retry after an error. It doubles with every error, up to
/// [`MAX_RETRY_DELAY`]: the source reconnects soon after a short outage, and does not overload an
/// API server that recovers slowly.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(250);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// The delay before the next attempt.
#[derive(Debug)]
pub(in crate::sources::kube) struct RetryDelay(Duration);

impl RetryDelay {
    /// Creates the delay of the first retry.
    pub(in crate::sources::kube) fn new() -> Self {
        Self(MIN_RETRY_DELAY)
    }

    /// Returns the delay before the next attempt, and increases the one after it.
    ///
    /// It varies by a quarter, so that replicas that lost their server at one moment do not
    /// reconnect at one moment.
    pub(in crate::sources::kube) fn next(&mut self) -> Duration {
        let delay = self.0;
        self.0 = (delay * 2).min(MAX_RETRY_DELAY);
        delay.mul_f64(0.75 + fastrand::f64() / 2.0)
    }

    /// Starts again with the first delay, after a success.
    pub(in crate::sources::kube) fn reset(&mut self) {
        self.0 = MIN_RETRY_DELAY;
    }
}
