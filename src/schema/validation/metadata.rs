//! Rules of `metadata`, which are the same for all kinds.

use serde_json::{Map, Value};

use super::names::{key_error, label_error, subdomain_error, value_error};
use crate::schema::cause::Cause;
use crate::schema::causes::Causes;
use crate::schema::field_path::FieldPath;
use crate::schema::resource::Resource;

/// Longest sum of the keys and values of the annotations of an object.
const MAX_ANNOTATION_BYTES: u64 = 256 * 1024;

/// Validates the metadata of a new object. It has a name, or `generateName`, from which the store
/// makes a name.
pub fn validate_metadata(object: &Value, resource: &Resource) -> Causes {
    validate_change(&object["metadata"], &Value::Null, resource)
}

/// Validates the metadata of an object that replaces another one. Fields that do not change are not
/// checked.
pub fn validate_metadata_update(object: &Value, old: &Value, resource: &Resource) -> Causes {
    validate_change(&object["metadata"], &old["metadata"], resource)
}

fn validate_change(metadata: &Value, old: &Value, resource: &Resource) -> Causes {
    let path = FieldPath::ROOT.field("metadata");
    let mut causes = Causes::default();
    let is_changed = |field: &str| old.is_null() || metadata[field] != old[field];
    if is_changed("name") || is_changed("generateName") {
        check_name(metadata, resource, path, &mut causes);
    }
    if is_changed("namespace") {
        check_namespace(metadata, resource, path, &mut causes);
    }
    if is_changed("labels") {
        check_labels(&metadata["labels"], &path.field("labels"), &mut causes);
    }
    if is_changed("annotations") {
        check_annotations(&metadata["annotations"], path.field("annotations"), &mut causes);
    }
    if is_changed("ownerReferences") {
        check_owners(&metadata["ownerReferences"], path.field("ownerReferences"), &mut causes);
    }
    if is_changed("finalizers") {
        check_finalizers(&metadata["finalizers"], path.field("finalizers"), &mut causes);
    }
    causes
}

fn check_name(metadata: &Value, resource: &Resource, path: FieldPath<'_>, causes: &mut Causes) {
    let generate_path = path.field("generateName");
    let path = path.field("name");
    // The names of Services and Namespaces are parts of DNS names.
    let is_label =
        resource.group().is_empty() && ["Service", "Namespace"].contains(&resource.kind());
    let error = if is_label { label_error } else { subdomain_error };
    let prefix = metadata["generateName"].as_str().unwrap_or_default();
    if !prefix.is_empty() {
        // A character follows the last hyphen.
        let as_name = match prefix.strip_suffix('-') {
            Some(start) => format!("{start}a"),
            None => prefix.to_owned(),
        };
        if let Some(error) = error(&as_name) {
            causes.push(|| Cause::invalid(&generate_path, &prefix.into(), error));
        }
    }
    match metadata["name"].as_str().unwrap_or_default() {
        "" if !prefix.is_empty() => {}
        "" => causes.push(|| Cause::required(&path, "name or generateName is required")),
        name => {
            if let Some(error) = error(name) {
                causes.push(|| Cause::invalid(&path, &name.into(), error));
            }
        }
    }
}

fn check_namespace(
    metadata: &Value,
    resource: &Resource,
    path: FieldPath<'_>,
    causes: &mut Causes,
) {
    let path = path.field("namespace");
    match (metadata["namespace"].as_str().unwrap_or_default(), resource.is_namespaced()) {
        ("", true) => causes.push(|| Cause::required(&path, "")),
        ("", false) => {}
        (_, false) => causes.push(|| Cause::forbidden(&path, "not allowed on this type")),
        (name, true) => {
            if let Some(error) = label_error(name) {
                causes.push(|| Cause::invalid(&path, &name.into(), error));
            }
        }
    }
}

/// Checks the keys and values of labels, or of a selector.
pub(crate) fn check_labels(labels: &Value, path: &FieldPath<'_>, causes: &mut Causes) {
    for (key, value) in entries(labels) {
        if let Some(error) = key_error(key) {
            causes.push(|| Cause::invalid(path, &key.as_str().into(), &error));
        }
        if let Some(error) = value.as_str().and_then(value_error) {
            causes.push(|| Cause::invalid(path, value, error));
        }
    }
}

fn check_annotations(annotations: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let mut size = 0;
    for (key, value) in entries(annotations) {
        size += key.len() + value.as_str().map_or(0, str::len);
        // Unlike the keys of labels, these may have a prefix in upper case.
        if let Some(error) = key_error(&key.to_lowercase()) {
            causes.push(|| Cause::invalid(&path, &key.as_str().into(), &error));
        }
    }
    if size as u64 > MAX_ANNOTATION_BYTES {
        causes.push(|| Cause::too_long(&path, MAX_ANNOTATION_BYTES));
    }
}

