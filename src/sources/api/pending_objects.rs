//! The objects to compare with the report.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::write_backoff::WriteBackoff;
use crate::model::ObjectKey;

/// The objects to compare with the report, in the order in which they are due. An object that was
/// written waits for its backoff, unless a new report concerns it.
#[derive(Debug, Default)]
pub(super) struct PendingObjects {
    /// Objects that a new report concerns. They do not wait, not even after a write that was in
    /// flight when the report arrived.
    reported: BTreeSet<ObjectKey>,
    /// Other objects, with the end of their delay. Those without a delay come first, and each only
    /// once, however often it changes.
    queue: BTreeSet<(Option<Instant>, ObjectKey)>,
    backoff: WriteBackoff,
}

impl PendingObjects {
    /// Adds an object that a new report concerns. Its backoff ends.
    pub(super) fn add_reported(&mut self, key: ObjectKey) {
        let until = self.backoff.forget(&key);
        self.queue.remove(&(until, key.clone()));
        self.reported.insert(key);
    }

    /// Adds an object that has changed in the store.
    pub(super) fn add_changed(&mut self, key: ObjectKey, now: Instant) {
        self.queue.insert((self.backoff.until(&key, now), key));
    }

    /// Records that an object was written.
    pub(super) fn record_write(&mut self, key: ObjectKey, now: Instant) {
        self.backoff.record_write(key, now);
    }

    /// Records that the store refused the write of an object, and adds the object.
    pub(super) fn record_failure(&mut self, key: ObjectKey, now: Instant) {
        self.backoff.record_failure(key.clone(), now);
        self.add_changed(key, now);
    }

    /// Returns the time at which the next object is due.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        match self.queue.first() {
            _ if !self.reported.is_empty() => Some(now),
            next => next.map(|(until, _)| until.unwrap_or(now)),
        }
    }

    /// Removes and returns the next object if it is due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<ObjectKey> {
        if let Some(key) = self.reported.pop_first() {
            return Some(key);
        }
        while self.next_due(now)? <= now {
            let (_, key) = self.queue.pop_first()?;
            match self.backoff.until(&key, now) {
                None => return Some(key),
                // The object was written after it had been added.
                until => _ = self.queue.insert((until, key)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::ObjectKind;

    fn key(name: &str) -> ObjectKey {
        ObjectKey { kind: ObjectKind::GatewayClass, namespace: None, name: name.parse().unwrap() }
    }

    fn due(pending: &mut PendingObjects, now: Instant) -> Vec<String> {
        let due = std::iter::from_fn(|| pending.pop_due(now));
        due.map(|key| key.name.to_string()).collect()
    }

    #[test]
    fn written_object_is_due_after_its_backoff() {
        let (mut pending, start) = (PendingObjects::default(), Instant::now());
        pending.add_changed(key("added-before"), start);
        for written in ["added-before", "b", "c"] {
            pending.record_write(key(written), start);
        }
        for changed in ["a", "b", "b", "c"] {
            pending.add_changed(key(changed), start);
        }
        assert_eq!(due(&mut pending, start), ["a"]);
        let end = start + Duration::from_secs(1);
        assert_eq!(pending.next_due(start), Some(end));
        assert_eq!(due(&mut pending, end), ["added-before", "b", "c"]);
        assert_eq!(pending.next_due(end), None);
    }

    #[test]
    fn reported_object_is_due_at_once() {
        let (mut pending, start) = (PendingObjects::default(), Instant::now());
        pending.record_failure(key("a"), start);
        assert_eq!(due(&mut pending, start), [""; 0]);
        pending.add_reported(key("a"));
        assert_eq!(due(&mut pending, start), ["a"]);
        assert_eq!(pending.next_due(start), None);
    }

    #[test]
    fn object_that_is_reported_during_a_write_is_due_at_once() {
        let (mut pending, start) = (PendingObjects::default(), Instant::now());
        pending.add_changed(key("a"), start);
        pending.add_reported(key("a"));
        pending.record_write(key("a"), start);
        assert_eq!(pending.next_due(start), Some(start));
        assert_eq!(due(&mut pending, start), ["a"]);
        assert_eq!(pending.next_due(start), None);
    }
}
