//! Merging statuses: which parts change, and which stay.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::merge::merge;
use crate::model::{
    Condition, ConditionStatus, ConditionType, GatewayClassStatus, GatewayController,
    GatewayStatus, ParentRef, Reason, RouteParentStatus,
};
use crate::sources::kube::object_status::ObjectStatus;

const OUR_CONTROLLER: &str = "example.com/ours";
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

fn controller() -> GatewayController {
    OUR_CONTROLLER.parse().unwrap()
}

/// Seconds since the epoch, and a half.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millisecond(seconds * 1000 + 500).unwrap()
}

fn condition(condition_type: ConditionType, status: bool, generation: i64) -> Condition {
    let status = if status { ConditionStatus::True } else { ConditionStatus::False };
    Condition::new(condition_type, status, Reason::ACCEPTED, "because", Some(generation))
}

fn accepted(status: bool, generation: i64) -> Condition {
    condition(ConditionType::ACCEPTED, status, generation)
}

fn live(condition_type: &str, status: &str, generation: i64) -> Value {
    json!({
        "type": condition_type,
        "status": status,
        "reason": "Accepted",
        "message": "because",
        "observedGeneration": generation,
        "lastTransitionTime": LONG_AGO,
    })
}

fn class(conditions: Vec<Condition>) -> GatewayClassStatus {
    GatewayClassStatus { conditions, supported_features: Vec::new() }
}

fn merge_class(live: &Value, conditions: Vec<Condition>) -> Value {
    merge(live, ObjectStatus::GatewayClass(&class(conditions)), &controller(), at(0))
}

fn parent(gateway: &str, generation: i64) -> RouteParentStatus {
    RouteParentStatus {
        parent_ref: ParentRef::gateway(gateway.parse().unwrap()),
        controller_name: controller(),
        conditions: vec![accepted(true, generation)],
    }
}

fn entry(gateway: &str, controller: &str) -> Value {
    let parent_ref = json!(ParentRef::gateway(gateway.parse().unwrap()));
    json!({
        "parentRef": parent_ref,
        "controllerName": controller,
        "conditions": [live("Accepted", "True", 1)],
        "unknown": { "z": 1, "a": [null, 2.5] },
    })
}

fn merge_route(live: &Value, report: &[RouteParentStatus]) -> Value {
    merge(live, ObjectStatus::TcpRoute(report), &controller(), at(0))
}

#[test]
fn transition_time_changes_only_with_the_status() {
    let before = json!({ "conditions": [live("Accepted", "True", 1)] });
    let same = merge_class(&before, vec![accepted(true, 2)]);
    assert_eq!(same["conditions"][0]["lastTransitionTime"], LONG_AGO);
    assert_eq!(same["conditions"][0]["observedGeneration"], 2);
    let flipped = merge_class(&before, vec![accepted(false, 1)]);
    assert_eq!(flipped["conditions"][0]["lastTransitionTime"], "1970-01-01T00:00:00Z");
    let new = merge_class(&json!({}), vec![accepted(true, 1)]);
    assert_eq!(new["conditions"][0]["lastTransitionTime"], "1970-01-01T00:00:00Z");
}

#[test]
fn transition_time_stays_when_message_or_reason_change() {
    let before = json!({ "conditions": [live("Accepted", "True", 1)] });
    let mut report = accepted(true, 1);
    report.message = "for another reason".into();
    report.reason = Reason::LISTENERS_NOT_VALID;
    let after = merge_class(&before, vec![report]);
    assert_eq!(after["conditions"][0]["message"], "for another reason");
    assert_eq!(after["conditions"][0]["reason"], "ListenersNotValid");
    assert_eq!(after["conditions"][0]["lastTransitionTime"], LONG_AGO);
}

#[test]
fn owned_conditions_are_removed_and_foreign_ones_stay() {
    let theirs = live("example.com/Theirs", "Unknown", 7);
    let before = json!({ "conditions": [
        live("Conflicted", "True", 1), theirs, live("Accepted", "True", 1), live("Ready", "True", 1),
    ] });
    let after = merge_class(&before, vec![accepted(true, 1)]);
    assert_eq!(
        after["conditions"],
        json!([theirs, live("Accepted", "True", 1), live("Ready", "True", 1)])
    );
}

