//! The state of the checks: on or off.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Number of consecutive checks with low numbers after which accepts are no longer checked.
const LOW_CHECKS: u32 = 1024;

/// State of the checks. All workers share it.
#[derive(Debug, Default)]
pub(super) struct Checking {
    is_on: AtomicBool,
    /// Accepts have been checked at some time.
    was_on: AtomicBool,
    /// Number of consecutive checks with low numbers.
    low: AtomicU32,
}

impl Checking {
    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Returns `true` if accepts have been checked at some time. From then on, a low number does
    /// not prove that few descriptors are in use: it may be one of a few free ones.
    pub(super) fn was_on(&self) -> bool {
        self.was_on.load(Ordering::Relaxed)
    }

    pub(super) fn start(&self) {
        // A store for each accept would move the cache line between the processors.
        if !self.is_on() {
            self.low.store(0, Ordering::Relaxed);
            self.was_on.store(true, Ordering::Relaxed);
            self.is_on.store(true, Ordering::Relaxed);
        }
    }

    /// Notes the result of a check. Many low numbers in a row end the checks.
    pub(super) fn note(&self, is_low: bool) {
        if !is_low {
            self.low.store(0, Ordering::Relaxed);
        } else if self.low.fetch_add(1, Ordering::Relaxed) + 1 >= LOW_CHECKS {
            self.is_on.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_end_after_low_numbers_in_a_row() {
        let checking = Checking::default();
        assert!(!checking.is_on() && !checking.was_on());
        for _ in 0..2 {
            checking.start();
            (1..LOW_CHECKS).for_each(|_| checking.note(true));
            checking.note(false);
            (1..LOW_CHECKS).for_each(|_| checking.note(true));
            assert!(checking.is_on());
            checking.note(true);
            assert!(!checking.is_on() && checking.was_on());
        }
    }
}
