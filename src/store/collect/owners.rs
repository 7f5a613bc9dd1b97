//! Index of owners and their dependents.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::store::key::Key;
use crate::store::stored_object::StoredObject;

/// Objects by UID, and the objects that refer to a UID as their owner.
#[derive(Debug, Default)]
pub(super) struct Owners {
    objects: HashMap<Arc<str>, Key>,
    dependents: HashMap<Arc<str>, BTreeSet<Key>>,
}

impl Owners {
    pub(super) fn insert(&mut self, object: &StoredObject) {
        self.objects.insert(object.metadata().uid.clone(), object.key().clone());
        for owner in object.owner_references() {
            self.dependents.entry(owner.uid.clone()).or_default().insert(object.key().clone());
        }
    }

    pub(super) fn remove(&mut self, object: &StoredObject) {
        self.objects.remove(object.uid());
        for owner in object.owner_references() {
            if let Some(dependents) = self.dependents.get_mut(&owner.uid) {
                dependents.remove(object.key());
                if dependents.is_empty() {
                    self.dependents.remove(&owner.uid);
                }
            }
        }
    }

    /// Returns the key of the object with a UID.
    pub(super) fn key(&self, uid: &str) -> Option<&Key> {
        self.objects.get(uid)
    }

    /// Returns the objects that refer to a UID as their owner.
    pub(super) fn dependents(&self, uid: &str) -> impl Iterator<Item = &Key> {
        self.dependents.get(uid).into_iter().flatten()
    }
}
