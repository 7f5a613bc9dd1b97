//! What can be set about forwarding.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

/// What can be set about forwarding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Number of worker threads. Default: one for each CPU that is available to the process.
    pub workers: NonZeroUsize,
    /// How long to wait for one endpoint to answer. Default: 10 s. Too short, and a busy backend
    /// is given up; too long, and a client waits for a dead one.
    pub dial_timeout: Duration,
    /// How many endpoints of a backend to try before a connection is given up. Default: 3.
    pub dial_attempts: usize,
    /// How long the connections of a removed listener may go on. Default: 30 s.
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

    /// Sets how long to wait for one endpoint to answer.
    #[must_use]
    pub fn with_dial_timeout(mut self, timeout: Duration) -> Self {
        self.dial_timeout = timeout;
        self
    }

    /// Sets how many endpoints to try; at least 1.
    #[must_use]
    pub fn with_dial_attempts(mut self, attempts: usize) -> Self {
        self.dial_attempts = attempts.max(1);
        self
    }

    /// Sets how long the connections of a removed listener may go on.
    #[must_use]
    pub fn with_drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }
}