#[test]
fn stale_parents_are_removed_even_the_last_one() {
    let theirs = entry("g", "example.com/theirs");
    let before =
        json!({ "parents": [entry("gone", OUR_CONTROLLER), theirs, entry("g", OUR_CONTROLLER)] });
    let after = merge_route(&before, &[parent("g", 1), parent("new", 1)]);
    let parents = after["parents"].as_array().unwrap();
    assert_eq!(parents[0], theirs);
    assert_eq!(
        parents[1],
        entry("g", OUR_CONTROLLER),
        "the entry is unchanged, including unknown fields"
    );
    assert_eq!(parents[2]["parentRef"], entry("new", OUR_CONTROLLER)["parentRef"]);
    assert_eq!(parents.len(), 3);
    let last = merge_route(&json!({ "parents": [entry("g", OUR_CONTROLLER)], "unknown": 1 }), &[]);
    assert_eq!(last, json!({ "parents": [], "unknown": 1 }));
}

#[test]
fn malformed_status_does_not_panic() {
    let odd = [
        json!(null),
        json!([]),
        json!("status"),
        json!({ "conditions": 1, "listeners": {}, "parents": "p" }),
        json!({ "conditions": [null, 1, {}], "listeners": [null, {}], "parents": [null, {}, []] }),
    ];
    for live in odd {
        merge_class(&live, vec![accepted(true, 1)]);
        merge_route(&live, &[parent("g", 1)]);
        merge(&live, ObjectStatus::Gateway(&GatewayStatus::default()), &controller(), at(0));
    }
}

fn conditions() -> impl Strategy<Value = Vec<Value>> {
    let types = ["Accepted", "Programmed", "Conflicted", "example.com/A", "example.com/B"];
    let statuses = prop::collection::vec(prop::sample::select(vec!["True", "False", "Unknown"]), 5);
    (prop::sample::subsequence(types.to_vec(), 0..=5), statuses).prop_map(|(types, statuses)| {
        types.iter().zip(statuses).map(|(name, status)| live(name, status, 1)).collect()
    })
}

fn parents() -> impl Strategy<Value = Vec<Value>> {
    let controllers = prop::sample::select(vec![OUR_CONTROLLER, "example.com/theirs"]);
    let gateways = prop::sample::select(vec!["a", "b", "c"]);
    let entry =
        (gateways, controllers, conditions()).prop_map(|(gateway, controller, conditions)| {
            let mut entry = entry(gateway, controller);
            entry["conditions"] = json!(conditions);
            entry
        });
    prop::collection::vec(entry, 0..6)
}

/// The entries of other controllers.
fn foreign(parents: &Value) -> Vec<&Value> {
    let parents = parents.as_array().unwrap().iter();
    parents.filter(|parent| parent["controllerName"] != OUR_CONTROLLER).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A merged status is not written again, even later.
    #[test]
    fn merge_of_the_same_report_is_idempotent(
        before in parents(),
        report in prop::sample::subsequence(vec!["a", "b", "c"], 0..=3),
        is_true in any::<bool>(),
    ) {
        let report: Vec<_> = report.into_iter().map(|gateway| {
            let mut report = parent(gateway, 1);
            report.conditions = vec![accepted(is_true, 1)];
            report
        }).collect();
        let merge = |live: &Value, now| merge(live, ObjectStatus::TcpRoute(&report), &controller(), now);
        let before = json!({ "parents": before, "unknown": 1.5 });
        let once = merge(&before, at(100));
        prop_assert_eq!(&merge(&once, at(200)), &once);
        prop_assert_eq!(foreign(&once["parents"]), foreign(&before["parents"]));
        prop_assert_eq!(&once["unknown"], &before["unknown"]);
        let ours = once["parents"].as_array().unwrap().len() - foreign(&once["parents"]).len();
        prop_assert_eq!(ours, report.len(), "one entry for each");
    }

    #[test]
    fn foreign_conditions_keep_content_and_order(
        before in conditions(),
        is_true in any::<bool>(),
    ) {
        let theirs = |conditions: &Value| -> Vec<Value> {
            let conditions = conditions.as_array().unwrap().iter();
            conditions
                .filter(|condition| condition["type"].as_str().unwrap().starts_with("example.com/"))
                .cloned()
                .collect()
        };
        let before = json!({ "conditions": before });
        let report = class(vec![accepted(is_true, 1)]);
        let merge = |live: &Value, now| {
            merge(live, ObjectStatus::GatewayClass(&report), &controller(), now)
        };
        let once = merge(&before, at(100));
        prop_assert_eq!(&merge(&once, at(200)), &once);
        prop_assert_eq!(theirs(&once["conditions"]), theirs(&before["conditions"]));
        prop_assert_eq!(once["conditions"].as_array().unwrap().len(), theirs(&once["conditions"]).len() + 1);
    }
}
