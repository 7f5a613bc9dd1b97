//! Rules of namespaces.

use serde_json::{Value, json};

use super::staging::Staging;
use crate::model::NAMESPACE_NAME_LABEL;
use crate::store::draft::Draft;
use crate::store::error::WriteError;
use crate::store::json_text::value_text;
use crate::store::key::Key;

/// The namespace that always exists.
pub(in crate::store) const DEFAULT_NAMESPACE: &str = "default";

/// Returns the object of the namespace that always exists.
pub(in crate::store) fn default_namespace() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": DEFAULT_NAMESPACE}})
}

/// Checks that a new object can be created in its namespace.
pub(super) fn check_open(staging: &Staging<'_>, key: &Key) -> Result<(), WriteError> {
    let Some(name) = key.namespace() else { return Ok(()) };
    match staging.get(&Key::cluster_scoped(staging.namespaces, name)) {
        None => Err(WriteError::NamespaceNotFound(name.to_owned())),
        Some(namespace) if namespace.is_being_deleted() => {
            Err(WriteError::NamespaceTerminating(name.to_owned()))
        }
        Some(_) => Ok(()),
    }
}

/// Checks that a namespace can be deleted.
pub(super) fn check_unprotected(key: &Key) -> Result<(), WriteError> {
    if key.name() == DEFAULT_NAMESPACE {
        return Err(WriteError::NamespaceProtected(key.name().to_owned()));
    }
    Ok(())
}

/// Sets the label, the finalizer and the phase that Kubernetes sets.
pub(super) fn set_defaults(draft: &mut Draft, name: &str) {
    set_name_label(draft, name);
    draft.fields.insert("spec".to_owned(), value_text(&json!({"finalizers": ["kubernetes"]})));
    draft.fields.insert("status".to_owned(), value_text(&json!({"phase": "Active"})));
}

/// Keeps the label and the finalizer. A namespace has no other spec.
pub(super) fn keep_defaults(draft: &mut Draft, old: &Draft, name: &str) {
    set_name_label(draft, name);
    draft.copy_field("spec", old);
}

/// Sets the phase of a namespace whose deletion has begun.
pub(super) fn set_terminating(draft: &mut Draft) {
    let status = draft.fields.get("status").and_then(|status| serde_json::from_str(status).ok());
    let mut status = match status {
        Some(Value::Object(status)) => status,
        _ => serde_json::Map::new(),
    };
    status.insert("phase".to_owned(), json!("Terminating"));
    draft.fields.insert("status".to_owned(), value_text(&Value::Object(status)));
}

fn set_name_label(draft: &mut Draft, name: &str) {
    let labels = draft.metadata.entry("labels").or_insert_with(|| json!({}));
    if let Value::Object(labels) = labels {
        labels.insert(NAMESPACE_NAME_LABEL.to_owned(), json!(name));
    }
}
