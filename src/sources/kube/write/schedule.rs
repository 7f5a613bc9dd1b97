//! The schedule of writes: a debounced queue of objects with two lanes, exponential backoff for
//! each object that fails, and a token bucket for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::lane::Lane;
use crate::model::ObjectKey;

/// Delay from a change of an object to its reconciliation. Changes that belong together, such as a
/// route and its Service, arrive within this time and cause one write.
const DEBOUNCE_DELAY: Duration = Duration::from_millis(50);

/// Minimum time between two writes of one object.
const MIN_WRITE_INTERVAL: Duration = Duration::from_millis(500);

/// Delay before the first retry of a failed write. It doubles with every failure, up to
/// [`MAX_RETRY_DELAY`].
const MIN_RETRY_DELAY: Duration = Duration::from_secs(1);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);

/// Token bucket of all writes: its rate per second, and its size. The rate leaves an API server on
/// two cores capacity for other clients.
const WRITE_RATE: f64 = 200.0;
const WRITE_BURST: f64 = 100.0;

/// The objects to reconcile, and the time at which each is due.
#[derive(Debug)]
pub(super) struct Schedule {
    due: BTreeMap<ObjectKey, Instant>,
    queues: [BTreeSet<(Instant, ObjectKey)>; Lane::ALL.len()],
    /// The time before which an object must not be written again.
    not_before: BTreeMap<ObjectKey, Instant>,
    /// The delay of the next retry, for each object whose last write failed.
    retry_delays: BTreeMap<ObjectKey, Duration>,
    tokens: f64,
    /// The time at which `tokens` was computed.
    refilled: Instant,
}

