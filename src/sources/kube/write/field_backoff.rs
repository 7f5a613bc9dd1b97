//! Exponential backoff of fields that do not keep the value that was written.
//!
//! The API server drops a field that the installed definition (CRD) does not contain, an admission
//! webhook can replace a value, and another controller can change it back. Without a backoff such
//! an object would be written several times a second, without end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::field_change::FieldChange;
use crate::model::{ObjectKey, ObjectKind, stable_hash};

/// Delay before a field is written again that was reverted for the first time. It doubles with
/// every time, up to [`MAX_DELAY`].
const MIN_DELAY: Duration = Duration::from_millis(500);
const MAX_DELAY: Duration = Duration::from_secs(600);

/// Time for which a field must keep its value until it counts as stable. It is longer than the
/// longest delay, after which another client may revert the field again.
const STABLE_AFTER: Duration = Duration::from_secs(2 * MAX_DELAY.as_secs());

/// Number of times that a field is reverted until that is reported. A person may well correct a
/// field by hand once or twice.
const REPORT_AFTER: u32 = 3;

/// Minimum time between two searches for stable fields.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// Maximum number of fields in a report.
const MAX_REPORTED_FIELDS: usize = 8;

/// The fields that were written recently, by object.
#[derive(Debug, Default)]
pub(super) struct FieldBackoff {
    objects: BTreeMap<ObjectKey, WrittenObject>,
    /// The fields that were reported and are not stable since, by the hash of their path. A field
    /// of many objects, such as a label that a webhook removes, is reported once.
    reported: BTreeMap<(ObjectKind, u64), String>,
    last_sweep: Option<Instant>,
}

/// The fields of an object that were written recently.
#[derive(Debug, Default)]
struct WrittenObject {
    uid: Box<str>,
    /// By the hash of the path.
    fields: BTreeMap<u64, WrittenField>,
}

#[derive(Debug)]
struct WrittenField {
    /// The hash of the value.
    value: u64,
    written_at: Instant,
    /// The number of times that the same value had to be written again.
    reverts: u32,
    /// The field has another value again.
    is_reverted: bool,
}

impl WrittenField {
    fn is_stable(&self, now: Instant) -> bool {
        !self.is_reverted && now >= self.written_at + STABLE_AFTER
    }
}

impl FieldBackoff {
    /// Returns the time before which a write must not be sent, if its fields were written with the
    /// same values and were reverted since. A field with a new value is written at once.
    pub(super) fn not_before(
        &mut self,
        key: &ObjectKey,
        uid: &str,
        changes: &[FieldChange],
        now: Instant,
    ) -> Option<Instant> {
        self.sweep(now);
        let object = self.objects.get_mut(key)?;
        object.set_uid(uid);
        let mut not_before = None;
        let mut has_new = false;
        for change in changes {
            let path = stable_hash(&change.path);
            let known = object.fields.get_mut(&path);
            match known.filter(|known| known.value == change.value && !known.is_stable(now)) {
                Some(known) => {
                    known.is_reverted = true;
                    let at = known.written_at + delay(known.reverts);
                    not_before = Some(not_before.map_or(at, |before: Instant| before.min(at)));
                }
                None => {
                    has_new = true;
                    object.fields.remove(&path);
                }
            }
        }
        not_before.filter(|at| !has_new && *at > now)
    }

    /// Records that a write succeeded, and reports fields that are reverted again and again.
    pub(super) fn record_write(
        &mut self,
        key: &ObjectKey,
        uid: &str,
        changes: &[FieldChange],
        now: Instant,
    ) {
        let object = self.objects.entry(key.clone()).or_default();
        object.set_uid(uid);
        let mut unreported = Vec::new();
        for FieldChange { path, value } in changes {
            let hash = stable_hash(path);
            let known = object.fields.get(&hash).filter(|known| known.value == *value);
            let reverts = known.map_or(0, |known| known.reverts.saturating_add(1));
            let written =
                WrittenField { value: *value, written_at: now, reverts, is_reverted: false };
            object.fields.insert(hash, written);
            if reverts >= REPORT_AFTER
                && self.reported.insert((key.kind, hash), path.clone()).is_none()
            {
                unreported.push(describe(path));
            }
        }
        if !unreported.is_empty() {
            report(key, &unreported);
        }
        self.sweep(now);
    }

    /// Records that an object needs no write.
    pub(super) fn record_match(&mut self, key: &ObjectKey, now: Instant) {
        if let Some(object) = self.objects.get_mut(key) {
            object.fields.values_mut().for_each(|field| field.is_reverted = false);
        }
        self.sweep(now);
    }

    /// Stops tracking an object that does not exist and need not be created.
    pub(super) fn forget(&mut self, key: &ObjectKey) {
        self.objects.remove(key);
    }

