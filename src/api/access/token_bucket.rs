//! A token bucket.

use std::time::{Duration, Instant};

/// Burst and rate of token buckets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// Maximum number of tokens in the bucket.
    pub(super) burst: f64,
    /// Tokens that are added in a second.
    pub(super) per_second: f64,
}

/// Token bucket, which is full at first.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokenBucket {
    /// Tokens that were missing at `updated`.
    missing: f64,
    updated: Instant,
}

impl TokenBucket {
    pub(super) fn new(now: Instant) -> Self {
        Self { missing: 0.0, updated: now }
    }

    /// Adds the tokens of the time since the last call.
    fn refill(&mut self, rate: Rate, now: Instant) {
        let elapsed = now.saturating_duration_since(self.updated).as_secs_f64();
        self.missing = (self.missing - elapsed * rate.per_second).max(0.0);
        self.updated = now;
    }

    /// Returns the time until there is a token, or `None` if there is one.
    pub(super) fn wait(&mut self, rate: Rate, now: Instant) -> Option<Duration> {
        self.refill(rate, now);
        let needed = self.missing + 1.0 - rate.burst;
        (needed > 0.0).then(|| Duration::from_secs_f64(needed / rate.per_second))
    }

    /// Takes a token.
    pub(super) fn take(&mut self) {
        self.missing += 1.0;
    }
}