impl Schedule {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            due: BTreeMap::new(),
            queues: Default::default(),
            not_before: BTreeMap::new(),
            retry_delays: BTreeMap::new(),
            tokens: WRITE_BURST,
            refilled: now,
        }
    }

    /// Enqueues an object. It is due after the debounce delay, or later if it was written recently.
    pub(super) fn enqueue(&mut self, key: ObjectKey, now: Instant) {
        self.enqueue_at(key, now + DEBOUNCE_DELAY);
    }

    /// Enqueues an object that need not be compared before `at`, unless it changes. It is due
    /// later if it was written recently.
    pub(super) fn enqueue_at(&mut self, key: ObjectKey, at: Instant) {
        let at = self.not_before.get(&key).map_or(at, |not_before| at.max(*not_before));
        self.insert(key, at);
    }

    fn insert(&mut self, key: ObjectKey, at: Instant) {
        // An object that is due earlier keeps its time. Otherwise one that changes all the time
        // would never be due.
        if self.due.get(&key).is_none_or(|known| at < *known) {
            self.set_due(key, at);
        }
    }

    fn set_due(&mut self, key: ObjectKey, at: Instant) {
        let queue = &mut self.queues[Lane::of(&key) as usize];
        if let Some(before) = self.due.insert(key.clone(), at) {
            queue.remove(&(before, key.clone()));
        }
        queue.insert((at, key));
    }

    /// Returns the time at which the next object of a lane with room is due and a token is
    /// available.
    pub(super) fn next(&self, has_room: impl Fn(Lane) -> bool) -> Option<Instant> {
        let lanes = Lane::ALL.into_iter().filter(|lane| has_room(*lane));
        let at = lanes.filter_map(|lane| self.first_due(lane)).min()?;
        // Rounded up a little, so that the token is available after the wait.
        let missing = Duration::from_secs_f64((1.0 - self.tokens).max(0.0) / WRITE_RATE * 1.001);
        Some(at.max(self.refilled + missing))
    }

    /// Removes and returns an object that is due, of the first lane that has one and has room, if a
    /// token is available.
    pub(super) fn pop(
        &mut self,
        now: Instant,
        has_room: impl Fn(Lane) -> bool,
    ) -> Option<ObjectKey> {
        self.tokens =
            WRITE_BURST.min(self.tokens + WRITE_RATE * (now - self.refilled).as_secs_f64());
        self.refilled = now;
        if self.tokens < 1.0 {
            return None;
        }
        let is_due =
            |lane: &Lane| has_room(*lane) && self.first_due(*lane).is_some_and(|at| at <= now);
        let lane = Lane::ALL.into_iter().find(is_due)?;
        let (_, key) = self.queues[lane as usize].pop_first()?;
        self.due.remove(&key);
        Some(key)
    }

    fn first_due(&self, lane: Lane) -> Option<Instant> {
        self.queues[lane as usize].first().map(|(at, _)| *at)
    }

    /// Takes a token for a write.
    pub(super) fn take_token(&mut self) {
        self.tokens -= 1.0;
    }

    /// Resets the backoff of an object that needs no write.
    pub(super) fn reset_backoff(&mut self, key: &ObjectKey) {
        self.retry_delays.remove(key);
    }

    /// Records that a write has ended.
    pub(super) fn record_write(&mut self, key: ObjectKey, now: Instant) {
        self.retry_delays.remove(&key);
        self.not_before.retain(|_, until| *until > now);
        self.delay_until(key, now + MIN_WRITE_INTERVAL);
    }

    /// Records that a write failed, and schedules a retry with exponential backoff.
    pub(super) fn record_failure(&mut self, key: ObjectKey, now: Instant) {
        let delay = self.retry_delays.entry(key.clone()).or_insert(MIN_RETRY_DELAY);
        let at = now + *delay;
        *delay = (*delay * 2).min(MAX_RETRY_DELAY);
        self.delay_until(key.clone(), at);
        self.insert(key, at);
    }

    /// Delays the next write of an object. The object may be enqueued already: a watch can report a
    /// write before its response arrives.
    fn delay_until(&mut self, key: ObjectKey, until: Instant) {
        if self.due.get(&key).is_some_and(|at| *at < until) {
            self.set_due(key.clone(), until);
        }
        self.not_before.insert(key, until);
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

    fn any_lane(_: Lane) -> bool {
        true
    }

    #[test]
    fn object_that_changes_all_the_time_is_due() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        for step in 0..5 {
            schedule.enqueue(key("a"), start + DEBOUNCE_DELAY / 5 * step);
        }
        assert_eq!(schedule.next(any_lane), Some(start + DEBOUNCE_DELAY));
        assert_eq!(schedule.pop(start + DEBOUNCE_DELAY, any_lane), Some(key("a")));
        assert_eq!(schedule.pop(start + DEBOUNCE_DELAY, any_lane), None, "once");
    }

    #[test]
    fn writes_of_one_object_are_spaced() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.record_write(key("a"), start);
        schedule.enqueue(key("a"), start);
        schedule.enqueue(key("b"), start);
        assert_eq!(schedule.pop(start + DEBOUNCE_DELAY, any_lane), Some(key("b")));
        assert_eq!(schedule.pop(start + DEBOUNCE_DELAY, any_lane), None);
        assert_eq!(schedule.next(any_lane), Some(start + MIN_WRITE_INTERVAL));
        assert_eq!(schedule.pop(start + MIN_WRITE_INTERVAL, any_lane), Some(key("a")));
    }

    #[test]
    fn object_enqueued_before_the_response_is_delayed() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.enqueue(key("a"), start);
        schedule.record_write(key("a"), start);
        assert_eq!(schedule.next(any_lane), Some(start + MIN_WRITE_INTERVAL));
        schedule.record_failure(key("a"), start);
        assert_eq!(schedule.next(any_lane), Some(start + MIN_RETRY_DELAY));
        assert_eq!(schedule.pop(start + MIN_RETRY_DELAY, any_lane), Some(key("a")));
        assert_eq!(schedule.next(any_lane), None);
    }

    #[test]
    fn failures_are_retried_with_backoff_until_a_success() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        let mut now = start;
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            schedule.record_failure(key("a"), now);
            // A change of the object does not shorten the delay.
            schedule.enqueue(key("a"), now);
            let next = schedule.next(any_lane).unwrap();
            assert_eq!((next - now).as_secs(), seconds);
            now = next;
            assert_eq!(schedule.pop(now, any_lane), Some(key("a")));
        }
        schedule.record_write(key("a"), now);
        schedule.record_failure(key("a"), now);
        assert_eq!(schedule.next(any_lane), Some(now + MIN_RETRY_DELAY));
    }

    #[test]
    fn deferred_object_is_due_early_if_it_changes() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        schedule.enqueue_at(key("a"), start + Duration::from_secs(600));
        assert_eq!(schedule.next(any_lane), Some(start + Duration::from_secs(600)));
        schedule.enqueue(key("a"), start);
        assert_eq!(schedule.pop(start + DEBOUNCE_DELAY, any_lane), Some(key("a")));
        assert_eq!(schedule.next(any_lane), None, "once");
    }

    #[test]
    fn service_does_not_wait_behind_statuses() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        for number in 0..5000 {
            schedule.enqueue(key(&format!("route-{number}")), start);
        }
        let service = ObjectKey { kind: ObjectKind::Service, ..key("s") };
        schedule.enqueue(service.clone(), start + Duration::from_millis(1));
        let mut now = start;
        loop {
            now = schedule.next(any_lane).unwrap().max(now);
            let Some(popped) = schedule.pop(now, any_lane) else { continue };
            schedule.take_token();
            if popped == service {
                break;
            }
        }
        assert!(now - start < Duration::from_millis(60), "{:?}", now - start);
        let status_is_full = |lane| lane == Lane::Urgent;
        assert_eq!(schedule.next(status_is_full), None);
        assert_eq!(schedule.pop(now, status_is_full), None);
    }

    #[test]
    fn writes_are_limited_by_a_token_bucket() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start);
        for number in 0..1000 {
            schedule.enqueue(key(&format!("route-{number}")), start);
        }
        let mut written = 0;
        for step in 0..=100 {
            let now = start + DEBOUNCE_DELAY + Duration::from_millis(10) * step;
            while schedule.pop(now, any_lane).is_some() {
                schedule.take_token();
                written += 1;
            }
        }
        let most = f64::from(written) - WRITE_BURST - WRITE_RATE;
        assert!((-1.0..=WRITE_RATE * 0.06).contains(&most), "{written} in a second");
    }
}
