//! Rules for the metadata of an object that replaces another one.

use serde_json::Value;

use super::target::Target;
use crate::schema::{Cause, Causes, FieldPath};

/// Fields of the stored object that a request cannot change: other values are ignored.
const IGNORED: [&str; 3] = ["creationTimestamp", "deletionTimestamp", "generation"];

/// Field of a deletion that a writer may leave out, but cannot change.
const GRACE_PERIOD: &str = "deletionGracePeriodSeconds";

/// Sets the fields that the store sets to those of the stored object, as Kubernetes does in
/// `BeforeUpdate`. So a backup can be applied to the objects that it contains.
pub(super) fn keep_set_by_store(object: &mut Value, old: &Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let is_set = metadata.get(GRACE_PERIOD).is_some_and(|value| !value.is_null());
    let kept = IGNORED.into_iter().chain((!is_set).then_some(GRACE_PERIOD));
    for name in kept {
        if let Some(value) = old["metadata"].get(name) {
            metadata.insert(name.into(), value.clone());
        }
    }
}

/// Returns the causes for which the metadata of `object` cannot replace those of `old`.
pub(super) fn check_update(object: &Value, old: &Value, target: &Target<'_>) -> Causes {
    let path = FieldPath::ROOT.field("metadata");
    let (metadata, old) = (&object["metadata"], &old["metadata"]);
    let mut causes = Causes::default();
    for name in ["deletionTimestamp", GRACE_PERIOD] {
        let (value, old) = (&metadata[name], &old[name]);
        if !value.is_null() && value != old {
            causes.push(|| Cause::invalid(&path.field(name), value, "field is immutable"));
        }
    }
    // Kubernetes allows unconditional updates of the other kinds.
    let needs_revision = target.resource.is_custom() || target.resource.kind() == "Lease";
    let revision = metadata["resourceVersion"].as_str().unwrap_or_default();
    if needs_revision && ["", "0"].contains(&revision) {
        let detail = "must be specified for an update";
        causes.push(|| Cause::invalid(&path.field("resourceVersion"), &0.into(), detail));
    }
    causes
}
