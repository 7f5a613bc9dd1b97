//! Strategic merge patch: maps.
//!
//! Specification: [strategic merge patch][spec].
//!
//! [spec]: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::directives::{DELETE_FROM_LIST, ELEMENT_ORDER, PATCH, RETAIN_KEYS, clean, clean_map};
use super::element_order::{check_order, order_items};
use super::error::PatchError;
use super::strategic_list::{ListMerge, remove_items};
use crate::schema::node::Schema;

/// Merges a patch into an object.
///
/// # Errors
/// Returns an error if a directive is malformed, or if lists cannot be merged.
pub(super) fn merge(
    object: &mut Map<String, Value>,
    mut patch: Map<String, Value>,
    schema: Option<&Schema>,
) -> Result<(), PatchError> {
    match patch.remove(PATCH) {
        None => {}
        Some(directive) if directive == "merge" => {}
        Some(directive) if directive == "replace" => {
            *object = clean_map(patch);
            return Ok(());
        }
        Some(directive) if directive == "delete" => {
            object.clear();
            return Ok(());
        }
        Some(_) => return Err(invalid(PATCH, "`merge`, `replace` or `delete`")),
    }
    if let Some(keys) = patch.remove(RETAIN_KEYS) {
        retain_keys(object, &patch, &keys)?;
    }
    // The order of a list applies to the list after it is merged, and a deletion to the result, as
    // in Kubernetes: a value that the patch adds and deletes is deleted.
    let (mut ordered, mut deleted, mut fields) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (name, value) in patch {
        if let Some(list) = name.strip_prefix(ELEMENT_ORDER) {
            let Value::Array(order) = value else {
                return Err(invalid(&name, "a list of the items in their order"));
            };
            ordered.insert(list.to_owned(), (order, list_at(object, list)));
        } else if let Some(list) = name.strip_prefix(DELETE_FROM_LIST) {
            let Value::Array(items) = value else {
                return Err(invalid(&name, "a list of the items to remove"));
            };
            deleted.push((list.to_owned(), items));
        } else {
            fields.push((name, value));
        }
    }
    for (name, value) in fields {
        if let Some((order, _)) = ordered.get(&name) {
            check_order(&name, &value, order, merge_key(schema, &name))?;
        }
        merge_field(object, &name, value, schema)?;
    }
    for (name, (order, live)) in ordered {
        let key = merge_key(schema, &name);
        if let Some(Value::Array(items)) = object.get_mut(&name) {
            *items = order_items(&name, std::mem::take(items), &order, &live, key)?;
        }
    }
    for (name, removed) in deleted {
        if let Some(Value::Array(items)) = object.get_mut(&name) {
            remove_items(items, &removed);
        }
    }
    Ok(())
}

fn merge_field(
    object: &mut Map<String, Value>,
    name: &str,
    patch: Value,
    schema: Option<&Schema>,
) -> Result<(), PatchError> {
    let child = schema.and_then(|schema| schema.child(name));
    let strategy = child.map(|child| &child.patch);
    match (object.get_mut(name), patch) {
        (_, Value::Null) => {
            object.remove(name);
        }
        (Some(Value::Object(object)), Value::Object(patch))
            if strategy.is_none_or(|strategy| !strategy.replaces) =>
        {
            merge(object, patch, child)?;
        }
        (Some(Value::Array(items)), Value::Array(patch))
            if strategy.is_some_and(|strategy| strategy.merges) =>
        {
            let item_schema = child.and_then(|child| child.items.as_deref());
            let key = strategy.and_then(|strategy| strategy.merge_key.as_deref());
            let list = ListMerge { name, key, item_schema, merge_item: merge };
            *items = list.merge(std::mem::take(items), patch)?;
        }
        (_, patch) => match clean(patch) {
            Some(value) => {
                object.insert(name.to_owned(), value);
            }
            None => {
                object.remove(name);
            }
        },
    }
    Ok(())
}

/// Removes the fields that are not in a list. The patch sets no other fields.
fn retain_keys(
    object: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    keys: &Value,
) -> Result<(), PatchError> {
    let keys = keys.as_array().ok_or_else(|| invalid(RETAIN_KEYS, "a list of field names"))?;
    let keys: HashSet<_> = keys.iter().filter_map(Value::as_str).collect();
    let is_retained = |name: &String| keys.contains(name.as_str());
    let is_directive = |name: &str| name.starts_with('$');
    let mut set = patch.iter().filter(|(name, value)| !value.is_null() && !is_directive(name));
    if set.any(|(name, _)| !is_retained(name)) {
        return Err(invalid(RETAIN_KEYS, "a list that contains each field that the patch sets"));
    }
    object.retain(|name, _| is_retained(name));
    Ok(())
}

fn merge_key<'a>(schema: Option<&'a Schema>, list: &str) -> Option<&'a str> {
    schema?.child(list)?.patch.merge_key.as_deref()
}

fn list_at(object: &Map<String, Value>, name: &str) -> Vec<Value> {
    object.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn invalid(directive: &str, expected: &'static str) -> PatchError {
    PatchError::Directive { directive: directive.to_owned(), expected }
}

#[cfg(test)]
#[path = "strategic_tests.rs"]
mod tests;
