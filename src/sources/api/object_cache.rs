//! The typed objects of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::sync::Arc;

use crate::model::{Object, ObjectKey, ObjectKind, Resources};
use crate::sources::Snapshot;
use crate::sources::invalid_object::{InvalidObject, deserialize};
use crate::sources::unused_fields::without_unused_fields;
use crate::store::{Catalog, Change, ChangeKind, Key, Resource, Revision, StoredObject};

/// The objects of the store that the model has, as they were last observed.
#[derive(Debug)]
pub(super) struct ObjectCache {
    kinds: BTreeMap<Resource, ObjectKind>,
    resources: Resources,
    /// The observed revision of each object, invalid ones too.
    revisions: BTreeMap<Key, Revision>,
    /// The problems with the invalid objects.
    problems: BTreeMap<Key, String>,
}

impl ObjectCache {
    /// Creates an empty cache for the resources of a catalog.
    pub(super) fn new(catalog: &Catalog) -> Self {
        let kind_of = |resource: &Resource| {
            let names = (resource.group(), resource.kind());
            ObjectKind::ALL.iter().find(|kind| (kind.group(), kind.as_str()) == names).copied()
        };
        let kinds = catalog
            .iter()
            .filter_map(|resource| Some((resource.clone(), kind_of(resource)?)))
            .collect();
        Self {
            kinds,
            resources: Resources::new(),
            revisions: BTreeMap::new(),
            problems: BTreeMap::new(),
        }
    }

    pub(super) fn resources(&self) -> &Resources {
        &self.resources
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            resources: self.resources.clone(),
            problems: self.problems.values().cloned().collect(),
        }
    }

    /// Returns the key in the store of an object of the model.
    pub(super) fn store_key(&self, key: &ObjectKey) -> Option<Key> {
        let (resource, _) = self.kinds.iter().find(|(_, kind)| **kind == key.kind)?;
        let namespace = key.namespace.as_ref().map_or("", |namespace| namespace.as_str());
        Some(Key::namespaced(resource, namespace, key.name.as_str()))
    }

    /// Returns `true` if this state of an object is the last observed one.
    pub(super) fn is_observed(&self, object: &StoredObject) -> bool {
        self.revisions.get(object.key()) == Some(&object.revision())
    }

    /// Replaces all objects by those of a list. Adds the objects that differ to `touched`. Returns
    /// `true` if the snapshot changes.
    pub(super) fn replace(
        &mut self,
        objects: &[Arc<StoredObject>],
        touched: &mut BTreeSet<ObjectKey>,
    ) -> bool {
        let listed: BTreeSet<_> = objects.iter().map(|object| object.key()).collect();
        let is_gone = |key: &&Key| !listed.contains(key);
        let gone: Vec<_> = self.revisions.keys().filter(is_gone).cloned().collect();
        let mut is_changed = false;
        for key in gone {
            is_changed |= self.remove(&key, touched);
        }
        for object in objects {
            is_changed |= self.insert(object, touched);
        }
        is_changed
    }

    /// Applies a change of the store. Adds the object to `touched`, unless its state was observed
    /// before. Returns `true` if the snapshot changes.
    pub(super) fn apply(&mut self, change: &Change, touched: &mut BTreeSet<ObjectKey>) -> bool {
        match change.kind() {
            ChangeKind::Added | ChangeKind::Modified => self.insert(change.object(), touched),
            ChangeKind::Deleted => self.remove(change.object().key(), touched),
        }
    }

    /// Records a state of an object that this source has written: only the status differs from the
    /// observed state, so there is nothing to decode.
    pub(super) fn record_status_write(&mut self, object: &StoredObject) {
        if let Some(revision) = self.revisions.get_mut(object.key()) {
            *revision = object.revision().max(*revision);
        }
    }

    fn insert(&mut self, object: &StoredObject, touched: &mut BTreeSet<ObjectKey>) -> bool {
        let key = object.key();
        let Some(kind) = self.kinds.get(key.resource()).copied() else { return false };
        if self.revisions.get(key).is_some_and(|observed| *observed >= object.revision()) {
            return false;
        }
        self.revisions.insert(key.clone(), object.revision());
        touched.extend(object_key(kind, key));
        match decode(kind, object) {
            Ok(object) => {
                let is_valid_again = self.problems.remove(key).is_some();
                // The addresses in the status of a Gateway are known, since translation has
                // assigned them.
                let known = self.resources.get(&object.key());
                let is_changed = known.is_none_or(|known| !known.is_equal_except_status(&object));
                if is_changed {
                    self.resources.insert(object);
                }
                is_changed || is_valid_again
            }
            Err(error) => {
                let is_kept =
                    object_key(kind, key).is_some_and(|key| self.resources.get(&key).is_some());
                let problem = describe(kind, key, &error, is_kept);
                let before = self.problems.insert(key.clone(), problem);
                before.as_ref() != self.problems.get(key)
            }
        }
    }

    fn remove(&mut self, key: &Key, touched: &mut BTreeSet<ObjectKey>) -> bool {
        self.revisions.remove(key);
        let had_problem = self.problems.remove(key).is_some();
        let kind = self.kinds.get(key.resource());
        let object_key = kind.and_then(|kind| object_key(*kind, key));
        let removed = object_key.as_ref().and_then(|key| self.resources.remove(key));
        touched.extend(object_key);
        removed.is_some() || had_problem
    }
}

/// Returns the key of an object in the model, or `None` if the model does not allow its name.
fn object_key(kind: ObjectKind, key: &Key) -> Option<ObjectKey> {
    let namespace = match key.namespace() {
        Some(namespace) => Some(namespace.parse().ok()?),
        None => None,
    };
    Some(ObjectKey { kind, namespace, name: key.name().parse().ok()? })
}

/// Decodes an object. Recording the path of an invalid field takes longer than reading, so an
/// object without errors is read without it.
fn decode(kind: ObjectKind, object: &StoredObject) -> Result<Object, InvalidObject> {
    let value = object.to_value();
    let object = kind
        .deserialize(&value)
        .or_else(|_| deserialize(&value, |object| kind.deserialize(object)))?;
    Ok(without_unused_fields(object))
}

/// Describes an invalid object to its author.
fn describe(kind: ObjectKind, key: &Key, error: &InvalidObject, is_kept: bool) -> String {
    let namespace = key.namespace().map(|namespace| format!("{namespace}/")).unwrap_or_default();
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    let effect = match is_kept {
        true => "the last valid version stays in use",
        false => "it is ignored",
    };
    format!(
        "{kind} {namespace}{}: {error}: {cause}; {effect} until the object is corrected",
        key.name()
    )
}
