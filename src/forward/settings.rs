//! Settings of the forwarding engine.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

/// Settings of a [`Forwarder`](super::Forwarder).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Number of worker threads. Default: one for each CPU that is available to the process.
    pub workers: NonZeroUsize,
    /// Timeout for the TCP handshake with one endpoint. Default: 10 s. If it is too short, dials to
    /// a busy backend fail; if it is too long, clients wait for a dead one.
    pub dial_timeout: Duration,
    /// Maximum number of endpoints to dial for one connection. Default: 3. 0 means 1.
    pub dial_attempts: usize,
    /// Time that connections of a removed listener have to finish; those that are open at the end
    /// are reset. Default: 30 s.
    pub drain_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            dial_timeout: Duration::from_secs(10),
            dial_attempts: 3,
            drain_timeout: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// Sets the number of worker threads.
    #[must_use]
    pub fn with_workers(mut self, workers: NonZeroUsize) -> Self {
        self.workers = workers;
        self
    }

    /// Sets the timeout for the TCP handshake with one endpoint.
    #[must_use]
    pub fn with_dial_timeout(mut self, timeout: Duration) -> Self {
        self.dial_timeout = timeout;
        self
    }

    /// Sets the maximum number of endpoints to dial for one connection. 0 means 1.
    #[must_use]
    pub fn with_dial_attempts(mut self, attempts: usize) -> Self {
        self.dial_attempts = attempts.max(1);
        self
    }

    /// Sets the time that connections of a removed listener have to finish.
    #[must_use]
    pub fn with_drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }
}
