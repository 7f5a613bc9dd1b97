//! Schemas of a document: the kinds of a group version, and the types to which they refer.

use serde_json::{Map, Value, json};

use crate::schema::definitions::{Definitions, referenced_name};
use crate::schema::group_version::GroupVersion;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const GROUP_VERSION_KIND: &str = "x-kubernetes-group-version-kind";

/// Types to which the operations of every resource refer.
const OPERATION_TYPES: [&str; 3] = ["DeleteOptions", "Patch", "Status"];

/// Returns the name of the schema of a kind.
pub(super) fn schema_name(
    definitions: &Definitions,
    group_version: GroupVersion,
    kind: &str,
) -> String {
    let GroupVersion { group, version } = group_version;
    definitions.type_name(group, version, kind).map_or_else(
        || {
            // As in Kubernetes, the labels of a custom resource's group are in reverse order.
            let parts: Vec<_> = group.rsplit('.').collect();
            format!("{}.{version}.{kind}", parts.join("."))
        },
        str::to_owned,
    )
}

/// Returns a reference to a type of meta/v1.
pub(super) fn meta_reference(kind: &str) -> Value {
    reference(&format!("{META}{kind}"))
}

pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Returns the schemas of a group version by name.
pub(super) fn schemas(
    definitions: &Definitions,
    group_version: GroupVersion,
) -> Map<String, Value> {
    let mut schemas = Map::new();
    for (resource, version) in group_version.resources() {
        let name = |kind: &str| schema_name(definitions, group_version, kind);
        let (kind, list_kind) = (name(resource.kind()), name(resource.list_kind()));
        let definition = definitions.custom().find(|one| {
            one["group"] == group_version.group && one["names"]["kind"] == resource.kind()
        });
        let versions = definition.and_then(|one| one["versions"].as_array());
        let found = versions.into_iter().flatten().find(|one| one["name"] == version.name());
        if let Some(found) = found {
            let schema = &found["schema"]["openAPIV3Schema"];
            schemas.insert(kind.clone(), object(schema, group_version, resource.kind()));
            let list = list(&kind, group_version, resource.list_kind());
            schemas.insert(list_kind, list);
        } else {
            include(definitions, &kind, &mut schemas);
            include(definitions, &list_kind, &mut schemas);
        }
    }
    let own: Vec<_> = schemas.values().cloned().collect();
    for schema in &own {
        include_references(definitions, schema, &mut schemas);
    }
    for kind in OPERATION_TYPES {
        include(definitions, &format!("{META}{kind}"), &mut schemas);
    }
    schemas
}

/// Returns the schema of a custom resource, with the metadata of every object.
fn object(schema: &Value, group_version: GroupVersion, kind: &str) -> Value {
    let mut schema = schema.clone();
    schema[GROUP_VERSION_KIND] = json!([group_version_kind(group_version, kind)]);
    schema["properties"]["metadata"] = json!({
        "description": "Standard object's metadata.",
        "allOf": [meta_reference("ObjectMeta")],
    });
    schema
}

fn list(kind: &str, group_version: GroupVersion, list_kind: &str) -> Value {
    let text = |description: &str| json!({"description": description, "type": "string"});
    json!({
        "description": format!("{list_kind} is a list of objects."),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": text("Version of the schema."),
            "kind": text("Kind of the list."),
            "items": {"description": "The objects.", "type": "array", "items": reference(kind)},
            "metadata": {
                "description": "Metadata of the list.",
                "allOf": [meta_reference("ListMeta")],
            },
        },
        GROUP_VERSION_KIND: [group_version_kind(group_version, list_kind)],
    })
}

pub(super) fn group_version_kind(group_version: GroupVersion, kind: &str) -> Value {
    json!({"group": group_version.group, "version": group_version.version, "kind": kind})
}

/// Includes a type of Kubernetes, and those to which it refers.
fn include(definitions: &Definitions, name: &str, schemas: &mut Map<String, Value>) {
    if schemas.contains_key(name) {
        return;
    }
    if let Some(schema) = definitions.schemas().get(name) {
        schemas.insert(name.to_owned(), schema.clone());
        include_references(definitions, schema, schemas);
    }
}

fn include_references(definitions: &Definitions, value: &Value, schemas: &mut Map<String, Value>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if key == "$ref" {
                    include(definitions, referenced_name(value), schemas);
                } else {
                    include_references(definitions, value, schemas);
                }
            }
        }
        Value::Array(items) => {
            items.iter().for_each(|item| include_references(definitions, item, schemas));
        }
        _ => {}
    }
}
