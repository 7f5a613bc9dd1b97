//! Backoff of repeated writes of one object's status.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::ObjectKey;

/// Delay after the first write of an object's status, and the longest delay.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);

/// The longest delay after a write that the store refused. Space can become free at any time.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Exponential backoff of the writes that no new report causes: of a status that another writer
/// changes again and again, and of one that cannot be written.
#[derive(Debug, Default)]
pub(super) struct WriteBackoff(BTreeMap<ObjectKey, Delay>);

#[derive(Debug)]
struct Delay {
    until: Instant,
    next: Duration,
}

impl WriteBackoff {
    /// Returns the time before which the object is not written again, if there is one.
    pub(super) fn until(&self, key: &ObjectKey, now: Instant) -> Option<Instant> {
        self.0.get(key).map(|delay| delay.until).filter(|until| *until > now)
    }

    /// Records that an object was written.
    pub(super) fn record_write(&mut self, key: ObjectKey, now: Instant) {
        self.record(key, now, MAX_DELAY);
    }

    /// Records that the store refused the write of an object.
    pub(super) fn record_failure(&mut self, key: ObjectKey, now: Instant) {
        self.record(key, now, MAX_RETRY_DELAY);
    }

    fn record(&mut self, key: ObjectKey, now: Instant, longest: Duration) {
        let delay = self.0.entry(key).or_insert(Delay { until: now, next: FIRST_DELAY });
        delay.until = now + delay.next.min(longest);
        delay.next = (delay.next * 2).min(MAX_DELAY);
    }

    /// Forgets an object that a new report concerns.
    pub(super) fn forget(&mut self, key: &ObjectKey) {
        self.0.remove(key);
    }

    /// Forgets the objects that were not written for some time.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.0.retain(|_, delay| now < delay.until + MAX_DELAY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectKind;

    #[test]
    fn delay_doubles_until_a_new_report_or_a_pause() {
        let key = ObjectKey::namespaced(ObjectKind::Gateway, &"default/g".parse().unwrap());
        let (mut backoff, start) = (WriteBackoff::default(), Instant::now());
        let delay = |backoff: &mut WriteBackoff| {
            backoff.record_write(key.clone(), start);
            backoff.until(&key, start).unwrap() - start
        };
        let delays: Vec<_> = (0..8).map(|_| delay(&mut backoff).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.until(&key, start + MAX_DELAY), None);
        backoff.sweep(start + MAX_DELAY * 2 - FIRST_DELAY);
        assert_eq!(delay(&mut backoff), MAX_DELAY);
        backoff.sweep(start + MAX_DELAY * 2);
        assert_eq!(delay(&mut backoff), FIRST_DELAY);
        backoff.forget(&key);
        assert_eq!(backoff.until(&key, start), None);
    }

    #[test]
    fn refused_write_is_retried_after_a_short_delay() {
        let key = ObjectKey::namespaced(ObjectKind::Gateway, &"default/g".parse().unwrap());
        let (mut backoff, start) = (WriteBackoff::default(), Instant::now());
        for expected in [1, 2, 4, 5, 5] {
            backoff.record_failure(key.clone(), start);
            assert_eq!((backoff.until(&key, start).unwrap() - start).as_secs(), expected);
        }
    }
}
