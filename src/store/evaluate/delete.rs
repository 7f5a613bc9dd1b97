//! Deletion of objects.

use std::sync::Arc;

use super::namespace;
use super::staging::Staging;
use crate::store::draft::Draft;
use crate::store::error::WriteError;
use crate::store::metadata::{FOREGROUND_FINALIZER, ORPHAN_FINALIZER};
use crate::store::stored_object::StoredObject;
use crate::store::write::{Propagation, WriteResult};

/// Deletes an object: at once, or after its finalizers are removed. A namespace is removed after
/// its content.
pub(super) fn delete(
    staging: &mut Staging<'_>,
    current: &Arc<StoredObject>,
    propagation: Option<Propagation>,
) -> Result<WriteResult, WriteError> {
    let key = current.key();
    let is_namespace = key.resource().is_namespaces();
    if is_namespace {
        namespace::check_unprotected(key)?;
    }
    let finalizers = finalizers(current, propagation);
    let has_same_finalizers = finalizers == current.finalizers();
    if finalizers.is_empty() && !is_namespace {
        return Ok(staging.remove(current));
    }
    let mut draft = Draft::of_stored(current);
    if !has_same_finalizers {
        if finalizers.is_empty() {
            draft.metadata.remove("finalizers");
        } else {
            draft.set("finalizers", finalizers);
        }
    }
    if !current.is_being_deleted() {
        draft.set("deletionTimestamp", staging.identities.timestamp());
        draft.set("deletionGracePeriodSeconds", 0);
        if let Some(generation) = current.generation() {
            draft.set("generation", generation + 1);
        }
        if is_namespace {
            namespace::set_terminating(&mut draft);
        }
    }
    staging.put(key.clone(), &draft, Some(current))
}

/// Returns the finalizers of an object after a deletion begins. Without a propagation, the
/// finalizers of the object decide.
fn finalizers(current: &StoredObject, propagation: Option<Propagation>) -> Vec<String> {
    let mut finalizers = current.finalizers().to_vec();
    let Some(propagation) = propagation else { return finalizers };
    let chosen = match propagation {
        Propagation::Background => None,
        Propagation::Foreground => Some(FOREGROUND_FINALIZER),
        Propagation::Orphan => Some(ORPHAN_FINALIZER),
    };
    let is_other = |name: &str| {
        [FOREGROUND_FINALIZER, ORPHAN_FINALIZER].contains(&name) && Some(name) != chosen
    };
    finalizers.retain(|name| !is_other(name));
    if let Some(chosen) = chosen.filter(|chosen| !finalizers.iter().any(|name| name == chosen)) {
        finalizers.push(chosen.to_owned());
    }
    finalizers
}
