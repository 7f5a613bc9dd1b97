//! The duty cycle of the control loop: pauses between its passes.
//!
//! The sources run on the same thread. Without pauses, a source whose objects change all the time
//! would run for a few changes only between two passes, and would fall behind for as long as
//! changes arrive faster than that. After a pause that is as long as the pass, it has received the
//! changes of both.

use std::time::Duration;

use tokio::time::Instant;

/// Maximum pause. A change waits for at most one pass, one pause and its own pass.
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// The duty cycle of the control loop: a pass is followed by a pause of the same length, up to
/// [`MAX_PAUSE`].
#[derive(Debug)]
pub(super) struct DutyCycle {
    next_start: Instant,
}

impl DutyCycle {
    /// Creates a duty cycle whose first pass may start at `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self { next_start: now }
    }

    /// Records a pass.
    pub(super) fn record(&mut self, start: Instant, end: Instant) {
        self.next_start = end + (end - start).min(MAX_PAUSE);
    }

    /// Returns the time before which the next pass must not start.
    pub(super) fn next_start(&self) -> Instant {
        self.next_start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn first_pass_starts_at_once() {
        let now = Instant::now();
        assert_eq!(DutyCycle::new(now).next_start(), now);
    }

    #[test]
    fn pause_is_as_long_as_the_pass_up_to_the_maximum() {
        let start = Instant::now();
        let mut cycle = DutyCycle::new(start);
        for (pass, pause) in [(0, 0), (1, 1), (30, 30), (100, 100), (101, 100), (5_000, 100)] {
            let end = start + millis(pass);
            cycle.record(start, end);
            assert_eq!(cycle.next_start() - end, millis(pause), "after a pass of {pass} ms");
        }
    }

    /// Changes that arrive faster than passes end are still followed: the sources get as much time
    /// as the passes.
    #[test]
    fn passes_use_at_most_half_of_the_time() {
        let begin = Instant::now();
        let mut cycle = DutyCycle::new(begin);
        let (mut now, mut busy) = (begin, Duration::ZERO);
        for pass in [3, 30, 7, 90, 1, 15] {
            let start = now.max(cycle.next_start());
            now = start + millis(pass);
            busy += millis(pass);
            cycle.record(start, now);
        }
        let elapsed = cycle.next_start() - begin;
        assert_eq!(elapsed, busy * 2);
    }
}
