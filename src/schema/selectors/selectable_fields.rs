//! Fields that a `fieldSelector` may name.

use serde_json::Value;

use crate::schema::resource::Resource;

const METADATA: [&str; 2] = ["metadata.name", "metadata.namespace"];
const CORE_EVENT: [&str; 11] = [
    "involvedObject.apiVersion",
    "involvedObject.fieldPath",
    "involvedObject.kind",
    "involvedObject.name",
    "involvedObject.namespace",
    "involvedObject.resourceVersion",
    "involvedObject.uid",
    "reason",
    "reportingComponent",
    "source",
    "type",
];
const EVENT: [&str; 10] = [
    "reason",
    "regarding.apiVersion",
    "regarding.fieldPath",
    "regarding.kind",
    "regarding.name",
    "regarding.namespace",
    "regarding.resourceVersion",
    "regarding.uid",
    "reportingController",
    "type",
];

/// Returns the fields of a resource that a selector may name.
pub(super) fn selectable_fields(resource: &Resource) -> impl Iterator<Item = &'static str> {
    let own: &[&str] = match (resource.group(), resource.kind()) {
        ("", "Event") => &CORE_EVENT,
        ("events.k8s.io", "Event") => &EVENT,
        ("", "Secret") => &["type"],
        ("", "Namespace") => &["status.phase"],
        ("", "Service") => &["spec.clusterIP", "spec.type"],
        _ => &[],
    };
    METADATA.iter().chain(own).copied()
}

/// Returns the value of a field; an absent field has an empty value.
pub(super) fn field_value<'a>(object: &'a Value, field: &str) -> &'a str {
    // The source of an Event is its component, which has two places.
    if field == "source" {
        let component = object["source"]["component"].as_str().filter(|text| !text.is_empty());
        return component.or_else(|| object["reportingComponent"].as_str()).unwrap_or_default();
    }
    let value = field.split('.').try_fold(object, |value, name| value.get(name));
    value.and_then(Value::as_str).unwrap_or_default()
}
