//! A limit of log lines.

use std::time::{Duration, Instant};

/// Limit of log lines about one event: at most one in an interval.
#[derive(Debug)]
pub(crate) struct LogInterval {
    interval: Duration,
    last: Option<Instant>,
}

impl LogInterval {
    /// Creates a limit that allows the first line at once.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, last: None }
    }

    /// Returns `true` if the event is to be logged. Then the next interval begins.
    pub(crate) fn begin(&mut self, now: Instant) -> bool {
        let is_due =
            self.last.is_none_or(|last| now.saturating_duration_since(last) >= self.interval);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_allowed_once_in_an_interval() {
        let (second, start) = (Duration::from_secs(1), Instant::now());
        let mut limit = LogInterval::new(second * 10);
        assert!(limit.begin(start));
        assert!(!limit.begin(start) && !limit.begin(start + second * 9));
        assert!(limit.begin(start + second * 10));
        // A clock that steps back is tolerated.
        assert!(!limit.begin(start) && !limit.begin(start + second * 19));
        assert!(limit.begin(start + second * 20));
    }
}
