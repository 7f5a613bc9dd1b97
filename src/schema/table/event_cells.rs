//! Cells of Events. The cells of both groups are those of the core group.

use serde_json::Value;

use super::age::age;
use crate::model::Timestamp;
use crate::schema::event::core_field;

pub(super) fn last_seen(event: &Value, now: Timestamp) -> Value {
    let last = event.pointer("/series/lastObservedTime");
    match last.unwrap_or_else(|| core_field(event, "lastTimestamp")).as_str() {
        Some(last) => age(Some(last), now).into(),
        None => first_seen(event, now),
    }
}

pub(super) fn first_seen(event: &Value, now: Timestamp) -> Value {
    let first = core_field(event, "firstTimestamp").as_str();
    age(first.or_else(|| event["eventTime"].as_str()), now).into()
}

pub(super) fn object(event: &Value, _: Timestamp) -> Value {
    let object = core_field(event, "involvedObject");
    let kind = text(object, "kind").to_lowercase();
    match text(object, "name") {
        "" => kind.into(),
        name => format!("{kind}/{name}").into(),
    }
}

pub(super) fn field_path(event: &Value, _: Timestamp) -> Value {
    text(core_field(event, "involvedObject"), "fieldPath").into()
}

pub(super) fn source(event: &Value, _: Timestamp) -> Value {
    let either = |old: &str, new: &str| match text(core_field(event, "source"), old) {
        "" => core_field(event, new).as_str().unwrap_or_default(),
        text => text,
    };
    let component = either("component", "reportingComponent");
    match either("host", "reportingInstance") {
        "" => component.into(),
        instance => format!("{component}, {instance}").into(),
    }
}

pub(super) fn message(event: &Value, _: Timestamp) -> Value {
    core_field(event, "message").as_str().unwrap_or_default().trim().into()
}

pub(super) fn count(event: &Value, _: Timestamp) -> Value {
    let count = event.pointer("/series/count").unwrap_or_else(|| core_field(event, "count"));
    count.as_i64().unwrap_or_default().max(1).into()
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::event::{EventGroup, convert_event};

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
