//! Counting, without workers getting into each other's way: each has counters of its own, which
//! are added up when somebody reads them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::outcome::Outcome;
use crate::plan::ListenerId;

/// The counters of all listeners, to be read at any time.
#[derive(Debug, Clone)]
pub struct Counters {
    /// Connections have their part at hand: this lock is for those who read, and for listeners that
    /// come and go.
    listeners: Arc<RwLock<BTreeMap<ListenerId, Arc<Shards>>>>,
    workers: usize,
}

/// The counters of one listener, since it was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerCounters {
    /// Connections accepted.
    pub accepted: u64,
    /// Bytes carried from clients to backends.
    pub bytes_up: u64,
    /// Bytes carried from backends to clients.
    pub bytes_down: u64,
    /// Times the system could not hand out a connection, such as for want of descriptors.
    pub accept_errors: u64,
    ended: [u64; Outcome::COUNT],
}

impl ListenerCounters {
    /// Returns the number of connections that ended with exactly this outcome.
    ///
    /// Rejections are counted by reason: `Rejected(NoRoute)` does not include connections that were
    /// rejected for another reason. [`rejected`](Self::rejected) returns the sum.
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.ended[outcome.index()]
    }

    /// Returns the number of rejected connections, over all reasons.
    pub fn rejected(&self) -> u64 {
        let rejections = |outcome: &&Outcome| matches!(outcome, Outcome::Rejected(_));
        Outcome::ALL.iter().filter(rejections).map(|outcome| self.ended(*outcome)).sum()
    }

    /// Connections that have not ended yet.
    pub fn active(&self) -> u64 {
        self.accepted.saturating_sub(self.ended.iter().sum())
    }

    fn sum<'a>(shards: impl IntoIterator<Item = &'a Shard>) -> Self {
        let mut sum = Self::default();
        for shard in shards {
            // What ended before what was accepted, so that `active` is never negative.
            for (sum, ended) in sum.ended.iter_mut().zip(&shard.ended) {
                *sum += ended.load(Ordering::Acquire);
            }
            sum.accepted += shard.accepted.load(Ordering::Acquire);
            sum.bytes_up += shard.bytes_up.load(Ordering::Relaxed);
            sum.bytes_down += shard.bytes_down.load(Ordering::Relaxed);
            sum.accept_errors += shard.accept_errors.load(Ordering::Relaxed);
        }
        sum
    }
}

impl Counters {
    pub(super) fn new(workers: usize) -> Self {
        Self { listeners: Arc::default(), workers }
    }

    /// The counters of a listener; `None` where it is not open.
    pub fn listener(&self, id: &ListenerId) -> Option<ListenerCounters> {
        Some(ListenerCounters::sum(&self.shards(id)?.0))
    }

    /// The counters of every open listener.
    pub fn listeners(&self) -> BTreeMap<ListenerId, ListenerCounters> {
        let sum = |shards: &Shards| ListenerCounters::sum(&shards.0);
        self.read().iter().map(|(id, shards)| (id.clone(), sum(shards))).collect()
    }

    /// The counters of a listener worker by worker, which tell how evenly they share its connections;
    /// `None` where it is not open.
    pub fn by_worker(&self, id: &ListenerId) -> Option<Vec<ListenerCounters>> {
        let shards = self.shards(id)?;
        Some(shards.0.iter().map(|shard| ListenerCounters::sum([shard])).collect())
    }

    /// Counts for a listener from now on, unless that is done already.
    pub(super) fn add(&self, id: &ListenerId) {
        let shards = || Arc::new(Shards((0..self.workers).map(|_| Shard::default()).collect()));
        self.write().entry(id.clone()).or_insert_with(shards);
    }

    pub(super) fn remove(&self, id: &ListenerId) {
        self.write().remove(id);
    }

    pub(super) fn shards(&self, id: &ListenerId) -> Option<Arc<Shards>> {
        self.read().get(id).cloned()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<ListenerId, Arc<Shards>>> {
        self.listeners.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<ListenerId, Arc<Shards>>> {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counters of one listener, one shard for each worker.
#[derive(Debug)]
pub(super) struct Shards(Box<[Shard]>);

impl Shards {
    pub(super) fn of(&self, worker: usize) -> &Shard {
        &self.0[worker]
    }
}

/// The counters of one listener on one worker; on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Shard {
    accepted: AtomicU64,
    pub(super) bytes_up: AtomicU64,
    pub(super) bytes_down: AtomicU64,
    accept_errors: AtomicU64,
    ended: [AtomicU64; Outcome::COUNT],
}

impl Shard {
    pub(super) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Release);
    }

    pub(super) fn accept_error(&self) {
        self.accept_errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self, outcome: Outcome) {
        self.ended[outcome.index()].fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::RejectReason;

    #[test]
    fn rejections_are_counted_by_reason() {
        let id: ListenerId = "default/edge/tcp".parse().unwrap();
        let counters = Counters::new(2);
        counters.add(&id);
        let shards = counters.shards(&id).unwrap();
        for (worker, outcome) in [
            (0, Outcome::Rejected(RejectReason::NoRoute)),
            (0, Outcome::Rejected(RejectReason::NoEndpoints)),
            (1, Outcome::Rejected(RejectReason::NoEndpoints)),
            (1, Outcome::Completed),
        ] {
            shards.of(worker).accepted();
            shards.of(worker).ended(outcome);
        }
        let counters = counters.listener(&id).unwrap();
        assert_eq!(counters.ended(Outcome::Rejected(RejectReason::NoRoute)), 1);
        assert_eq!(counters.ended(Outcome::Rejected(RejectReason::NoEndpoints)), 2);
        assert_eq!(counters.ended(Outcome::Rejected(RejectReason::NoWeight)), 0);
        assert_eq!((counters.rejected(), counters.accepted, counters.active()), (3, 4, 0));
    }
}
