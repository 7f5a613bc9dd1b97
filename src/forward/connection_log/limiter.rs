//! A limit of lines a second, over all workers.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counter of the lines in the current second. A new second begins with 0 lines.
#[derive(Debug)]
pub(super) struct LineLimiter {
    limit: NonZeroU32,
    /// The second in the upper 32 bits, and the number of its lines in the lower ones. Workers
    /// replace both with one compare-and-swap.
    state: AtomicU64,
}

impl LineLimiter {
    pub(super) fn new(limit: NonZeroU32) -> Self {
        Self { limit, state: AtomicU64::new(0) }
    }

    pub(super) fn limit(&self) -> NonZeroU32 {
        self.limit
    }

    /// Counts a line and returns `true` if the limit allows it in this second.
    ///
    /// Workers read the clock before they call, so a call with an earlier second can follow one
    /// with a later second. Its line belongs to the later second.
    pub(super) fn admits(&self, second: u32) -> bool {
        let count = |state: u64| {
            let (current, lines) = ((state >> 32) as u32, state as u32);
            let (second, lines) = if second > current { (second, 0) } else { (current, lines) };
            (lines < self.limit.get()).then(|| u64::from(second) << 32 | u64::from(lines + 1))
        };
        self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn limiter(limit: u32) -> LineLimiter {
        LineLimiter::new(NonZeroU32::new(limit).unwrap())
    }

    /// Returns the number of lines that are admitted of `count` lines in this second.
    fn admitted(limiter: &LineLimiter, second: u32, count: usize) -> usize {
        (0..count).filter(|_| limiter.admits(second)).count()
    }

    #[test]
    fn limit_applies_to_each_second() {
        let limiter = limiter(10);
        assert_eq!(admitted(&limiter, 0, 7), 7);
        assert_eq!(admitted(&limiter, 0, 7), 3);
        assert_eq!(admitted(&limiter, 1, 100), 10);
        assert_eq!(admitted(&limiter, 5, 9), 9);
        assert_eq!(admitted(&limiter, u32::MAX, 100), 10);
    }

    #[test]
    fn late_call_counts_in_current_second() {
        let limiter = limiter(3);
        assert_eq!(admitted(&limiter, 8, 2), 2);
        assert_eq!(admitted(&limiter, 7, 5), 1);
        assert_eq!(admitted(&limiter, 8, 5), 0);
        assert_eq!(admitted(&limiter, 9, 5), 3);
    }

    #[test]
    fn largest_limit_does_not_overflow_into_second() {
        let limiter = limiter(u32::MAX);
        limiter.state.store((7 << 32) | u64::from(u32::MAX - 1), Ordering::Relaxed);
        assert_eq!(admitted(&limiter, 7, 3), 1);
        assert_eq!(admitted(&limiter, 8, 3), 3);
    }

    #[test]
    fn limit_is_exact_over_threads() {
        let limiter = limiter(1_000);
        for second in 0..20 {
            let count = || admitted(&limiter, second, 700);
            let total: usize = thread::scope(|scope| {
                let threads = [(); 4].map(|()| scope.spawn(count));
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(total, 1_000);
        }
    }
}
