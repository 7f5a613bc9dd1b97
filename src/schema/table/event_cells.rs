//! Cells of Events. The cells of both groups are those of the core group.

use std::borrow::Cow;

use serde_json::Value;

use super::age::age;
use crate::model::Timestamp;
use crate::schema::event::{EventGroup, convert_event};

pub(super) fn last_seen(event: &Value, now: Timestamp) -> Value {
    let event = core(event);
    let last = event.pointer("/series/lastObservedTime").or_else(|| event.get("lastTimestamp"));
    match last.and_then(Value::as_str) {
        Some(last) => age(Some(last), now).into(),
        None => first_seen(&event, now),
    }
}

pub(super) fn first_seen(event: &Value, now: Timestamp) -> Value {
    let event = core(event);
    let first = event["firstTimestamp"].as_str().or_else(|| event["eventTime"].as_str());
    age(first, now).into()
}

pub(super) fn object(event: &Value, _: Timestamp) -> Value {
    let event = core(event);
    let object = &event["involvedObject"];
    let kind = text(object, "kind").to_lowercase();
    match text(object, "name") {
        "" => kind.into(),
        name => format!("{kind}/{name}").into(),
    }
}

pub(super) fn field_path(event: &Value, _: Timestamp) -> Value {
    text(&core(event)["involvedObject"], "fieldPath").into()
}

pub(super) fn source(event: &Value, _: Timestamp) -> Value {
    let event = core(event);
    let either = |old: &str, new: &str| match text(&event["source"], old) {
        "" => text(&event, new).to_owned(),
        text => text.to_owned(),
    };
    let component = either("component", "reportingComponent");
    match either("host", "reportingInstance") {
        instance if instance.is_empty() => component.into(),
        instance => format!("{component}, {instance}").into(),
    }
}

pub(super) fn message(event: &Value, _: Timestamp) -> Value {
    text(&core(event), "message").trim().into()
}

pub(super) fn count(event: &Value, _: Timestamp) -> Value {
    let event = core(event);
    let count = event.pointer("/series/count").or_else(|| event.get("count"));
    count.and_then(Value::as_i64).unwrap_or_default().max(1).into()
}

/// Returns the Event with the field names of the core group.
fn core(event: &Value) -> Cow<'_, Value> {
    if event["apiVersion"].as_str().is_some_and(|version| version.starts_with("events.k8s.io/")) {
        let mut event = event.clone();
        convert_event(&mut event, EventGroup::Core);
        Cow::Owned(event)
    } else {
        Cow::Borrowed(event)
    }
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({
            "apiVersion": "v1",
            "involvedObject": {"kind": "Gateway", "name": "a", "fieldPath": "spec"},
            "source": {"component": "sluicegate"},
            "message": " text\n",
            "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:01:00Z",
            "count": 3,
        })
    }

    #[test]
    fn event_shows_its_object_and_age() {
        let now = "2026-01-01T00:01:30Z".parse().unwrap();
        let core = event();
        let mut new = event();
        convert_event(&mut new, EventGroup::Events);
        for event in [core, new] {
            assert_eq!(
                (last_seen(&event, now), first_seen(&event, now)),
                ("30s".into(), "90s".into())
            );
            assert_eq!(
                (object(&event, now), field_path(&event, now)),
                ("gateway/a".into(), "spec".into())
            );
            assert_eq!(
                (source(&event, now), message(&event, now)),
                ("sluicegate".into(), "text".into())
            );
            assert_eq!(count(&event, now), 3);
        }
    }

    #[test]
    fn event_without_old_fields_shows_the_new_ones() {
        let now = "2026-01-01T00:01:30Z".parse().unwrap();
        let event = json!({
            "apiVersion": "v1",
            "involvedObject": {"kind": "Gateway"},
            "reportingComponent": "a",
            "reportingInstance": "b",
            "eventTime": "2026-01-01T00:00:00.000000Z",
        });
        assert_eq!((last_seen(&event, now), first_seen(&event, now)), ("90s".into(), "90s".into()));
        assert_eq!((object(&event, now), count(&event, now)), ("gateway".into(), 1.into()));
        assert_eq!(source(&event, now), "a, b");
        let mut series = event;
        series["series"] = json!({"count": 7, "lastObservedTime": "2026-01-01T00:01:20Z"});
        assert_eq!((last_seen(&series, now), count(&series, now)), ("10s".into(), 7.into()));
    }
}
