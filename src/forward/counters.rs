//! Connection counters, sharded by worker: each worker writes counters of its own, without cache
//! line contention. Reading sums the shards.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use super::flow::Side;
use super::outcome::Outcome;
use crate::plan::ListenerId;

/// The counters of all listeners. Clones refer to the same counters.
#[derive(Debug, Clone)]
pub struct Counters {
    /// The data path never takes this lock: connections hold the `Arc` of their shards. It
    /// serializes readers with listeners that are added or removed.
    listeners: Arc<RwLock<Listeners>>,
    workers: usize,
}

#[derive(Debug, Default)]
struct Listeners {
    /// The listeners in the plan.
    planned: BTreeMap<ListenerId, Arc<Shards>>,
    /// The counters of removed listeners. Their connections keep them alive.
    removed: Vec<Weak<Shards>>,
    /// Length of `removed` at which counters without a connection are removed from it.
    prune_at: usize,
}

/// Minimum length of the list of removed listeners before those without connections are removed
/// from it.
const MIN_PRUNE_AT: usize = 16;

/// The counters of a listener, counted since it was added to the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerCounters {
    /// Number of accepted connections.
    pub accepted: u64,
    /// Number of bytes relayed from clients to backends.
    pub bytes_up: u64,
    /// Number of bytes relayed from backends to clients.
    pub bytes_down: u64,
    /// Number of failed attempts to accept a connection, for example because no file descriptor was
    /// free outside the reserve. Errors of a single connection, such as `ECONNABORTED`, are not
    /// counted.
    pub accept_errors: u64,
    /// Number of attempts to connect to an endpoint, of connections that have ended. The causes of
    /// failed dials are [outcomes](Self::ended).
    pub dial_attempts: u64,
    /// Duration of these attempts.
    pub dial_time: Duration,
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

    /// Returns the number of open connections.
    pub fn active(&self) -> u64 {
        self.accepted.saturating_sub(self.ended.iter().sum())
    }

    fn sum<'a>(shards: impl IntoIterator<Item = &'a Shard>) -> Self {
        let mut sum = Self::default();
        for shard in shards {
            // `ended` is read before `accepted`, so that their difference is never negative.
            for (sum, ended) in sum.ended.iter_mut().zip(&shard.ended) {
                *sum += ended.load(Ordering::Acquire);
            }
            sum.accepted += shard.accepted.load(Ordering::Acquire);
            sum.bytes_up += shard.bytes_up.load(Ordering::Relaxed);
            sum.bytes_down += shard.bytes_down.load(Ordering::Relaxed);
            sum.dial_attempts += shard.dial_attempts.load(Ordering::Relaxed);
            sum.dial_time += Duration::from_micros(shard.dial_us.load(Ordering::Relaxed));
            sum.accept_errors += shard.accept_errors.load(Ordering::Relaxed);
        }
        sum
    }
}

impl Counters {
    pub(super) fn new(workers: usize) -> Self {
        Self { listeners: Arc::default(), workers }
    }

    /// Returns the counters of a listener; `None` if the plan does not contain it.
    pub fn listener(&self, id: &ListenerId) -> Option<ListenerCounters> {
        Some(ListenerCounters::sum(&self.shards(id)?.0))
    }

    /// Returns the counters of all listeners in the plan.
    pub fn listeners(&self) -> BTreeMap<ListenerId, ListenerCounters> {
        let sum = |shards: &Shards| ListenerCounters::sum(&shards.0);
        self.read().planned.iter().map(|(id, shards)| (id.clone(), sum(shards))).collect()
    }

    /// Returns the counters of a listener for each worker, which show how evenly its connections
    /// are distributed; `None` if the plan does not contain the listener.
    pub fn by_worker(&self, id: &ListenerId) -> Option<Vec<ListenerCounters>> {
        let shards = self.shards(id)?;
        Some(shards.0.iter().map(|shard| ListenerCounters::sum([shard])).collect())
    }

    /// Returns the number of open connections, including those of listeners that the plan no longer
    /// contains.
    pub fn active(&self) -> u64 {
        let listeners = self.read();
        let removed: Vec<_> = listeners.removed.iter().filter_map(Weak::upgrade).collect();
        let shards = listeners.planned.values().chain(&removed);
        shards.map(|shards| ListenerCounters::sum(&shards.0).active()).sum()
    }

    /// Adds a listener. Existing counters are kept.
    pub(super) fn add(&self, id: &ListenerId) {
        let shards = || Arc::new(Shards((0..self.workers).map(|_| Shard::default()).collect()));
        self.write().planned.entry(id.clone()).or_insert_with(shards);
    }

