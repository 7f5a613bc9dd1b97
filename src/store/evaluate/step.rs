//! Steps of the garbage collector.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::delete;
use super::replace;
use super::staging::Staging;
use crate::store::draft::Draft;
use crate::store::error::WriteError;
use crate::store::key::Key;
use crate::store::write::Propagation;

/// Step of the garbage collector: one change of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Step {
    /// Deletes the object. Without a propagation, its finalizers decide.
    Delete(Option<Propagation>),
    /// Removes a finalizer.
    RemoveFinalizer(&'static str),
    /// Removes the references to owners with these UIDs.
    RemoveOwners(BTreeSet<Arc<str>>),
    /// Lets the owners of the object be removed before it.
    UnblockOwners,
    /// Removes a namespace without content.
    RemoveNamespace,
}

impl Staging<'_> {
    /// Evaluates a step of the garbage collector. An object that does not exist is left out.
    pub(in crate::store) fn step(&mut self, key: &Key, step: Step) -> Result<(), WriteError> {
        let Some(current) = self.get(key).cloned() else { return Ok(()) };
        self.begin(false, false);
        let old = Draft::of_stored(&current);
        let mut draft = old.clone();
        match step {
            Step::Delete(propagation) => {
                return delete::delete(self, &current, propagation).map(|_| ());
            }
            Step::RemoveNamespace => {
                self.remove(&current);
                return Ok(());
            }
            Step::RemoveFinalizer(name) => {
                retain(&mut draft, "finalizers", |finalizer| finalizer != name);
            }
            Step::RemoveOwners(uids) => {
                let is_kept =
                    |owner: &Value| owner["uid"].as_str().is_none_or(|uid| !uids.contains(uid));
                retain(&mut draft, "ownerReferences", is_kept);
            }
            Step::UnblockOwners => {
                let owners =
                    draft.metadata.get_mut("ownerReferences").and_then(Value::as_array_mut);
                for owner in owners.into_iter().flatten() {
                    owner["blockOwnerDeletion"] = Value::Bool(false);
                }
            }
        }
        replace::modify(self, &current, &old, draft).map(|_| ())
    }
}

/// Keeps the items of a list of the metadata, and removes an empty list.
fn retain(draft: &mut Draft, field: &str, is_kept: impl Fn(&Value) -> bool) {
    let Some(Value::Array(items)) = draft.metadata.get_mut(field) else { return };
    items.retain(is_kept);
    if items.is_empty() {
        draft.metadata.remove(field);
    }
}
