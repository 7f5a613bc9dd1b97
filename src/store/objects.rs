//! The newest state of all objects.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::change::{Change, ChangeKind};
use super::key::Key;
use super::resource::Resource;
use super::stored_object::StoredObject;

/// The newest state of all objects, in the order of their keys.
#[derive(Debug, Default)]
pub(super) struct Objects {
    map: BTreeMap<Key, Arc<StoredObject>>,
    bytes: u64,
}

impl Objects {
    pub(super) fn get(&self, key: &Key) -> Option<&Arc<StoredObject>> {
        self.map.get(key)
    }

    /// Returns the number of bytes of all objects.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<StoredObject>> {
        self.map.values()
    }

    /// Returns the objects of a resource, of one namespace or of all.
    pub(super) fn of_resource<'a>(
        &'a self,
        resource: &Resource,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<StoredObject>> {
        let first = Key::namespaced(resource, namespace.unwrap_or_default(), "");
        let resource = resource.clone();
        self.map
            .range((Bound::Included(first), Bound::Unbounded))
            .take_while(move |(key, _)| {
                *key.resource() == resource
                    && namespace.is_none_or(|namespace| key.namespace() == Some(namespace))
            })
            .map(|(_, object)| object)
    }

    pub(super) fn insert(&mut self, object: Arc<StoredObject>) {
        self.bytes += object.cost() as u64;
        if let Some(previous) = self.map.insert(object.key().clone(), object) {
            self.bytes -= previous.cost() as u64;
        }
    }

    pub(super) fn apply(&mut self, change: &Change) {
        match change.kind() {
            ChangeKind::Added | ChangeKind::Modified => self.insert(change.object().clone()),
            ChangeKind::Deleted => {
                if let Some(previous) = self.map.remove(change.object().key()) {
                    self.bytes -= previous.cost() as u64;
                }
            }
        }
    }
}
