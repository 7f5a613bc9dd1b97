//! Changes of the objects from one report to the next. The library logs those of the
//! listeners and of the errors in files.

use std::collections::BTreeMap;

use serde_json::Value;
use sluicegate::Report;
use sluicegate::model::{Object, ObjectKey};

/// Logs added, changed and removed objects.
pub(crate) fn log(before: &Report, now: &Report) {
    let by_key = |report: &Report| -> BTreeMap<ObjectKey, Object> {
        report.resources.objects().map(|object| (object.key(), object)).collect()
    };
    let (old, new) = (by_key(before), by_key(now));
    for (key, object) in &new {
        match old.get(key) {
            None => tracing::info!("added {key}"),
            Some(old) if old != object => {
                tracing::info!("changed {key}: {}", changed_fields(old, object).join(", "));
            }
            Some(_) => {}
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(key)) {
        tracing::info!("removed {key}");
    }
}

/// Returns the fields that differ, as `path old -> new`.
fn changed_fields(old: &Object, new: &Object) -> Vec<String> {
    // The generation changes with every other field.
    let value = |mut object: Object| {
        object.metadata_mut().generation = None;
        serde_json::to_value(object).unwrap_or_default()
    };
    let mut changes = Vec::new();
    add_changes(&mut changes, "", &value(old.clone()), &value(new.clone()));
    changes
}

fn add_changes(changes: &mut Vec<String>, path: &str, old: &Value, new: &Value) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let separator = if path.is_empty() { "" } else { "." };
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                add_changes(changes, &format!("{path}{separator}{name}"), &old[name], &new[name]);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for index in 0..a.len().max(b.len()) {
                add_changes(changes, &format!("{path}[{index}]"), &old[index], &new[index]);
            }
        }
        _ if old == new => {}
        _ => changes.push(format!("{path} {old} -> {new}")),
    }
}
