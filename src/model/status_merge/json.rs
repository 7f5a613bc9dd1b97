//! Merging of a reported status into the status of an object as JSON.
//!
//! Parts of other controllers, and fields that this crate does not know, are kept as they are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::lists::{LiveCondition, LiveParent, MergedEntry, merge_conditions, merge_parents};
use super::object_status::ObjectStatus;
use super::transition::LiveState;
use crate::model::{
    Condition, ConditionStatus, ConditionType, ListenerStatus, ParentRef, RouteParentStatus,
};

/// The condition types that this controller reports at each place of a status. A live condition of
/// these types is removed if the report does not contain it.
const CLASS_CONDITIONS: &[ConditionType] = &[
    ConditionType::ACCEPTED,
    ConditionType::SUPPORTED_VERSION,
    ConditionType::CONTROLLER_NAME_SHARED,
];
const GATEWAY_CONDITIONS: &[ConditionType] = &[ConditionType::ACCEPTED, ConditionType::PROGRAMMED];
const LISTENER_CONDITIONS: &[ConditionType] = &[
    ConditionType::ACCEPTED,
    ConditionType::CONFLICTED,
    ConditionType::PROGRAMMED,
    ConditionType::RESOLVED_REFS,
];
const PARENT_CONDITIONS: &[ConditionType] =
    &[ConditionType::ACCEPTED, ConditionType::RESOLVED_REFS];

/// The status that an object should have.
#[derive(Debug, PartialEq)]
pub(crate) struct MergedStatus {
    pub(crate) status: Value,
    /// The number of reported entries of `status.parents` that are left out, because entries of
    /// other controllers leave no room.
    pub(crate) omitted_parents: usize,
    /// The number of reported conditions that are left out for the same reason.
    pub(crate) omitted_conditions: usize,
}

/// Returns the whole status that the object should have, given its `live` status.
///
/// `report` must belong to the current version of the object. Its `observedGeneration` is written
/// even if the live one is greater: that happens if the object was created from a backup, together
/// with its status. `is_ours` returns `true` for the controller names whose entries in
/// `status.parents` this controller owns.
pub(crate) fn merge_status(
    live: &Value,
    report: ObjectStatus<'_>,
    is_ours: impl Fn(&str) -> bool,
    now: Timestamp,
) -> MergedStatus {
    let mut merge = Merge { now, omitted_parents: 0, omitted_conditions: 0 };
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
            let merged = merge.merge_parents(&before, report, is_ours);
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

    fn merge_parents(
        &mut self,
        before: &[Value],
        report: &[RouteParentStatus],
        is_ours: impl Fn(&str) -> bool,
    ) -> Vec<Value> {
        let live = before.iter().map(|known| match known["controllerName"].as_str() {
            Some(controller) if is_ours(controller) => {
                LiveParent::Own(ParentRef::deserialize(&known["parentRef"]).ok())
            }
            _ => LiveParent::Foreign,
        });
        let live: Vec<_> = live.collect();
        let report = report.iter().filter(|parent| is_ours(parent.controller_name.as_str()));
        let merged = merge_parents(&live, report);
        self.omitted_parents = merged.omitted;
        let entries = merged.entries.into_iter().map(|entry| match entry {
            MergedEntry::Foreign(index) => before[index].clone(),
            MergedEntry::Reported(parent, index) => {
                self.merge_parent(index.map(|index| &before[index]), parent)
            }
        });
        entries.collect()
    }

    fn merge_parent(&mut self, known: Option<&Value>, report: &RouteParentStatus) -> Value {
        let mut parent = known.and_then(Value::as_object).cloned().unwrap_or_default();
        set(&mut parent, "parentRef", &report.parent_ref);
        set(&mut parent, "controllerName", &report.controller_name);
        self.set_conditions(&mut parent, &report.conditions, PARENT_CONDITIONS);
        Value::Object(parent)
    }

    fn set_conditions(
        &mut self,
        status: &mut Map<String, Value>,
        report: &[Condition],
        owned: &[ConditionType],
    ) {
        let before = array(status, "conditions");
        let live: Vec<_> = before.iter().map(read_condition).collect();
        let merged = merge_conditions(&live, report, owned, self.now);
        self.omitted_conditions += merged.omitted;
        let entries = merged.entries.into_iter().map(|entry| match entry {
            MergedEntry::Foreign(index) => before[index].clone(),
            // All fields of a condition are known.
            MergedEntry::Reported(condition, _) => json!(condition),
        });
        let conditions = entries.collect();
        status.insert("conditions".to_owned(), Value::Array(conditions));
    }
}

fn read_condition(known: &Value) -> LiveCondition<'_> {
    LiveCondition {
        condition_type: known["type"].as_str(),
        state: LiveState {
            status: ConditionStatus::deserialize(&known["status"]).ok(),
            last_transition_time: Timestamp::deserialize(&known["lastTransitionTime"]).ok(),
        },
    }
}

fn array(object: &Map<String, Value>, field: &str) -> Vec<Value> {
    object.get(field).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn set(object: &mut Map<String, Value>, field: &str, value: &impl Serialize) {
    object.insert(field.to_owned(), json!(value));
}