    pub(super) fn remove(&self, id: &ListenerId) {
        self.write().remove(id);
    }

    pub(super) fn shards(&self, id: &ListenerId) -> Option<Arc<Shards>> {
        self.read().planned.get(id).cloned()
    }

    fn read(&self) -> RwLockReadGuard<'_, Listeners> {
        self.listeners.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Listeners> {
        self.listeners.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listeners {
    /// Removes a listener from the plan. Its counters are kept while a connection holds them.
    fn remove(&mut self, id: &ListenerId) {
        let Some(shards) = self.planned.remove(id) else { return };
        self.removed.push(Arc::downgrade(&shards));
        drop(shards);
        // The threshold doubles, so that removing many listeners takes linear time.
        if self.removed.len() >= self.prune_at.max(MIN_PRUNE_AT) {
            self.removed.retain(|shards| shards.strong_count() > 0);
            self.prune_at = 2 * self.removed.len();
        }
    }
}

/// The counters of a listener, one shard for each worker.
#[derive(Debug)]
pub(super) struct Shards(Box<[Shard]>);

impl Shards {
    pub(super) fn of(&self, worker: usize) -> &Shard {
        &self.0[worker]
    }
}

/// The counters of a listener on one worker. The alignment prevents false sharing; it covers two
/// cache lines, since CPUs prefetch pairs of them.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Shard {
    accepted: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    accept_errors: AtomicU64,
    dial_attempts: AtomicU64,
    dial_us: AtomicU64,
    ended: [AtomicU64; Outcome::COUNT],
}

impl Shard {
    pub(super) fn record_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Release);
    }

    pub(super) fn record_accept_error(&self) {
        self.accept_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts bytes that were written to a side.
    pub(super) fn record_bytes(&self, to: Side, count: usize) {
        let counter = match to {
            Side::Upstream => &self.bytes_up,
            Side::Downstream => &self.bytes_down,
        };
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn record_dial(&self, attempts: u32, dial_us: u32) {
        self.dial_attempts.fetch_add(attempts.into(), Ordering::Relaxed);
        self.dial_us.fetch_add(dial_us.into(), Ordering::Relaxed);
    }

    pub(super) fn record_end(&self, outcome: Outcome) {
        self.ended[outcome.index()].fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::RejectReason;

    #[test]
    fn active_includes_removed_listeners() {
        let id: ListenerId = "default/edge/tcp".parse().unwrap();
        let counters = Counters::new(2);
        let open = || {
            counters.add(&id);
            let shards = counters.shards(&id).unwrap();
            shards.of(1).record_accepted();
            shards
        };
        let first = open();
        counters.remove(&id);
        assert_eq!((counters.listener(&id), counters.active()), (None, 1));
        // The counters of a listener that is added again start at 0.
        let second = open();
        assert_eq!((counters.listener(&id).unwrap().accepted, counters.active()), (1, 2));
        counters.remove(&id);
        second.of(0).record_end(Outcome::Completed);
        assert_eq!(counters.active(), 1);
        drop(first);
        assert_eq!(counters.active(), 0);
    }

    #[test]
    fn counters_without_connections_are_not_kept() {
        let counters = Counters::new(1);
        let remove = |number: usize| {
            let id: ListenerId = format!("default/edge/l{number}").parse().unwrap();
            counters.add(&id);
            let shards = counters.shards(&id);
            counters.remove(&id);
            shards
        };
        for number in 0..1_000 {
            drop(remove(number));
        }
        assert!(counters.read().removed.len() < MIN_PRUNE_AT);
        let kept: Vec<_> = (0..1_000).map(remove).collect();
        assert!(counters.read().removed.len() >= 1_000);
        drop(kept);
        (0..2_000).for_each(|number| drop(remove(number)));
        assert!(counters.read().removed.len() < 1_000);
    }

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
            shards.of(worker).record_accepted();
            shards.of(worker).record_end(outcome);
        }
        let counters = counters.listener(&id).unwrap();
        assert_eq!(counters.ended(Outcome::Rejected(RejectReason::NoRoute)), 1);
        assert_eq!(counters.ended(Outcome::Rejected(RejectReason::NoEndpoints)), 2);
        assert_eq!(counters.ended(Outcome::Rejected(RejectReason::NoWeight)), 0);
        assert_eq!((counters.rejected(), counters.accepted, counters.active()), (3, 4, 0));
    }
}
