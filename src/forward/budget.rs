//! The budget of connections of this process: a connection is accepted only with a permit.
//!
//! A connection needs two descriptors. Without a budget, connections would be accepted and then
//! reset, because their dials find no descriptor. With it, clients wait in the backlog.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The budget of this process, which all forwarders share.
static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// The workers that wait for a permit.
static WAITING: Mutex<Vec<Retry>> = Mutex::new(Vec::new());

/// `true` if a worker waits for a permit. If none waits, returning a permit needs no lock.
static HAS_WAITING: AtomicBool = AtomicBool::new(false);

/// Wakes a worker that waits for a permit.
pub(super) type Retry = std::sync::Arc<dyn Fn() + Send + Sync>;

/// Limit of the connections of this process, from the settings of one forwarder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    limit: usize,
}

/// Permit for a connection. Dropping it returns it to the budget.
#[derive(Debug)]
pub(super) struct Permit(());

impl Budget {
    /// Computes the limit: each connection needs two of the `descriptors` that are not
    /// `used_otherwise`. `None` means that the number of descriptors is not limited.
    pub(super) fn new(descriptors: Option<u64>, used_otherwise: u64) -> Self {
        let limit = descriptors.map_or(usize::MAX, |count| {
            usize::try_from(count.saturating_sub(used_otherwise) / 2).unwrap_or(usize::MAX)
        });
        Self { limit: limit.max(1) }
    }

    pub(super) fn limit(self) -> usize {
        self.limit
    }

    /// Returns a permit; `None` if all are in use. `retry` is then called once when a permit
    /// is returned.
    pub(super) fn acquire(self, retry: &Retry) -> Option<Permit> {
        self.try_acquire().or_else(|| {
            let mut waiting = waiting();
            HAS_WAITING.store(true, Ordering::SeqCst);
            // Another thread may have returned a permit before it could see that this worker waits.
            let permit = self.try_acquire();
            if permit.is_none() {
                waiting.push(retry.clone());
            }
            permit
        })
    }

    fn try_acquire(self) -> Option<Permit> {
        let take = |in_use: usize| (in_use < self.limit).then_some(in_use + 1);
        IN_USE.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).ok().map(|_| Permit(()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        IN_USE.fetch_sub(1, Ordering::SeqCst);
        if HAS_WAITING.load(Ordering::SeqCst) {
            let retries = {
                let mut waiting = waiting();
                HAS_WAITING.store(false, Ordering::SeqCst);
                std::mem::take(&mut *waiting)
            };
            retries.iter().for_each(|retry| retry());
        }
    }
}

fn waiting() -> MutexGuard<'static, Vec<Retry>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{self, Receiver};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// Timeout of a wait for a permit. Only failing tests reach it: other tests of this process
    /// hold permits for a short time only.
    const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

    /// Each of these tests needs all permits.
    static ALONE: Mutex<()> = Mutex::new(());

    /// A worker that waits for permits.
    struct Waiter {
        budget: Budget,
        retry: Retry,
        retries: Receiver<()>,
    }

    impl Waiter {
        fn new(limit: usize) -> Self {
            let (sender, retries) = mpsc::channel();
            let retry = Arc::new(move || sender.send(()).unwrap_or_default());
            Self { budget: Budget { limit }, retry, retries }
        }

        /// Waits for a permit, and tries again only when the budget calls `retry`. Returns `None`
        /// if the budget does not call it in time.
        fn wait(&self) -> Option<Permit> {
            loop {
                let permit = self.budget.acquire(&self.retry);
                if permit.is_some() {
                    return permit;
                }
                self.retries.recv_timeout(WAIT_TIMEOUT).ok()?;
            }
        }
    }

    #[test]
    fn permit_returned_during_an_acquire_wakes_the_waiter() {
        const ROUNDS: usize = 10_000;
        // A round takes longer while other tests use the processors.
        const MAX_TIME: Duration = Duration::from_millis(300);
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let start = Instant::now();
        // Two threads pass the only permit on: one returns it while the other asks for it.
        let round = AtomicUsize::new(0);
        let pass_on = |own: usize| {
            let waiter = Waiter::new(1);
            while let current @ ..ROUNDS = round.load(Ordering::Acquire) {
                if current % 2 != own {
                    thread::yield_now();
                    continue;
                }
                let permit = waiter.wait();
                let continues = permit.is_some() && start.elapsed() < MAX_TIME;
                let next = if continues { current + 1 } else { ROUNDS };
                round.store(next, Ordering::Release);
                assert!(permit.is_some(), "the budget did not call `retry`");
                // The delays differ, so permits return at each step of the other thread's acquire.
                (0..current % 64).for_each(|_| std::hint::spin_loop());
                drop(permit);
            }
        };
        thread::scope(|scope| {
            for own in [0, 1] {
                scope.spawn(move || pass_on(own));
            }
        });
    }

    #[test]
    fn permits_stay_within_the_limit_and_all_return() {
        const LIMIT: usize = 2;
        const ROUNDS: usize = 50_000;
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = Budget { limit: LIMIT };
        let held = AtomicUsize::new(0);
        let use_permits = || {
            for _ in 0..ROUNDS {
                if let Some(permit) = budget.try_acquire() {
                    assert!(held.fetch_add(1, Ordering::SeqCst) < LIMIT);
                    held.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..=LIMIT {
                scope.spawn(use_permits);
            }
        });
        let waiter = Waiter::new(LIMIT);
        let all = [(); LIMIT].map(|()| waiter.wait());
        assert!(all.iter().all(Option::is_some), "a permit is lost");
    }
}
