//! Merging statuses: which parts change, and which stay.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::json::{MergedStatus, merge_status};
use super::object_status::ObjectStatus;
use crate::model::{
    Condition, ConditionStatus, ConditionType, GatewayClassStatus, GatewayController,
    GatewayStatus, ListenerStatus, ParentRef, Reason, RouteParentStatus,
};

const OUR_CONTROLLER: &str = "example.com/ours";
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

fn controller() -> GatewayController {
    OUR_CONTROLLER.parse().unwrap()
}

fn merge(live: &Value, report: ObjectStatus<'_>, now: Timestamp) -> MergedStatus {
    merge_status(live, report, |name| name == OUR_CONTROLLER, now)
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
    merge(live, ObjectStatus::GatewayClass(&class(conditions)), at(0)).status
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
    merge(live, ObjectStatus::TcpRoute(report), at(0)).status
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
        live("SupportedVersion", "True", 1), theirs, live("Accepted", "True", 1), live("Ready", "True", 1),
    ] });
    let after = merge_class(&before, vec![accepted(true, 1)]);
    assert_eq!(
        after["conditions"],
        json!([theirs, live("Accepted", "True", 1), live("Ready", "True", 1)])
    );
}

/// A condition type that this controller reports in one place belongs to others in another place.
#[test]
fn conditions_are_owned_by_place() {
    let types =
        ["Accepted", "Conflicted", "Programmed", "ResolvedRefs", "SupportedVersion", "Ready"];
    let conditions: Vec<_> = types.iter().map(|name| live(name, "True", 1)).collect();
    let types_in = |place: &Value| -> Vec<String> {
        let conditions = place["conditions"].as_array().unwrap().iter();
        conditions.map(|condition| condition["type"].as_str().unwrap().to_owned()).collect()
    };
    let reported = || vec![accepted(true, 1)];
    let class = merge_class(&json!({ "conditions": conditions }), reported());
    assert_eq!(types_in(&class), ["Accepted", "Conflicted", "Programmed", "ResolvedRefs", "Ready"]);

    let listener = ListenerStatus {
        name: "l".parse().unwrap(),
        supported_kinds: Vec::new(),
        attached_routes: 0,
        conditions: reported(),
    };
    let report = GatewayStatus {
        conditions: reported(),
        listeners: vec![listener],
        ..GatewayStatus::default()
    };
    let before = json!({
        "conditions": conditions,
        "listeners": [{ "name": "l", "conditions": conditions }],
    });
    let gateway = merge(&before, ObjectStatus::Gateway(&report), at(0)).status;
    let expected = ["Accepted", "Conflicted", "ResolvedRefs", "SupportedVersion", "Ready"];
    assert_eq!(types_in(&gateway), expected);
    assert_eq!(types_in(&gateway["listeners"][0]), ["Accepted", "SupportedVersion", "Ready"]);

    let mut parent_entry = entry("g", OUR_CONTROLLER);
    parent_entry["conditions"] = json!(conditions);
    let route = merge_route(&json!({ "parents": [parent_entry] }), &[parent("g", 1)]);
    let expected = ["Accepted", "Conflicted", "Programmed", "SupportedVersion", "Ready"];
    assert_eq!(types_in(&route["parents"][0]), expected);
}

/// An API server refuses a status with more entries, so others could block every write.
#[test]
fn parents_of_this_controller_are_left_out_without_room() {
    let theirs: Vec<_> =
        (0..31).map(|number| entry(&format!("g{number}"), "example.com/theirs")).collect();
    let before = json!({ "parents": theirs });
    let report = [parent("a", 1), parent("b", 1)];
    let merged = merge(&before, ObjectStatus::TcpRoute(&report), at(0));
    let parents = merged.status["parents"].as_array().unwrap();
    assert_eq!((parents.len(), merged.omitted_parents), (32, 1));
    assert_eq!(parents[..31], theirs);
    assert_eq!(parents[31]["parentRef"]["name"], "a");
    // The entry that exists is kept, and not exchanged for another one.
    let again = merge(&merged.status, ObjectStatus::TcpRoute(&report), at(9));
    assert_eq!(again, merged);
    let reversed = [parent("b", 1), parent("a", 1)];
    let again = merge(&merged.status, ObjectStatus::TcpRoute(&reversed), at(9));
    assert_eq!(again, merged);
}

#[test]
fn conditions_of_this_controller_are_left_out_without_room() {
    let theirs: Vec<_> =
        (0..7).map(|number| live(&format!("example.com/{number}"), "True", 1)).collect();
    let before = json!({ "conditions": theirs });
    let reported = vec![accepted(true, 1), condition(ConditionType::SUPPORTED_VERSION, true, 1)];
    let report = class(reported);
    let merged = merge(&before, ObjectStatus::GatewayClass(&report), at(0));
    let conditions = merged.status["conditions"].as_array().unwrap();
    assert_eq!((conditions.len(), merged.omitted_conditions), (8, 1));
    assert_eq!(conditions[..7], theirs);
    assert_eq!(conditions[7]["type"], "Accepted");
    let again = merge(&merged.status, ObjectStatus::GatewayClass(&report), at(9));
    assert_eq!(again, merged);
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

/// A gateway that serves every GatewayClass has several controller names.
#[test]
fn parents_of_all_names_of_this_controller_are_ours() {
    let is_ours = |name: &str| [OUR_CONTROLLER, "example.com/also-ours"].contains(&name);
    let theirs = entry("g", "example.com/theirs");
    let before = json!({ "parents": [entry("gone", "example.com/also-ours"), theirs] });
    let of = |controller: &str| {
        let controller_name = controller.parse().unwrap();
        RouteParentStatus { controller_name, ..parent("g", 1) }
    };
    let report = [of("example.com/also-ours"), of("example.com/theirs")];
    let merged = merge_status(&before, ObjectStatus::TcpRoute(&report), is_ours, at(0)).status;
    let parents = merged["parents"].as_array().unwrap();
    assert_eq!(parents.len(), 2, "{parents:?}");
    assert_eq!(parents[0], theirs, "the report contains nothing about other controllers");
    assert_eq!(parents[1]["controllerName"], "example.com/also-ours");
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
        merge(&live, ObjectStatus::Gateway(&GatewayStatus::default()), at(0));
    }
}

fn conditions() -> impl Strategy<Value = Vec<Value>> {
    let types = ["Accepted", "SupportedVersion", "ResolvedRefs", "example.com/A", "example.com/B"];
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
        let merge = |live: &Value, now| {
            merge(live, ObjectStatus::TcpRoute(&report), now).status
        };
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
                .filter(|condition| {
                    let name = condition["type"].as_str().unwrap();
                    !["Accepted", "SupportedVersion"].contains(&name)
                })
                .cloned()
                .collect()
        };
        let before = json!({ "conditions": before });
        let report = class(vec![accepted(is_true, 1)]);
        let merge = |live: &Value, now| {
            merge(live, ObjectStatus::GatewayClass(&report), now).status
        };
        let once = merge(&before, at(100));
        prop_assert_eq!(&merge(&once, at(200)), &once);
        prop_assert_eq!(theirs(&once["conditions"]), theirs(&before["conditions"]));
        prop_assert_eq!(once["conditions"].as_array().unwrap().len(), theirs(&once["conditions"]).len() + 1);
    }
}
