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
pub(super) struct WriteBackoff {
    delays: BTreeMap<ObjectKey, Delay>,
    last_sweep: Option<Instant>,
}

#[derive(Debug)]
struct Delay {
    until: Instant,
    next: Duration,
}

impl Delay {
    /// Returns `true` if the object was not written for some time, so that its next delay is the
    /// first one again.
    fn is_over(&self, now: Instant) -> bool {
        now >= self.until + MAX_DELAY
    }
}

impl WriteBackoff {
    /// Returns the time before which the object is not written again, if there is one.
    pub(super) fn until(&self, key: &ObjectKey, now: Instant) -> Option<Instant> {
        self.delays.get(key).map(|delay| delay.until).filter(|until| *until > now)
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
        self.sweep(now);
        let delay = self.delays.entry(key).or_insert(Delay { until: now, next: FIRST_DELAY });
        if delay.is_over(now) {
            delay.next = FIRST_DELAY;
        }
        delay.until = now + delay.next.min(longest);
        delay.next = (delay.next * 2).min(MAX_DELAY);
    }

    /// Forgets an object that a new report concerns. Returns the end of its last delay.
    pub(super) fn forget(&mut self, key: &ObjectKey) -> Option<Instant> {
        self.delays.remove(key).map(|delay| delay.until)
    }

    /// Removes the delays that are over, from time to time: walking over all of them at each write
    /// would take longer than the writes.
    fn sweep(&mut self, now: Instant) {
        if self.last_sweep.is_none_or(|last| now >= last + MAX_DELAY) {
            self.last_sweep = Some(now);
            self.delays.retain(|_, delay| !delay.is_over(now));
        }
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
        let delay = |backoff: &mut WriteBackoff, now| {
            backoff.record_write(key.clone(), now);
            backoff.until(&key, now).unwrap() - now
        };
        let delays: Vec<_> = (0..8).map(|_| delay(&mut backoff, start).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        let end = start + MAX_DELAY;
        assert_eq!(backoff.until(&key, end), None);
        let before_pause = end + MAX_DELAY - FIRST_DELAY;
        assert_eq!(delay(&mut backoff, before_pause), MAX_DELAY);
        assert_eq!(delay(&mut backoff, before_pause + MAX_DELAY * 2), FIRST_DELAY);
        assert!(backoff.forget(&key).is_some());
        assert_eq!(backoff.until(&key, start), None);
    }

    #[test]
    fn delays_that_are_over_are_removed() {
        let key = |name: &str| ObjectKey {
            kind: ObjectKind::GatewayClass,
            namespace: None,
            name: name.parse().unwrap(),
        };
        let (mut backoff, start) = (WriteBackoff::default(), Instant::now());
        backoff.record_write(key("a"), start);
        backoff.record_write(key("b"), start + MAX_DELAY);
        assert_eq!(backoff.delays.len(), 2, "the delay of a is over later");
        backoff.record_write(key("c"), start + MAX_DELAY * 2);
        assert_eq!(backoff.delays.len(), 2);
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
