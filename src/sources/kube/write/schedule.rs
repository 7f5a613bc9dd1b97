//! When an object's turn has come: not at once, not too often, and never all at the same moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::ObjectKey;

/// What belongs together, such as a route and its Service, arrives within so short a time.
const SETTLE: Duration = Duration::from_millis(50);

/// The least time between two writes of one object.
const SPACING: Duration = Duration::from_millis(500);

/// After a write that failed: the wait at first, and at most.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// Writes a second, in the long run, and at one moment. A client of Kubernetes is expected to keep
/// a measure; this one leaves an API server on two cores time for others.
const RATE: f64 = 200.0;
const BURST: f64 = 100.0;

/// The objects to look at, and when.
#[derive(Debug)]
pub(super) struct Schedule {
    due: BTreeMap<ObjectKey, Instant>,
    queue: BTreeSet<(Instant, ObjectKey)>,
    /// When an object may be written again, where that is still ahead.
    rested: BTreeMap<ObjectKey, Instant>,
    delays: BTreeMap<ObjectKey, Duration>,
    tokens: f64,
    counted: Instant,
}

impl Schedule {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            due: BTreeMap::new(),
            queue: BTreeSet::new(),
            rested: BTreeMap::new(),
            delays: BTreeMap::new(),
            tokens: BURST,
            counted: now,
        }
    }

    /// Has the object looked at soon.
    pub(super) fn touch(&mut self, key: ObjectKey, now: Instant) {
        let rested = self.rested.get(&key).copied().unwrap_or(now);
        self.put(key, rested.max(now + SETTLE));
    }

    fn put(&mut self, key: ObjectKey, at: Instant) {
        // Where it waits already, it keeps its turn: what changes all the time is written as well.
        if !self.due.contains_key(&key) {
            self.due.insert(key.clone(), at);
            self.queue.insert((at, key));
        }
    }

    /// When the next turn comes.
    pub(super) fn next(&self) -> Option<Instant> {
        let (at, _) = self.queue.first()?;
        // A little more than it takes, so that it is enough when it has been waited for.
        let missing = Duration::from_secs_f64((1.0 - self.tokens).max(0.0) / RATE * 1.001);
        Some((*at).max(self.counted + missing))
    }

    /// The object whose turn has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<ObjectKey> {
        self.tokens = BURST.min(self.tokens + RATE * (now - self.counted).as_secs_f64());
        self.counted = now;
        if self.tokens < 1.0 || self.queue.first()?.0 > now {
            return None;
        }
        let (_, key) = self.queue.pop_first()?;
        self.due.remove(&key);
        Some(key)
    }

    /// A write begins.
    pub(super) fn spend(&mut self) {
        self.tokens -= 1.0;
    }

    /// There is nothing to write.
    pub(super) fn settle(&mut self, key: &ObjectKey) {
        self.delays.remove(key);
    }

    /// A write was done.
    pub(super) fn written(&mut self, key: ObjectKey, now: Instant) {
        self.delays.remove(&key);
        self.rested.retain(|_, until| *until > now);
        self.rest(key, now + SPACING);
    }

    /// A write failed; it is tried again, ever more seldom.
    pub(super) fn failed(&mut self, key: ObjectKey, now: Instant) {
        let delay = self.delays.entry(key.clone()).or_insert(FIRST_DELAY);
        let at = now + *delay;
        *delay = (*delay * 2).min(LONGEST_DELAY);
        self.rest(key.clone(), at);
        self.put(key, at);
    }

    /// Has the object left alone for some time. It may have been touched while the write was under
    /// way: a watch can be faster than an answer.
    fn rest(&mut self, key: ObjectKey, until: Instant) {
        if let Some(at) = self.due.get_mut(&key).filter(|at| **at < until) {
            self.queue.remove(&(*at, key.clone()));
            self.queue.insert((until, key.clone()));
            *at = until;
        }
        self.rested.insert(key, until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectKind;

    fn key(name: &str) -> ObjectKey {
        let namespace = Some(crate::model::default_namespace());
        ObjectKey { kind: ObjectKind::TcpRoute, namespace, name: name.parse().unwrap() }
    }

    #[test]
    fn what_changes_all_the_time_has_its_turn_all_the_same() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        for step in 0..5 {
            schedule.touch(key("a"), start + SETTLE / 5 * step);
        }
        assert_eq!(schedule.next(), Some(start + SETTLE));
        assert_eq!(schedule.pop(start + SETTLE), Some(key("a")));
        assert_eq!(schedule.pop(start + SETTLE), None, "once");
    }

    #[test]
    fn one_object_is_not_written_twice_in_a_row() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.written(key("a"), start);
        schedule.touch(key("a"), start);
        schedule.touch(key("b"), start);
        assert_eq!(schedule.pop(start + SETTLE), Some(key("b")));
        assert_eq!(schedule.pop(start + SETTLE), None);
        assert_eq!(schedule.next(), Some(start + SPACING));
        assert_eq!(schedule.pop(start + SPACING), Some(key("a")));
    }

    #[test]
    fn news_of_a_write_may_overtake_its_answer() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.touch(key("a"), start);
        schedule.written(key("a"), start);
        assert_eq!(schedule.next(), Some(start + SPACING));
        schedule.failed(key("a"), start);
        assert_eq!(schedule.next(), Some(start + FIRST_DELAY));
        assert_eq!(schedule.pop(start + FIRST_DELAY), Some(key("a")));
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn a_failure_is_tried_again_ever_more_seldom_and_forgotten_when_it_is_over() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        let mut now = start;
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            schedule.failed(key("a"), now);
            // News of the object do not hurry it.
            schedule.touch(key("a"), now);
            let next = schedule.next().unwrap();
            assert_eq!((next - now).as_secs(), seconds);
            now = next;
            assert_eq!(schedule.pop(now), Some(key("a")));
        }
        schedule.written(key("a"), now);
        schedule.failed(key("a"), now);
        assert_eq!(schedule.next(), Some(now + FIRST_DELAY));
    }

    #[test]
    fn writes_keep_a_measure() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        for number in 0..1000 {
            schedule.touch(key(&format!("route-{number}")), start);
        }
        let mut written = 0;
        for step in 0..=100 {
            let now = start + SETTLE + Duration::from_millis(10) * step;
            while schedule.pop(now).is_some() {
                schedule.spend();
                written += 1;
            }
        }
        let most = f64::from(written) - BURST - RATE;
        assert!((-1.0..=RATE * 0.06).contains(&most), "{written} in a second");
    }
}