    /// Stops tracking stable fields, and reports those that had been reverted again and again.
    fn sweep(&mut self, now: Instant) {
        if self.last_sweep.is_some_and(|last| now < last + SWEEP_INTERVAL) {
            return;
        }
        self.last_sweep = Some(now);
        let mut remaining = BTreeSet::new();
        self.objects.retain(|key, object| {
            object.fields.retain(|_, field| !field.is_stable(now));
            remaining.extend(object.fields.keys().map(|path| (key.kind, *path)));
            !object.fields.is_empty()
        });
        self.reported.retain(|field, path| {
            let is_unstable = remaining.contains(field);
            if !is_unstable {
                tracing::info!("{} of {} objects keeps its value again", describe(path), field.0);
            }
            is_unstable
        });
    }
}

impl WrittenObject {
    /// Discards the fields if the object was deleted and created again. The existence of the object
    /// itself, whose path is empty, may be what another client reverts.
    fn set_uid(&mut self, uid: &str) {
        if *self.uid != *uid {
            self.uid = uid.into();
            let whole_object = stable_hash("");
            self.fields.retain(|path, _| *path == whole_object);
        }
    }
}

fn delay(reverts: u32) -> Duration {
    MIN_DELAY.saturating_mul(2_u32.saturating_pow(reverts)).min(MAX_DELAY)
}

fn describe(path: &str) -> &str {
    if path.is_empty() { "the object itself" } else { path }
}

fn report(key: &ObjectKey, fields: &[&str]) {
    let (shown, hidden) = fields.split_at(fields.len().min(MAX_REPORTED_FIELDS));
    let more = match hidden.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    tracing::warn!(
        object = %key,
        "fields do not keep the value that this controller writes: {}{more}. The API server drops \
         them (old definition, admission webhook), or another client changes them; \
         metadata.managedFields contains its name. They are written again with exponential backoff, \
         at least every {} s",
        shown.join(", "),
        MAX_DELAY.as_secs(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ObjectKey {
        ObjectKey { kind: ObjectKind::GatewayClass, namespace: None, name: "c".parse().unwrap() }
    }

    fn change(path: &str, value: u64) -> FieldChange {
        FieldChange { path: path.to_owned(), value }
    }

    /// Writes as soon as the backoff allows it. Returns the delays before the writes.
    fn write_again(
        backoff: &mut FieldBackoff,
        now: &mut Instant,
        changes: &[FieldChange],
        times: usize,
    ) -> Vec<u64> {
        let mut delays = Vec::new();
        for _ in 0..times {
            let at = backoff.not_before(&key(), "uid", changes, *now).unwrap_or(*now);
            delays.push((at - *now).as_secs());
            *now = at;
            backoff.record_write(&key(), "uid", changes, *now);
        }
        delays
    }

    #[test]
    fn field_that_is_reverted_is_written_with_backoff() {
        let (mut backoff, mut now) = (FieldBackoff::default(), Instant::now());
        let delays = write_again(&mut backoff, &mut now, &[change("a", 1)], 14);
        assert_eq!(delays, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
    }

    #[test]
    fn field_with_a_new_value_is_written_at_once() {
        let (mut backoff, mut now) = (FieldBackoff::default(), Instant::now());
        write_again(&mut backoff, &mut now, &[change("a", 1)], 10);
        let both = [change("a", 1), change("b", 1)];
        assert_eq!(backoff.not_before(&key(), "uid", &both, now), None, "another field");
        assert_eq!(write_again(&mut backoff, &mut now, &[change("a", 2)], 3), [0, 0, 1]);
        assert_eq!(write_again(&mut backoff, &mut now, &[change("a", 1)], 3), [0, 0, 1]);
    }

    #[test]
    fn field_that_stays_for_some_time_is_written_at_once() {
        let (mut backoff, mut now) = (FieldBackoff::default(), Instant::now());
        let changes = [change("a", 1)];
        write_again(&mut backoff, &mut now, &changes, 10);
        backoff.record_match(&key(), now);
        let soon = now + Duration::from_secs(10);
        assert!(backoff.not_before(&key(), "uid", &changes, soon).is_some());
        backoff.record_match(&key(), soon);
        now += STABLE_AFTER;
        assert_eq!(write_again(&mut backoff, &mut now, &changes, 3), [0, 0, 1]);
    }

    #[test]
    fn field_of_a_recreated_object_is_written_at_once() {
        let (mut backoff, mut now) = (FieldBackoff::default(), Instant::now());
        let (whole, field) = ([change("", 1)], [change("a", 1)]);
        write_again(&mut backoff, &mut now, &whole, 10);
        write_again(&mut backoff, &mut now, &field, 10);
        assert_eq!(backoff.not_before(&key(), "other", &field, now), None);
        assert!(backoff.not_before(&key(), "another", &whole, now).is_some());
    }

    #[test]
    fn stable_fields_are_not_tracked() {
        let (mut backoff, now) = (FieldBackoff::default(), Instant::now());
        backoff.record_write(&key(), "uid", &[change("a", 1)], now);
        backoff.record_match(&key(), now + STABLE_AFTER);
        assert!(backoff.objects.is_empty());
        backoff.record_write(&key(), "uid", &[change("a", 1)], now);
        backoff.forget(&key());
        assert!(backoff.objects.is_empty());
    }
}
