use std::collections::BTreeSet;

use super::*;
use crate::schema::resources;

fn document(path: &str) -> Value {
    serde_json::from_str(&openapi_document(path).unwrap().body).unwrap()
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str() {
                    Some(text) if key == "$ref" => {
                        found.insert(text.to_owned());
                    }
                    _ => collect_references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

#[test]
fn index_lists_every_group_version_with_its_hash() {
    let index = openapi_index();
    let paths: Vec<_> = index["paths"].as_object().unwrap().keys().collect();
    let expected = [
        "api/v1",
        "apis/apps/v1",
        "apis/coordination.k8s.io/v1",
        "apis/discovery.k8s.io/v1",
        "apis/events.k8s.io/v1",
        "apis/gateway.networking.k8s.io/v1",
        "apis/gateway.networking.k8s.io/v1alpha2",
        "apis/gateway.networking.k8s.io/v1beta1",
    ];
    assert_eq!(paths, expected);
    let hash = &openapi_document("api/v1").unwrap().hash;
    let url = format!("/openapi/v3/api/v1?hash={hash}");
    assert_eq!(index["paths"]["api/v1"]["serverRelativeURL"], url);
    assert!(openapi_document("apis/batch/v1").is_none());
}

#[test]
fn references_lead_to_schemas_of_the_document() {
    for path in DOCUMENTS.keys() {
        let document = document(path);
        let mut found = BTreeSet::new();
        collect_references(&document, &mut found);
        let mut schemas: BTreeSet<_> =
            document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
        for reference in found {
            let name = reference.strip_prefix("#/components/schemas/").unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{path}: {name}");
            schemas.remove(name);
        }
        assert!(schemas.is_empty(), "{path} has schemas that nothing refers to: {schemas:?}");
    }
}

/// `kubectl explain` finds the kind of a path, then the schema with this kind.
#[test]
fn kinds_have_a_path_and_a_schema() {
    for resource in resources() {
        for version in resource.versions() {
            let api = if resource.group().is_empty() { "api" } else { "apis" };
            let path = format!("{api}/{}", resource.api_version(version));
            let document = document(&path);
            let kind = json!({"group": resource.group(), "version": version.name(), "kind": resource.kind()});
            let get = &document["paths"][format!("/{path}/{}", resource.plural())]["get"];
            assert_eq!(get["x-kubernetes-group-version-kind"], kind);
            let mut schemas = document["components"]["schemas"].as_object().unwrap().values();
            let schema = schemas.find(|one| {
                let kinds = one["x-kubernetes-group-version-kind"].as_array();
                kinds.is_some_and(|kinds| kinds.contains(&kind))
            });
            let schema = schema.unwrap_or_else(|| panic!("no schema of {kind}"));
            assert!(
                schema["properties"]["metadata"]["allOf"][0]["$ref"]
                    .as_str()
                    .unwrap()
                    .ends_with(".ObjectMeta")
            );
        }
    }
}

/// `kubectl apply` looks for the parameter `fieldValidation`, and for the content type of strategic
/// merge patches.
#[test]
fn patch_operations_list_the_supported_types() {
    for (path, object, is_strategic) in [
        ("apis/apps/v1", "deployments", true),
        ("apis/gateway.networking.k8s.io/v1", "gateways", false),
    ] {
        let document = document(path);
        let path = format!("/{path}/namespaces/{{namespace}}/{object}/{{name}}");
        let patch = &document["paths"][&path]["patch"];
        let parameters = patch["parameters"].as_array().unwrap();
        let is_validation = |one: &Value| one["name"] == "fieldValidation" && one["in"] == "query";
        assert!(parameters.iter().any(is_validation), "{path}");
        let content = patch["requestBody"]["content"].as_object().unwrap();
        let strategic = "application/strategic-merge-patch+json";
        assert_eq!(content.contains_key(strategic), is_strategic, "{path}");
        assert!(content.contains_key("application/merge-patch+json"));
        assert!(document["paths"].get(format!("{path}/status")).is_some());
    }
}
