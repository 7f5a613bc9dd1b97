//! Times at which objects expire.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Timestamp;
use crate::store::key::Key;
use crate::store::stored_object::StoredObject;

/// Objects with a time to live, and the times at which it ends.
#[derive(Debug, Default)]
pub(super) struct Expiries {
    times: BTreeMap<Key, Timestamp>,
    /// The objects that were not taken yet, by time.
    pending: BTreeSet<(Timestamp, Key)>,
}

impl Expiries {
    /// Records a state of an object. An object without a time to live, or whose deletion has begun,
    /// is ignored.
    pub(super) fn insert(&mut self, object: &StoredObject, now: Timestamp) {
        self.remove(object.key());
        if let Some(time) = expiry(object, now).filter(|_| !object.is_being_deleted()) {
            self.times.insert(object.key().clone(), time);
            self.pending.insert((time, object.key().clone()));
        }
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(time) = self.times.remove(key) {
            self.pending.remove(&(time, key.clone()));
        }
    }

    /// Returns the time at which the next object expires.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.pending.first().map(|(time, _)| *time)
    }

    /// Takes the object that expires next, if it has expired.
    pub(super) fn take_expired(&mut self, now: Timestamp) -> Option<Key> {
        self.next().filter(|time| *time <= now)?;
        self.pending.pop_first().map(|(_, key)| key)
    }

    /// Returns `true` if an object has expired, whether it was taken or not.
    pub(super) fn has_expired(&self, key: &Key, now: Timestamp) -> bool {
        self.times.get(key).is_some_and(|time| *time <= now)
    }
}

/// Returns the time at which the time to live of an object ends.
fn expiry(object: &StoredObject, now: Timestamp) -> Option<Timestamp> {
    let time_to_live = object.key().resource().time_to_live()?;
    let value = object.to_value();
    let time = |pointer: &&str| value.pointer(pointer)?.as_str()?.parse::<Timestamp>().ok();
    let used_at = time_to_live.used_at.iter().filter_map(time).max();
    let last_use = used_at.max(object.creation_timestamp()).unwrap_or(now).min(now);
    Some(last_use.checked_add(time_to_live.duration).unwrap_or(Timestamp::MAX))
}
