//! The fields that a write changes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::pending_write::PendingWrite;
use crate::model::stable_hash;
use crate::sources::kube::observed::ServerState;

/// The field of a condition that is not compared: it depends on the time of the write.
const TIME_FIELD: &str = "lastTransitionTime";

/// A field that a write changes, and its new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldChange {
    /// The path, such as `status.conditions[Accepted].reason`. Empty for the whole object.
    pub(super) path: String,
    /// A hash of the new value.
    pub(super) value: u64,
}

impl FieldChange {
    fn new(path: &str, value: &Value) -> Self {
        let is_time = path.rsplit('.').next() == Some(TIME_FIELD);
        Self { path: path.to_owned(), value: if is_time { 0 } else { hash(value) } }
    }
}

/// Returns the fields that a write changes. `state` is the state of the object before the write.
pub(super) fn changed_fields(
    write: &PendingWrite,
    state: Option<&ServerState>,
) -> Vec<FieldChange> {
    let parse = |text: Option<&str>| -> Value {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    match write {
        PendingWrite::Status { status, .. } => {
            compare("status", &parse(state.map(|state| &*state.status)), status)
        }
        PendingWrite::Update(object) => {
            compare("", &parse(state.and_then(|state| state.raw.as_deref())), object)
        }
        PendingWrite::Finalizers(finalizers) => {
            let before = state.map_or(&[][..], |state| &state.finalizers);
            let added = finalizers.iter().filter(|finalizer| !before.contains(finalizer));
            let removed = before.iter().filter(|finalizer| !finalizers.contains(finalizer));
            let change = |finalizer: &String, is_present: bool| {
                FieldChange::new(&format!("metadata.finalizers[{finalizer}]"), &is_present.into())
            };
            let added = added.map(|finalizer| change(finalizer, true));
            added.chain(removed.map(|finalizer| change(finalizer, false))).collect()
        }
        // A renewal has its own interval.
        PendingWrite::Claim { is_renewal: true, .. } => Vec::new(),
        // The value is constant, because each claim contains its time.
        PendingWrite::Claim { annotations, is_renewal: false } => {
            let all = annotations.as_object().into_iter().flatten();
            let set = all.filter(|(_, claim)| !claim.is_null());
            set.map(|(name, _)| FieldChange {
                path: append("metadata.annotations", name),
                value: 0,
            })
            .collect()
        }
        PendingWrite::Create(object) => vec![FieldChange::new("", object)],
        PendingWrite::Delete(_) => vec![FieldChange::new("", &Value::Null)],
    }
}

/// Returns the fields that differ between two values. The result is not empty.
fn compare(path: &str, live: &Value, desired: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    collect(path, live, desired, &mut changes);
    if changes.is_empty() {
        changes.push(FieldChange::new(path, desired));
    }
    changes
}

fn collect(path: &str, live: &Value, desired: &Value, changes: &mut Vec<FieldChange>) {
    match (live, desired) {
        _ if live == desired => {}
        (Value::Object(live), Value::Object(desired)) => {
            let names: BTreeSet<_> = live.keys().chain(desired.keys()).collect();
            // The time of a condition changes with its status, which is no sign that another writer
            // reverts it.
            let is_transition = live.get("status") != desired.get("status");
            for name in names.into_iter().filter(|name| !(is_transition && *name == TIME_FIELD)) {
                let value = |object: &Map<String, Value>| object.get(name).cloned();
                let (live, desired) = (value(live), value(desired));
                let field = append(path, name);
                collect(&field, &live.unwrap_or_default(), &desired.unwrap_or_default(), changes);
            }
        }
        (Value::Array(live_items), Value::Array(desired_items)) => {
            let (Some(live), Some(desired)) = (by_identity(live_items), by_identity(desired_items))
            else {
                changes.push(FieldChange::new(path, desired));
                return;
            };
            let before = changes.len();
            let identities: BTreeSet<_> = live.keys().chain(desired.keys()).collect();
            for identity in identities {
                let value = |items: &BTreeMap<String, &Value>| {
                    items.get(identity).map_or(Value::Null, |value| (*value).clone())
                };
                collect(&format!("{path}[{identity}]"), &value(&live), &value(&desired), changes);
            }
            // Only the order differs.
            if changes.len() == before {
                changes.push(FieldChange::new(path, &desired_items.clone().into()));
            }
        }
        _ => changes.push(FieldChange::new(path, desired)),
    }
}

/// Returns the items of a list by the field that identifies them, or `None` if the list has no such
/// field.
fn by_identity(items: &[Value]) -> Option<BTreeMap<String, &Value>> {
    let mut found = BTreeMap::new();
    for item in items {
        let is_new = found.insert(identity(item)?, item).is_none();
        if !is_new {
            return None;
        }
    }
    Some(found)
}

/// Returns the text that identifies an item of a list: a condition, a listener or port, or a
/// parent.
fn identity(item: &Value) -> Option<String> {
    if let Some(text) = item["type"].as_str().filter(|_| item.get("status").is_some()) {
        return Some(text.to_owned());
    }
    if let Some(name) = item["name"].as_str() {
        return Some(name.to_owned());
    }
    let parent = item.get("parentRef")?;
    let text = |field: &str| parent[field].as_str().map(str::to_owned);
    let port = parent["port"].as_u64().map(|port| port.to_string());
    let place = [text("namespace"), text("name"), text("sectionName"), port];
    let place: Vec<_> = place.into_iter().flatten().collect();
    Some(format!("{} {}", item["controllerName"].as_str()?, place.join("/")))
}

fn append(path: &str, name: &str) -> String {
    if path.is_empty() {
        return name.to_owned();
    }
    // The keys of labels and annotations contain dots.
    if name.contains(['.', '/']) { format!("{path}[{name}]") } else { format!("{path}.{name}") }
}

/// Returns a hash of a value without the times of its conditions.
fn hash(value: &Value) -> u64 {
    let mut value = value.clone();
    remove_times(&mut value);
    stable_hash(&value.to_string())
}

fn remove_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove(TIME_FIELD);
            fields.values_mut().for_each(remove_times);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_times),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(live: &Value, desired: &Value) -> Vec<String> {
        compare("", live, desired).into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn changed_fields_are_named_by_path() {
        let live = json!({
            "metadata": { "labels": { "a.example/b": "x" } },
            "status": {
                "conditions": [{ "type": "Accepted", "status": "True" }],
                "addresses": [{ "type": "IPAddress", "value": "10.0.0.1" }],
                "parents": [{ "controllerName": "c", "parentRef": { "name": "g" }, "conditions": [] }],
            },
        });
        let mut desired = live.clone();
        desired["metadata"]["labels"]["a.example/b"] = "y".into();
        desired["status"]["conditions"][0]["status"] = "False".into();
        desired["status"]["addresses"][0]["value"] = "10.0.0.2".into();
        desired["status"]["parents"][0]["extra"] = 1.into();
        desired["status"]["listeners"] = json!([{ "name": "l" }]);
        assert_eq!(
            paths(&live, &desired),
            [
                "metadata.labels[a.example/b]",
                "status.addresses",
                "status.conditions[Accepted].status",
                "status.listeners",
                "status.parents[c g].extra",
            ]
        );
    }

    #[test]
    fn changed_field_has_a_value_without_times() {
        let status = |time: &str| json!({ "listeners": [{ "name": "l", "conditions": [{ "lastTransitionTime": time }] }] });
        let empty = json!({});
        assert_eq!(compare("", &empty, &status("1")), compare("", &empty, &status("2")));
        let times = (json!({ "lastTransitionTime": "1" }), json!({ "lastTransitionTime": "2" }));
        assert_eq!(compare("", &empty, &times.0), compare("", &empty, &times.1));
        assert_ne!(
            compare("", &empty, &json!({ "reason": "A" })),
            compare("", &empty, &json!({ "reason": "B" }))
        );
    }

    #[test]
    fn time_of_a_condition_changes_with_its_status() {
        let condition = |status: &str, time: &str| {
            let fields = json!({ "type": "Ready", "status": status, "lastTransitionTime": time });
            json!({ "conditions": [fields] })
        };
        let live = condition("True", "1");
        assert_eq!(paths(&live, &condition("False", "2")), ["conditions[Ready].status"]);
        assert_eq!(paths(&live, &condition("True", "2")), ["conditions[Ready].lastTransitionTime"]);
    }

    #[test]
    fn changed_field_is_always_found() {
        let named = |names: &[&str]| -> Value {
            names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>().into()
        };
        let cases = [
            (json!({ "a": null }), json!({}), ""),
            (json!({ "l": named(&["a", "b"]) }), json!({ "l": named(&["b", "a"]) }), "l"),
            (json!({ "l": named(&["a", "a"]) }), json!({ "l": named(&["a"]) }), "l"),
            (json!({ "l": named(&["a"]) }), json!({ "l": named(&[]) }), "l[a]"),
            (json!({ "l": [1] }), json!({ "l": [2] }), "l"),
        ];
        for (live, desired, path) in cases {
            assert_eq!(paths(&live, &desired), [path], "{live} {desired}");
        }
    }
}