fn check_owners(owners: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    let items = || owners.as_array().into_iter().flatten();
    for (index, owner) in items().enumerate() {
        let item = path.index(index);
        let text = |field: &str| owner[field].as_str().unwrap_or_default();
        for name in ["apiVersion", "kind", "name", "uid"] {
            if text(name).is_empty() {
                causes.push(|| Cause::required(&item.field(name), "must not be empty"));
            }
        }
        let api_version = text("apiVersion");
        if !api_version.is_empty() && !is_group_version(api_version) {
            let detail = "must be <group>/<version> or <version>";
            causes.push(|| Cause::invalid(&item.field("apiVersion"), &api_version.into(), detail));
        }
        if (api_version, text("kind")) == ("v1", "Event") {
            let detail = "/v1, Kind=Event is disallowed from being an owner";
            causes.push(|| Cause::invalid(&item, owner, detail));
        }
    }
    let text = |owner: &Value, field: &str| owner[field].as_str().unwrap_or_default().to_owned();
    let name = |owner: &Value| format!("{}/{}", text(owner, "kind"), text(owner, "name"));
    let controllers = items().filter(|owner| owner["controller"] == true);
    // Causes for further ones would repeat this one.
    if let [first, second] = &controllers.take(2).map(name).collect::<Vec<_>>()[..] {
        let detail = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for \
             {first} and {second}"
        );
        causes.push(|| Cause::invalid(&path, owners, &detail));
    }
}

fn check_finalizers(finalizers: &Value, path: FieldPath<'_>, causes: &mut Causes) {
    for finalizer in finalizers.as_array().into_iter().flatten() {
        if let Some(error) = finalizer.as_str().and_then(key_error) {
            causes.push(|| Cause::invalid(&path, finalizer, &error));
        }
    }
}

fn is_group_version(text: &str) -> bool {
    let version = text.split_once('/').map_or(text, |(_, version)| version);
    !version.is_empty() && !version.contains('/')
}

fn entries(map: &Value) -> impl Iterator<Item = (&String, &Value)> {
    map.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::find_kind;

    fn causes(kind: &str, metadata: Value) -> Vec<String> {
        let group = if kind == "GatewayClass" { "gateway.networking.k8s.io" } else { "" };
        let (resource, _) = find_kind(group, "v1", kind).unwrap();
        let causes = validate_metadata(&json!({"metadata": metadata}), resource);
        causes.iter().map(|cause| cause.to_string().chars().take(60).collect()).collect()
    }

    #[test]
    fn name_and_namespace_depend_on_the_kind() {
        for (kind, metadata, expected) in [
            ("ConfigMap", json!({"name": "a.b", "namespace": "n"}), &[][..]),
            (
                "Service",
                json!({"name": "a.b", "namespace": "n"}),
                &["metadata.name: Invalid value: \"a.b\": a lowercase RFC 1123 la"],
            ),
            (
                "ConfigMap",
                json!({"name": "A", "namespace": "N"}),
                &[
                    "metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subd",
                    "metadata.namespace: Invalid value: \"N\": a lowercase RFC 1123",
                ],
            ),
            (
                "ConfigMap",
                json!({}),
                &[
                    "metadata.name: Required value: name or generateName is requi",
                    "metadata.namespace: Required value",
                ],
            ),
            ("GatewayClass", json!({"name": "a.b"}), &[]),
            (
                "GatewayClass",
                json!({"name": "a", "namespace": "n"}),
                &["metadata.namespace: Forbidden: not allowed on this type"],
            ),
        ] {
            assert_eq!(causes(kind, metadata.clone()), expected, "{metadata}");
        }
    }

    #[test]
    fn labels_annotations_and_finalizers_are_checked() {
        let named = |extra: Value| {
            let mut metadata = json!({"name": "a"});
            metadata.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            causes("GatewayClass", metadata)
        };
        assert_eq!(named(json!({"labels": {"A/b": "c d"}})).len(), 2);
        assert_eq!(named(json!({"annotations": {"A/b": "c d"}})).len(), 0);
        assert_eq!(named(json!({"annotations": {"a b": ""}})).len(), 1);
        let size = |count| json!({"annotations": {"a": "b".repeat(count)}});
        assert_eq!(named(size(256 * 1024 - 1)).len(), 0);
        let expected = "metadata.annotations: Too long: may not be more than 262144 ";
        assert_eq!(named(size(256 * 1024)), [expected]);
        assert_eq!(named(json!({"finalizers": ["a/b", "a b"]})).len(), 1);
    }

    #[test]
    fn owners_are_complete_and_one_controls() {
        let owner = json!({"apiVersion": "apps/v1", "kind": "K", "name": "n", "uid": "u", "controller": true});
        let owners =
            |owners: Value| causes("GatewayClass", json!({"name": "a", "ownerReferences": owners}));
        assert_eq!(owners(json!([owner])).len(), 0);
        assert_eq!(owners(json!([owner, owner])).len(), 1);
        assert_eq!(owners(json!([owner, owner, owner])).len(), 1);
        assert_eq!(owners(json!([{}])).len(), 4);
        let event = json!({"apiVersion": "v1", "kind": "Event", "name": "n", "uid": "u"});
        assert_eq!(owners(json!([event])).len(), 1);
        let mut malformed = owner;
        malformed["apiVersion"] = "a/".into();
        assert_eq!(owners(json!([malformed])).len(), 1);
    }
}
