//! What an object's status should be, given what stands there and what we have to say: pure
//! functions over JSON, since what is not ours must stay as it is, to the letter.
//!
//! The rules are those of Kubernetes'
//! [conditions](https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties):
//! merged by type; `lastTransitionTime` moves when `status` flips and stays otherwise.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::{
    Condition, GatewayClassStatus, GatewayController, GatewayStatus, ListenerStatus,
    RouteParentStatus,
};

/// What there is to say of an object.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Desired<'a> {
    GatewayClass(&'a GatewayClassStatus),
    Gateway(&'a GatewayStatus),
    /// The parents of ours; those of other controllers are not looked at.
    TcpRoute(&'a [RouteParentStatus]),
}

/// The types of condition that are ours, and are taken away where we have nothing to say of them.
const OURS: [&str; 5] =
    ["Accepted", "Conflicted", "Programmed", "ResolvedRefs", "SupportedVersion"];

/// The whole status as it should be, of an object that `desired` was found out about. So its
/// `observedGeneration` is the object's own: what stands there may speak of a later one only by
/// mistake, such as after the object was made anew from a copy.
pub(in super::super) fn merge(
    live: &Value,
    said: Desired<'_>,
    controller: &GatewayController,
    now: Timestamp,
) -> Value {
    let now = second(now);
    let mut status = live.as_object().cloned().unwrap_or_default();
    match said {
        Desired::GatewayClass(said) => {
            put_conditions(&mut status, &said.conditions, now);
            put(&mut status, "supportedFeatures", &said.supported_features);
        }
        Desired::Gateway(said) => {
            put_conditions(&mut status, &said.conditions, now);
            put(&mut status, "addresses", &said.addresses);
            let before = array(&status, "listeners");
            let merged =
                said.listeners.iter().map(|listener| merge_listener(&before, listener, now));
            let merged = merged.collect();
            status.insert("listeners".to_owned(), Value::Array(merged));
        }
        Desired::TcpRoute(said) => {
            let before = array(&status, "parents");
            let merged = merge_parents(&before, said, controller, now);
            status.insert("parents".to_owned(), Value::Array(merged));
        }
    }
    Value::Object(status)
}

/// One entry for each listener of the spec, and none for others.
fn merge_listener(before: &[Value], said: &ListenerStatus, now: Timestamp) -> Value {
    let known = before.iter().find(|known| known["name"] == said.name.as_str());
    let mut listener = known.and_then(Value::as_object).cloned().unwrap_or_default();
    put(&mut listener, "name", &said.name);
    put(&mut listener, "supportedKinds", &said.supported_kinds);
    put(&mut listener, "attachedRoutes", &said.attached_routes);
    put_conditions(&mut listener, &said.conditions, now);
    Value::Object(listener)
}

/// The entries of others as they are and where they are; of ours, those that still hold.
fn merge_parents(
    before: &[Value],
    said: &[RouteParentStatus],
    controller: &GatewayController,
    now: Timestamp,
) -> Vec<Value> {
    let mut to_say: Vec<_> = said.iter().map(|parent| (json!(parent.parent_ref), parent)).collect();
    let mut merged = Vec::with_capacity(before.len().max(said.len()));
    for known in before {
        if known["controllerName"] != controller.as_str() {
            merged.push(known.clone());
        } else if let Some(place) = to_say.iter().position(|(of, _)| *of == known["parentRef"]) {
            let (_, parent) = to_say.remove(place);
            merged.push(merge_parent(known, parent, now));
        }
    }
    for (_, parent) in to_say {
        merged.push(merge_parent(&Value::Null, parent, now));
    }
    merged
}

fn merge_parent(known: &Value, said: &RouteParentStatus, now: Timestamp) -> Value {
    let mut parent = known.as_object().cloned().unwrap_or_default();
    put(&mut parent, "parentRef", &said.parent_ref);
    put(&mut parent, "controllerName", &said.controller_name);
    put_conditions(&mut parent, &said.conditions, now);
    Value::Object(parent)
}

fn put_conditions(status: &mut Map<String, Value>, said: &[Condition], now: Timestamp) {
    let before = array(status, "conditions");
    let of = |condition: &Condition| {
        before.iter().find(|known| known["type"] == condition.condition_type.as_str())
    };
    let mut merged = Vec::with_capacity(before.len().max(said.len()));
    for known in &before {
        let condition_type = known["type"].as_str().unwrap_or_default();
        match said.iter().find(|said| said.condition_type.as_str() == condition_type) {
            Some(said) => merged.push(merge_condition(Some(known), said, now)),
            None if OURS.contains(&condition_type) => {}
            None => merged.push(known.clone()),
        }
    }
    for condition in said.iter().filter(|said| of(said).is_none()) {
        merged.push(merge_condition(None, condition, now));
    }
    status.insert("conditions".to_owned(), Value::Array(merged));
}

fn merge_condition(known: Option<&Value>, said: &Condition, now: Timestamp) -> Value {
    let mut condition = json!(said);
    let unflipped = known.filter(|known| known["status"] == condition["status"]);
    condition["lastTransitionTime"] = match unflipped.map(|known| &known["lastTransitionTime"]) {
        Some(Value::String(time)) => time.as_str().into(),
        _ => now.to_string().into(),
    };
    condition
}

fn array(object: &Map<String, Value>, field: &str) -> Vec<Value> {
    object.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn put(object: &mut Map<String, Value>, field: &str, value: &impl Serialize) {
    object.insert(field.to_owned(), json!(value));
}

/// As precise as Kubernetes stores it.
fn second(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
