//! Creation of objects.

use super::namespace;
use super::staging::Staging;
use crate::store::draft::Draft;
use crate::store::error::WriteError;
use crate::store::key::Key;
use crate::store::write::WriteResult;

/// Names that are tried for an object without a name, as in Kubernetes.
const NAME_ATTEMPTS: usize = 8;

pub(super) fn create(
    staging: &mut Staging<'_>,
    key: Key,
    mut draft: Draft,
) -> Result<WriteResult, WriteError> {
    let key = if key.name().is_empty() { generate_name(staging, &key, &draft)? } else { key };
    if key.name().contains('/') {
        return Err(WriteError::invalid("metadata.name", "a name without slashes is expected"));
    }
    if key.resource().is_namespaced() != key.namespace().is_some() {
        let reason = if key.resource().is_namespaced() {
            "a namespace is expected"
        } else {
            "a cluster-scoped object has no namespace"
        };
        return Err(WriteError::invalid("metadata.namespace", reason));
    }
    if let Some(current) = staging.get(&key) {
        let is_being_deleted = current.is_being_deleted();
        return Err(WriteError::AlreadyExists { key, is_being_deleted });
    }
    namespace::check_open(staging, &key)?;
    draft.set("name", key.name());
    if let Some(namespace) = key.namespace() {
        draft.set("namespace", namespace);
    }
    draft.set("uid", staging.identities.uid());
    draft.set("creationTimestamp", staging.identities.timestamp());
    let set_by_store =
        ["deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion"];
    for field in set_by_store {
        draft.metadata.remove(field);
    }
    if key.resource().has_generation() {
        draft.set("generation", 1);
    }
    if key.resource().is_namespaces() {
        namespace::set_defaults(&mut draft, key.name());
    }
    staging.put(key, &draft, None)
}

fn generate_name(staging: &Staging<'_>, key: &Key, draft: &Draft) -> Result<Key, WriteError> {
    let Some(prefix) = draft.metadata_str("generateName")? else {
        let reason = "a name or generateName is required";
        return Err(WriteError::invalid("metadata.name", reason));
    };
    let mut candidate = key.with_name(&staging.identities.name(prefix));
    for _ in 1..NAME_ATTEMPTS {
        if staging.get(&candidate).is_none() {
            break;
        }
        candidate = key.with_name(&staging.identities.name(prefix));
    }
    Ok(candidate)
}
