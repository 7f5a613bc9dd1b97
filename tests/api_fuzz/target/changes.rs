//! Invariants of the changes of a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use sluicegate::api::Role;
use sluicegate::store::{Key, StoredObject};

use super::target::Exchange;

type Objects<'a> = BTreeMap<&'a Key, &'a Arc<StoredObject>>;

/// Checks the changes of a request and of the garbage collector after it.
pub(super) fn check_changes(exchange: &Exchange<'_>) -> Result<(), String> {
    let by_key = |objects: &'_ [Arc<StoredObject>]| -> Vec<(Key, Arc<StoredObject>)> {
        objects.iter().map(|object| (object.key().clone(), object.clone())).collect()
    };
    let (before, after) = (by_key(&exchange.before), by_key(&exchange.after));
    let before: Objects<'_> = before.iter().map(|(key, object)| (key, object)).collect();
    let after: Objects<'_> = after.iter().map(|(key, object)| (key, object)).collect();
    let refused = refusal(exchange);
    let mut keys: Vec<_> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (old, new) = (before.get(*key), after.get(*key));
        if let (Some(old), Some(new)) = (old, new)
            && old.revision() == new.revision()
        {
            if !Arc::ptr_eq(old, new) && old.to_value() != new.to_value() {
                return Err(format!("{key} was changed without a new revision"));
            }
            continue;
        }
        if let Some(reason) = refused {
            return Err(format!("{key} was changed, although {reason}"));
        }
        if let (Some(old), Some(new)) = (old, new)
            && old.uid() == new.uid()
        {
            check_update(key, old, new)?;
        }
        let is_named = exchange.address.is_of(key, created_name(exchange).as_deref());
        if !is_named && !is_collected(exchange, key, &before, &after) {
            return Err(format!("{key} was changed, which the request does not name"));
        }
        if is_named {
            check_role(exchange, key, old.copied(), new.copied())?;
        }
    }
    Ok(())
}

/// Returns the reason why a request must not change anything.
fn refusal(exchange: &Exchange<'_>) -> Option<&'static str> {
    let method = exchange.request.method.as_slice();
    if !["POST", "PUT", "PATCH", "DELETE"].iter().any(|name| name.as_bytes() == method) {
        return Some("the method is one that reads");
    }
    // As in Kubernetes, deletecollection continues after an object that it cannot delete.
    let is_collection = method == b"DELETE" && exchange.address.name.is_none();
    if exchange.code >= 400 && !is_collection {
        return Some("the request was refused");
    }
    let body: Value = serde_json::from_slice(&exchange.request.body).unwrap_or_default();
    let is_dry_run = exchange.address.has_parameter("dryRun", "All")
        || (method == b"DELETE" && body["dryRun"][0] == "All");
    if is_dry_run {
        return Some("it is a dry run");
    }
    match exchange.role {
        None => Some("the request has no valid token"),
        Some(Role::View) => Some("the role is view"),
        Some(_) => None,
    }
}

/// Returns the name of a created object, which may be generated.
fn created_name(exchange: &Exchange<'_>) -> Option<String> {
    if exchange.request.method != b"POST" {
        return None;
    }
    let value: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
    value["metadata"]["name"].as_str().map(str::to_owned)
}

/// Returns `true` if the garbage collector may change an object.
fn is_collected(
    exchange: &Exchange<'_>,
    key: &Key,
    before: &Objects<'_>,
    after: &Objects<'_>,
) -> bool {
    let is_deleted = |object: &&Arc<StoredObject>| object.is_being_deleted();
    let states = [before.get(key), after.get(key)].into_iter().flatten();
    let mut states = states.copied();
    let deletes_namespace = exchange.address.plural == "namespaces"
        && exchange.address.name.as_deref() == key.namespace();
    deletes_namespace
        || states.any(|object| {
            let is_namespace_without_content = key.resource().plural() == "namespaces";
            let is_dependent = !object.owner_references().is_empty();
            let is_event = key.resource().plural() == "events";
            let is_owner = before.values().any(|other| {
                other.owner_references().iter().any(|owner| *owner.uid == *object.uid())
            });
            is_dependent
                || is_event
                || ((is_namespace_without_content || is_owner) && is_deleted(&object))
        })
}

/// Checks the fields that no writer changes.
fn check_update(key: &Key, old: &StoredObject, new: &StoredObject) -> Result<(), String> {
    if old.creation_timestamp() != new.creation_timestamp() {
        return Err(format!("the creationTimestamp of {key} was changed"));
    }
    if new.revision() < old.revision() {
        return Err(format!("the resourceVersion of {key} goes back"));
    }
    if old.deletion_timestamp().is_some() && old.deletion_timestamp() != new.deletion_timestamp() {
        return Err(format!("the deletionTimestamp of {key} was changed"));
    }
    let spec = |object: &StoredObject| {
        let mut value = object.to_value();
        if let Some(fields) = value.as_object_mut() {
            fields
                .retain(|field, _| !["metadata", "status", "apiVersion"].contains(&field.as_str()));
        }
        value
    };
    let begins_deletion = !old.is_being_deleted() && new.is_being_deleted();
    let is_grown = spec(old) != spec(new) || begins_deletion;
    match (old.generation(), new.generation()) {
        (None, None) => Ok(()),
        (Some(old), Some(new)) if !is_grown && old == new => Ok(()),
        // The collector may begin a deletion after the change.
        (Some(old), Some(new)) if is_grown && (old + 1..=old + 2).contains(&new) => Ok(()),
        (old, new) => Err(format!("the generation of {key} goes from {old:?} to {new:?}")),
    }
}

/// Checks that the role of the token allows the changes.
fn check_role(
    exchange: &Exchange<'_>,
    key: &Key,
    old: Option<&Arc<StoredObject>>,
    new: Option<&Arc<StoredObject>>,
) -> Result<(), String> {
    let plural = key.resource().plural();
    let is_status = exchange.address.subresource.as_deref() == Some("status");
    let field = |object: Option<&Arc<StoredObject>>, is_wanted: fn(&str) -> bool| {
        let mut value = object.map(|object| object.to_value()).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|field, _| is_wanted(field));
            if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
                metadata.remove("resourceVersion");
            }
        }
        value
    };
    let has_other = |is_wanted| field(old, is_wanted) != field(new, is_wanted);
    let is_update = old.is_some() && new.is_some();
    match exchange.role {
        Some(Role::Gateway) if plural == "leases" || plural == "events" => Ok(()),
        Some(Role::Gateway) if !is_status || has_other(|field| field != "status") => {
            Err(format!("role gateway changed more than the status of {key}"))
        }
        // The phase of a Namespace follows its deletion.
        Some(Role::Edit)
            if is_update && plural != "namespaces" && has_other(|field| field == "status") =>
        {
            Err(format!("role edit changed the status of {key}"))
        }
        _ if is_status && has_other(|field| field != "status") => {
            Err(format!("the subresource status changed more of {key}"))
        }
        _ => Ok(()),
    }
}
