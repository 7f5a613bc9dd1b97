//! Rules of Events, which depend on the group of the request. Paths are those of the core group.

use serde_json::Value;

use super::immutable::check_same;
use super::names::check_qualified_name;
use super::read::{is_unset, text};
use crate::schema::{Cause, Causes, FieldPath};

/// Fields that a request of `events.k8s.io` cannot change, by their names in the core group.
const IMMUTABLE: [&str; 13] = [
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
];

pub(super) fn check(event: &Value, old: Option<&Value>, group: &str, causes: &mut Causes) {
    let root = FieldPath::ROOT;
    let is_new_style = !is_unset(&event["eventTime"]);
    check_namespace(event, is_new_style, causes);
    if is_new_style {
        check_fields(event, causes);
    }
    if group.is_empty() {
        return;
    }
    if old.is_none_or(|old| old["series"] != event["series"]) {
        check_series(&event["series"], causes);
    }
    if let Some(old) = old {
        for field in IMMUTABLE {
            check_same(event, old, field, &root, causes);
        }
        return;
    }
    if !is_new_style {
        causes.push(|| Cause::required(&root.field("eventTime"), ""));
    }
    let event_type = text(event, "type");
    if !["Normal", "Warning"].contains(&event_type) {
        let detail = format!("has invalid value: {event_type}");
        causes.push(|| Cause::invalid(&root.field("type"), &"".into(), &detail));
    }
    for field in ["firstTimestamp", "lastTimestamp", "count"] {
        if !is_unset(&event[field]) {
            causes.push(|| Cause::invalid(&root.field(field), &"".into(), "needs to be unset"));
        }
    }
    let source = &event["source"];
    if !(text(source, "component").is_empty() && text(source, "host").is_empty()) {
        causes.push(|| Cause::invalid(&root.field("source"), &"".into(), "needs to be unset"));
    }
}

/// Checks that an Event is in the namespace of its object. Those of cluster-scoped objects are in
/// `default`.
fn check_namespace(event: &Value, is_new_style: bool, causes: &mut Causes) {
    let namespace = text(&event["metadata"], "namespace");
    let involved = text(&event["involvedObject"], "namespace");
    let is_right = match involved {
        "" => namespace == "default" || is_new_style && namespace == "kube-system",
        _ => is_new_style || involved == namespace,
    };
    if !is_right {
        let object = FieldPath::ROOT.field("involvedObject");
        let detail = "does not match event.namespace";
        causes.push(|| Cause::invalid(&object.field("namespace"), &involved.into(), detail));
    }
}

/// Checks the fields of an Event that has the time of its series.
fn check_fields(event: &Value, causes: &mut Causes) {
    let root = FieldPath::ROOT;
    let controller = root.field("reportingController");
    if text(event, "reportingComponent").is_empty() {
        causes.push(|| Cause::required(&controller, ""));
    } else {
        check_qualified_name(&event["reportingComponent"], &controller, causes);
    }
    for (field, is_required, most) in [
        ("reportingInstance", true, 128),
        ("action", true, 128),
        ("reason", true, 128),
        ("message", false, 1024),
    ] {
        let (length, path) = (text(event, field).len(), root.field(field));
        if is_required && length == 0 {
            causes.push(|| Cause::required(&path, ""));
        }
        if length > most {
            let detail = format!("can have at most {most} characters");
            causes.push(|| Cause::invalid(&path, &"".into(), &detail));
        }
    }
}

fn check_series(series: &Value, causes: &mut Causes) {
    if series.is_null() {
        return;
    }
    let path = FieldPath::ROOT.field("series");
    if series["count"].as_f64().is_none_or(|count| count < 2.0) {
        causes.push(|| Cause::invalid(&path.field("count"), &"".into(), "should be at least 2"));
    }
    if is_unset(&series["lastObservedTime"]) {
        causes.push(|| Cause::required(&path.field("lastObservedTime"), ""));
    }
}
