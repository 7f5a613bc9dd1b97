//! Requests for the tests of admission.

use serde_json::{Value, json};

use super::{Admission, AdmissionError, AdmittedObject, Settings, Target};
use crate::schema::{FieldValidation, JsonDocument, parse_json, resources};

/// Returns the target of a kind in its first version, in the namespace `n` if it has namespaces.
pub(super) fn target(kind: &str, name: Option<&'static str>) -> Target<'static> {
    let resource = resources().iter().find(|one| one.kind() == kind).unwrap();
    let namespace = resource.is_namespaced().then_some("n");
    Target { resource, version: resource.storage_version(), namespace, name }
}

pub(super) fn document(object: &Value) -> JsonDocument {
    parse_json(object.to_string().as_bytes()).unwrap()
}

/// Returns `object` with the name `a`, unless it has metadata.
pub(super) fn named(object: Value) -> Value {
    let mut object = object;
    if object.get("metadata").is_none() {
        object["metadata"] = json!({"name": "a"});
    }
    object
}

pub(super) fn create(kind: &str, object: Value) -> Result<AdmittedObject, AdmissionError> {
    let admission = Admission::new(Settings::new());
    let body = document(&named(object));
    admission.create(&target(kind, None), body, FieldValidation::Strict)
}

pub(super) fn update(
    kind: &str,
    object: Value,
    old: &Value,
) -> Result<AdmittedObject, AdmissionError> {
    let admission = Admission::new(Settings::new());
    let mut object = named(object);
    object["metadata"]["resourceVersion"] = "1".into();
    let target = target(kind, Some("a"));
    admission.update(&target, document(&object), FieldValidation::Strict, old)
}

/// Returns the causes as texts of at most 100 characters, or none if the object is admitted.
pub(super) fn causes(result: Result<AdmittedObject, AdmissionError>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(AdmissionError::Invalid(causes)) => {
            causes.iter().map(|cause| cause.to_string().chars().take(100).collect()).collect()
        }
        Err(error) => vec![error.to_string()],
    }
}

/// Checks that an object is refused with exactly these causes: the beginnings of their texts.
#[track_caller]
pub(super) fn assert_causes(result: Result<AdmittedObject, AdmissionError>, expected: &[&str]) {
    let found = causes(result);
    let is_same = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| found.starts_with(expected));
    assert!(is_same, "found {found:#?}, expected {expected:#?}");
}

/// Returns `object` with another value at a JSON pointer; `null` removes it.
pub(super) fn with(object: &Value, pointer: &str, value: Value) -> Value {
    let mut object = object.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(map), Value::Null) => _ = map.remove(name),
        (Value::Object(map), value) => _ = map.insert(name.into(), value),
        (Value::Array(items), value) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("{pointer} leads to no list or object"),
    }
    object
}
