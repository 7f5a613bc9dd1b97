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

    /// Returns the objects after a key, which need not exist.
    pub(super) fn after<'a>(
        &'a self,
        key: &Key,
    ) -> impl Iterator<Item = &'a Arc<StoredObject>> + use<'a> {
        self.map.range((Bound::Excluded(key), Bound::Unbounded)).map(|(_, object)| object)
    }

    /// Returns the objects of a resource in a namespace.
    pub(super) fn in_namespace<'a>(
        &'a self,
        resource: &'a Resource,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<StoredObject>> {
        // No object has an empty name.
        self.after(&Key::namespaced(resource, namespace, "")).take_while(move |object| {
            object.key().resource() == resource && object.key().namespace() == Some(namespace)
        })
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
