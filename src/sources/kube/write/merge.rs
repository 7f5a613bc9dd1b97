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

use super::shared_name::SHARED_CONDITION;
use crate::model::{Condition, GatewayController, ListenerStatus, RouteParentStatus};
use crate::sources::kube::object_status::ObjectStatus;

/// The condition types that this controller reports at each place of a status. A live condition of
/// these types is removed if the report does not contain it.
const CLASS_CONDITIONS: &[&str] = &["Accepted", "SupportedVersion", SHARED_CONDITION];
const GATEWAY_CONDITIONS: &[&str] = &["Accepted", "Programmed"];
const LISTENER_CONDITIONS: &[&str] = &["Accepted", "Conflicted", "Programmed", "ResolvedRefs"];
const PARENT_CONDITIONS: &[&str] = &["Accepted", "ResolvedRefs"];

/// The maximum number of conditions in a list, and of entries in `status.parents`. An API server
/// refuses a status that exceeds one.
const MAX_CONDITIONS: usize = 8;
const MAX_PARENTS: usize = 32;

/// The status that an object should have.
#[derive(Debug, PartialEq)]
pub(super) struct MergedStatus {
    pub(super) status: Value,
    /// The number of reported entries of `status.parents` that are left out, because entries of
    /// other controllers leave no room.
    pub(super) omitted_parents: usize,
    /// The number of reported conditions that are left out for the same reason.
    pub(super) omitted_conditions: usize,
}

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
) -> MergedStatus {
    let mut merge =
        Merge { now: truncate_to_second(now), omitted_parents: 0, omitted_conditions: 0 };
    let mut status = live.as_object().cloned().unwrap_or_default();
    match report {
        ObjectStatus::GatewayClass(report) => {
            merge.set_conditions(&mut status, &report.conditions, CLASS_CONDITIONS);
            // The features are not reported if the definition does not contain the field.
            if !report.supported_features.is_empty() {
                set(&mut status, "supportedFeatures", &report.supported_features);
            }
        }
        ObjectStatus::Gateway(report) => {
            merge.set_conditions(&mut status, &report.conditions, GATEWAY_CONDITIONS);
            set(&mut status, "addresses", &report.addresses);
            // Entries of listeners that were removed from the spec are dropped.
            let before = array(&status, "listeners");
            let merged =
                report.listeners.iter().map(|listener| merge.merge_listener(&before, listener));
            let merged = merged.collect();
            status.insert("listeners".to_owned(), Value::Array(merged));
        }
        ObjectStatus::TcpRoute(report) => {
            let before = array(&status, "parents");
            let merged = merge.merge_parents(&before, report, controller);
            status.insert("parents".to_owned(), Value::Array(merged));
        }
    }
    let Merge { omitted_parents, omitted_conditions, .. } = merge;
    MergedStatus { status: Value::Object(status), omitted_parents, omitted_conditions }
}

/// A merge in progress.
struct Merge {
    now: Timestamp,
    omitted_parents: usize,
    omitted_conditions: usize,
}

impl Merge {
    fn merge_listener(&mut self, before: &[Value], report: &ListenerStatus) -> Value {
        let known = before.iter().find(|known| known["name"] == report.name.as_str());
        let mut listener = known.and_then(Value::as_object).cloned().unwrap_or_default();
        set(&mut listener, "name", &report.name);
        set(&mut listener, "supportedKinds", &report.supported_kinds);
        set(&mut listener, "attachedRoutes", &report.attached_routes);
        self.set_conditions(&mut listener, &report.conditions, LISTENER_CONDITIONS);
        Value::Object(listener)
    }

    /// Merges `status.parents`. Entries of other controllers keep their content and their position.
    /// Entries of this controller that are not in the report are removed. If there is no room for
    /// all entries of this controller, those that exist already are kept first.
    fn merge_parents(
        &mut self,
        before: &[Value],
        report: &[RouteParentStatus],
        controller: &GatewayController,
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
                merged.push(self.merge_parent(known, parent));
            }
        }
        let room = MAX_PARENTS.saturating_sub(merged.len());
        self.omitted_parents = missing.len().saturating_sub(room);
        for (_, parent) in missing.into_iter().take(room) {
            merged.push(self.merge_parent(&Value::Null, parent));
        }
        merged
    }

    fn merge_parent(&mut self, known: &Value, report: &RouteParentStatus) -> Value {
        let mut parent = known.as_object().cloned().unwrap_or_default();
        set(&mut parent, "parentRef", &report.parent_ref);
        set(&mut parent, "controllerName", &report.controller_name);
        self.set_conditions(&mut parent, &report.conditions, PARENT_CONDITIONS);
        Value::Object(parent)
    }

    /// Merges `conditions`. If there is no room for all conditions of the report, the first ones
    /// are kept.
    fn set_conditions(
        &mut self,
        status: &mut Map<String, Value>,
        report: &[Condition],
        owned: &[&str],
    ) {
        let before = array(status, "conditions");
        let is_foreign = |known: &Value| {
            let is_owned = known["type"].as_str().is_some_and(|known| owned.contains(&known));
            let is_of = |condition: &Condition| known["type"] == condition.condition_type.as_str();
            !is_owned && !report.iter().any(is_of)
        };
        let foreign = before.iter().filter(|known| is_foreign(known)).count();
        let room = MAX_CONDITIONS.saturating_sub(foreign).min(report.len());
        self.omitted_conditions += report.len() - room;
        let report = &report[..room];
        let mut merged = Vec::with_capacity(before.len().max(report.len()));
        for known in &before {
            let reported =
                report.iter().find(|condition| known["type"] == condition.condition_type.as_str());
            match reported {
                Some(condition) => merged.push(self.merge_condition(Some(known), condition)),
                None if is_foreign(known) => merged.push(known.clone()),
                None => {}
            }
        }
        let is_new = |condition: &&Condition| {
            before.iter().all(|known| known["type"] != condition.condition_type.as_str())
        };
        for condition in report.iter().filter(is_new) {
            merged.push(self.merge_condition(None, condition));
        }
        status.insert("conditions".to_owned(), Value::Array(merged));
    }

    fn merge_condition(&self, known: Option<&Value>, report: &Condition) -> Value {
        let mut condition = json!(report);
        let unchanged = known.filter(|known| known["status"] == condition["status"]);
        condition["lastTransitionTime"] = match unchanged.map(|known| &known["lastTransitionTime"])
        {
            Some(Value::String(time)) => time.as_str().into(),
            _ => self.now.to_string().into(),
        };
        condition
    }
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
