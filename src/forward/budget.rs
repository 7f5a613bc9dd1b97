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

/// `true` if a worker waits for a permit. Without any, returning a permit needs no lock.
static HAS_WAITING: AtomicBool = AtomicBool::new(false);

/// Wakes a worker that waits for a permit.
pub(super) type Retry = std::sync::Arc<dyn Fn() + Send + Sync>;

/// Number of connections that this process may have, as one forwarder sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    limit: usize,
}

/// Permit for a connection. Dropping it returns it to the budget.
#[derive(Debug)]
pub(super) struct Permit(());

impl Budget {
    /// Computes the budget: two descriptors for each connection, outside the reserve and those that
    /// are used otherwise. `None` means that the number of descriptors is not limited.
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
            // A permit may have been returned before its owner could see that this worker waits.
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
