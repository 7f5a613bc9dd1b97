//! Merging a reported status into the live status of an object.
//!
//! These are pure functions over JSON, because the parts of other controllers must be written back
//! unchanged. Conditions follow the rules of Kubernetes' [API conventions]: they are merged by
//! type, and `lastTransitionTime` changes only with `status`.
//!
//! [API conventions]: https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::{Condition, GatewayController, ListenerStatus, RouteParentStatus};
use crate::sources::kube::object_status::ObjectStatus;

/// The condition types of this controller. A live condition of these types is removed if the report
/// does not contain it.
const OWNED_CONDITION_TYPES: [&str; 5] =
    ["Accepted", "Conflicted", "Programmed", "ResolvedRefs", "SupportedVersion"];

/// Returns the whole status that the object should have.
///
/// `report` must belong to the current version of the object. Its `observedGeneration` is written
/// even if the live one is greater: that happens if the object was created from a backup, together
/// with its status.
pub(super) fn merge(
    live: &Value,
    report: ObjectStatus<'_>,
    controller: &GatewayController,
    now: Timestamp,
) -> Value {
    let now = truncate_to_second(now);
    let mut status = live.as_object().cloned().unwrap_or_default();
    match report {
        ObjectStatus::GatewayClass(report) => {
            set_conditions(&mut status, &report.conditions, now);
            set(&mut status, "supportedFeatures", &report.supported_features);
        }
        ObjectStatus::Gateway(report) => {
            set_conditions(&mut status, &report.conditions, now);
            set(&mut status, "addresses", &report.addresses);
            // Entries of listeners that were removed from the spec are dropped.
            let before = array(&status, "listeners");
            let merged =
                report.listeners.iter().map(|listener| merge_listener(&before, listener, now));
            let merged = merged.collect();
            status.insert("listeners".to_owned(), Value::Array(merged));
        }
        ObjectStatus::TcpRoute(report) => {
            let before = array(&status, "parents");
            let merged = merge_parents(&before, report, controller, now);
            status.insert("parents".to_owned(), Value::Array(merged));
        }
    }
    Value::Object(status)
}

fn merge_listener(before: &[Value], report: &ListenerStatus, now: Timestamp) -> Value {
    let known = before.iter().find(|known| known["name"] == report.name.as_str());
    let mut listener = known.and_then(Value::as_object).cloned().unwrap_or_default();
    set(&mut listener, "name", &report.name);
    set(&mut listener, "supportedKinds", &report.supported_kinds);
    set(&mut listener, "attachedRoutes", &report.attached_routes);
    set_conditions(&mut listener, &report.conditions, now);
    Value::Object(listener)
}

/// Merges `status.parents`. Entries of other controllers keep their content and their position.
/// Entries of this controller that are not in the report are removed.
fn merge_parents(
    before: &[Value],
    report: &[RouteParentStatus],
    controller: &GatewayController,
    now: Timestamp,
) -> Vec<Value> {
    let mut missing: Vec<_> =
        report.iter().map(|parent| (json!(parent.parent_ref), parent)).collect();
    let mut merged = Vec::with_capacity(before.len().max(report.len()));
    for known in before {
        if known["controllerName"] != controller.as_str() {
            merged.push(known.clone());
        } else if let Some(index) =
            missing.iter().position(|(parent_ref, _)| *parent_ref == known["parentRef"])
        {
            let (_, parent) = missing.remove(index);
            merged.push(merge_parent(known, parent, now));
        }
    }
    for (_, parent) in missing {
        merged.push(merge_parent(&Value::Null, parent, now));
    }
    merged
}

fn merge_parent(known: &Value, report: &RouteParentStatus, now: Timestamp) -> Value {
    let mut parent = known.as_object().cloned().unwrap_or_default();
    set(&mut parent, "parentRef", &report.parent_ref);
    set(&mut parent, "controllerName", &report.controller_name);
    set_conditions(&mut parent, &report.conditions, now);
    Value::Object(parent)
}

fn set_conditions(status: &mut Map<String, Value>, report: &[Condition], now: Timestamp) {
    let before = array(status, "conditions");
    let is_new = |condition: &&Condition| {
        before.iter().all(|known| known["type"] != condition.condition_type.as_str())
    };
    let mut merged = Vec::with_capacity(before.len().max(report.len()));
    for known in &before {
        let condition_type = known["type"].as_str().unwrap_or_default();
        let reported =
            report.iter().find(|condition| condition.condition_type.as_str() == condition_type);
        match reported {
            Some(condition) => merged.push(merge_condition(Some(known), condition, now)),
            None if OWNED_CONDITION_TYPES.contains(&condition_type) => {}
            None => merged.push(known.clone()),
        }
    }
    for condition in report.iter().filter(is_new) {
        merged.push(merge_condition(None, condition, now));
    }
    status.insert("conditions".to_owned(), Value::Array(merged));
}

fn merge_condition(known: Option<&Value>, report: &Condition, now: Timestamp) -> Value {
    let mut condition = json!(report);
    let unchanged = known.filter(|known| known["status"] == condition["status"]);
    condition["lastTransitionTime"] = match unchanged.map(|known| &known["lastTransitionTime"]) {
        Some(Value::String(time)) => time.as_str().into(),
        _ => now.to_string().into(),
    };
    condition
}

fn array(object: &Map<String, Value>, field: &str) -> Vec<Value> {
    object.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn set(object: &mut Map<String, Value>, field: &str, value: &impl Serialize) {
    object.insert(field.to_owned(), json!(value));
}

/// Truncates a time to the precision of Kubernetes' API.
fn truncate_to_second(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
