//! Replacement of objects and of their status.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::namespace;
use super::staging::Staging;
use crate::store::draft::Draft;
use crate::store::error::WriteError;
use crate::store::stored_object::StoredObject;
use crate::store::write::WriteResult;

/// Fields of the metadata that a writer cannot change.
const SET_BY_STORE: [&str; 5] =
    ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];

pub(super) fn replace(
    staging: &mut Staging<'_>,
    current: &Arc<StoredObject>,
    mut draft: Draft,
) -> Result<WriteResult, WriteError> {
    let key = current.key();
    let old = Draft::of_stored(current);
    draft.set("name", key.name());
    if let Some(namespace) = key.namespace() {
        draft.set("namespace", namespace);
    }
    draft.metadata.remove("resourceVersion");
    for field in SET_BY_STORE {
        draft.copy_metadata(field, &old);
    }
    if key.resource().has_status() {
        draft.copy_field("status", &old);
    }
    if key.resource().is_namespaces() {
        namespace::keep_defaults(&mut draft, &old, key.name());
    }
    modify(staging, current, &old, draft)
}

/// Stages the next state of an object. An object that is being deleted is removed with its last
/// finalizer.
pub(super) fn modify(
    staging: &mut Staging<'_>,
    current: &Arc<StoredObject>,
    old: &Draft,
    mut draft: Draft,
) -> Result<WriteResult, WriteError> {
    let key = current.key();
    if let (true, Some(generation)) = (draft.has_other_spec(old), current.generation()) {
        draft.set("generation", generation + 1);
    }
    if !current.is_being_deleted() {
        return staging.put(key.clone(), &draft, Some(current));
    }
    let finalizers = finalizers(&draft);
    let known: BTreeSet<_> = current.finalizers().iter().map(String::as_str).collect();
    if let Some(added) = finalizers.iter().find(|name| !known.contains(*name)) {
        let reason = format!("{added:?} cannot be added to an object that is being deleted");
        return Err(WriteError::invalid("metadata.finalizers", reason));
    }
    if finalizers.is_empty() && !key.resource().is_namespaces() {
        return staging.remove_as(current, &draft);
    }
    staging.put(key.clone(), &draft, Some(current))
}

fn finalizers(draft: &Draft) -> BTreeSet<&str> {
    let finalizers = draft.metadata.get("finalizers").and_then(Value::as_array);
    finalizers.into_iter().flatten().filter_map(Value::as_str).collect()
}

pub(super) fn replace_status(
    staging: &mut Staging<'_>,
    current: &Arc<StoredObject>,
    from: &Draft,
) -> Result<WriteResult, WriteError> {
    let key = current.key();
    if !key.resource().has_status() {
        let reason = format!("{} have no status subresource", key.resource());
        return Err(WriteError::invalid("status", reason));
    }
    let mut draft = Draft::of_stored(current);
    draft.copy_field("status", from);
    staging.put(key.clone(), &draft, Some(current))
}
