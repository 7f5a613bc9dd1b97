//! Rules of Namespaces.

use serde_json::Value;

use super::names::check_qualified_name;
use super::read::{items, text};
use crate::schema::{Cause, Causes, FieldPath};

pub(super) fn check(namespace: &Value, causes: &mut Causes) {
    let spec = FieldPath::ROOT.field("spec");
    let path = spec.field("finalizers");
    for (index, finalizer) in items(&namespace["spec"]["finalizers"]).iter().enumerate() {
        let path = path.index(index);
        check_qualified_name(finalizer, &path, causes);
        let is_known = finalizer.as_str().is_some_and(|name| {
            name.contains('/') || ["kubernetes", "orphan", "foregroundDeletion"].contains(&name)
        });
        if !is_known {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(|| Cause::invalid(&path, finalizer, detail));
        }
    }
}

pub(super) fn check_status(namespace: &Value, causes: &mut Causes) {
    let is_being_deleted = !namespace["metadata"]["deletionTimestamp"].is_null();
    let expected = if is_being_deleted { "Terminating" } else { "Active" };
    if !["", expected].contains(&text(&namespace["status"], "phase")) {
        let deletion = if is_being_deleted { "is not" } else { "is" };
        let detail = format!("may only be '{expected}' if `deletionTimestamp` {deletion} empty");
        let status = FieldPath::ROOT.field("status");
        let phase = &namespace["status"]["phase"];
        causes.push(|| Cause::invalid(&status.field("phase"), phase, &detail));
    }
}
