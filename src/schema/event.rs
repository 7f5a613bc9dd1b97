//! Conversion of Events between their two groups. Both have the same contents, under other names.

use serde_json::Value;

/// Group of an Event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventGroup {
    /// The core group, in which Events are stored.
    Core,
    /// The group `events.k8s.io`.
    Events,
}

/// Names of fields in the core group and in `events.k8s.io`.
const FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// Converts an Event to a group. Nothing changes if the Event is of this group.
pub fn convert_event(event: &mut Value, group: EventGroup) {
    let api_version = match group {
        EventGroup::Core => "v1",
        EventGroup::Events => "events.k8s.io/v1",
    };
    let Some(event) = event.as_object_mut() else { return };
    for (core, events) in FIELDS {
        let (from, to) = match group {
            EventGroup::Core => (events, core),
            EventGroup::Events => (core, events),
        };
        if let Some(value) = event.remove(from) {
            event.insert(to.into(), value);
        }
    }
    event.insert("apiVersion".into(), api_version.into());
}

/// Returns a field of an Event of either group, by its name in the core group.
pub(super) fn core_field<'a>(event: &'a Value, name: &str) -> &'a Value {
    let is_core = event["apiVersion"] != "events.k8s.io/v1";
    let renamed = FIELDS.iter().find(|(core, _)| *core == name && !is_core);
    &event[renamed.map_or(name, |(_, events)| events)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::find_kind;
    use crate::schema::prune::prune;

    #[test]
    fn event_is_converted_and_back() {
        let core = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "a"},
            "involvedObject": {"kind": "Gateway", "name": "a"},
            "message": "text",
            "reason": "Because",
            "source": {"component": "sluicegate"},
            "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:00:00Z",
            "count": 1,
            "reportingComponent": "sluicegate",
            "series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:00Z"},
        });
        let mut event = core.clone();
        convert_event(&mut event, EventGroup::Events);
        assert_eq!(event["apiVersion"], "events.k8s.io/v1");
        assert_eq!(event["regarding"], core["involvedObject"]);
        let unchanged = event.clone();
        convert_event(&mut event, EventGroup::Events);
        assert_eq!(event, unchanged);
        let (_, version) = find_kind("events.k8s.io", "v1", "Event").unwrap();
        assert_eq!(prune(&mut event, version), Vec::<String>::new());
        convert_event(&mut event, EventGroup::Core);
        assert_eq!(event, core);
        let (_, version) = find_kind("", "v1", "Event").unwrap();
        assert_eq!(prune(&mut event, version), Vec::<String>::new());
    }
}
