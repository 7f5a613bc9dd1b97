//! Paths and operations of a document.

use serde_json::{Map, Value, json};

use super::components::{group_version_kind, meta_reference, reference, schema_name};
use crate::schema::definitions::Definitions;
use crate::schema::group_version::GroupVersion;
use crate::schema::patches::PatchType;
use crate::schema::resource::Resource;

/// Parameters of requests that write.
const WRITE: [&str; 3] = ["dryRun", "fieldManager", "fieldValidation"];
const DELETE: [&str; 3] = ["dryRun", "gracePeriodSeconds", "propagationPolicy"];
const LIST: [&str; 10] = [
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
];
const CONTENT_TYPES: [&str; 2] = ["application/json", "application/yaml"];

/// Returns the paths of a group version.
pub(super) fn paths(definitions: &Definitions, group_version: GroupVersion) -> Map<String, Value> {
    let mut paths = Map::new();
    for (resource, _) in group_version.resources() {
        let operations = Operations {
            resource,
            group_version,
            object: reference(&schema_name(definitions, group_version, resource.kind())),
            list: reference(&schema_name(definitions, group_version, resource.list_kind())),
        };
        operations.add_to(&mut paths);
    }
    paths
}

/// Operations of one resource.
struct Operations<'a> {
    resource: &'a Resource,
    group_version: GroupVersion,
    object: Value,
    list: Value,
}

impl Operations<'_> {
    fn add_to(&self, paths: &mut Map<String, Value>) {
        let prefix = format!("/{}", self.group_version.path());
        let plural = self.resource.plural();
        let collection = if self.resource.is_namespaced() {
            let all = format!("{prefix}/{plural}");
            paths.insert(all, json!({"get": self.read("list", &self.list, &LIST)}));
            format!("{prefix}/namespaces/{{namespace}}/{plural}")
        } else {
            format!("{prefix}/{plural}")
        };
        let object = format!("{collection}/{{name}}");
        if self.resource.has_status() {
            let operations = self.item(["get", "put", "patch"]);
            paths.insert(format!("{object}/status"), operations);
        }
        let mut operations = self.item(["get", "put", "patch"]);
        operations["delete"] = self.delete("delete");
        paths.insert(object, operations);
        let mut operations = json!({
            "parameters": self.path_parameters(false),
            "get": self.read("list", &self.list, &LIST),
            "post": self.write("post"),
        });
        if self.resource.verbs().iter().any(|verb| verb == "deletecollection") {
            operations["delete"] = self.delete("deletecollection");
        }
        paths.insert(collection, operations);
    }

    fn item(&self, actions: [&str; 3]) -> Value {
        let mut operations = json!({"parameters": self.path_parameters(true)});
        for action in actions {
            operations[action] = match action {
                "get" => self.read(action, &self.object, &["resourceVersion"]),
                "patch" => self.patch(),
                _ => self.write(action),
            };
        }
        operations
    }

    fn read(&self, action: &str, result: &Value, parameters: &[&str]) -> Value {
        json!({
            "parameters": query(parameters),
            "responses": {"200": {"description": "OK", "content": content(&CONTENT_TYPES, result)}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": self.kind(),
        })
    }

    fn write(&self, action: &str) -> Value {
        let mut operation = self.read(action, &self.object, &WRITE);
        operation["requestBody"] = json!({"content": content(&CONTENT_TYPES, &self.object)});
        operation
    }

    fn delete(&self, action: &str) -> Value {
        let mut operation = self.read(action, &meta_reference("Status"), &DELETE);
        let body = content(&CONTENT_TYPES, &meta_reference("DeleteOptions"));
        operation["requestBody"] = json!({"content": body});
        operation
    }

    /// Returns the PATCH operation. Its content types are the patch types that kubectl may use.
    fn patch(&self) -> Value {
        let types = PatchType::ALL.into_iter().filter(|one| one.is_supported_by(self.resource));
        let types: Vec<_> = types.map(PatchType::content_type).collect();
        let mut operation = self.read("patch", &self.object, &WRITE);
        let body = content(&types, &meta_reference("Patch"));
        operation["requestBody"] = json!({"content": body, "required": true});
        operation
    }

    fn kind(&self) -> Value {
        group_version_kind(self.group_version, self.resource.kind())
    }

    fn path_parameters(&self, has_name: bool) -> Vec<Value> {
        let names = [("name", has_name), ("namespace", self.resource.is_namespaced())];
        let present = names.into_iter().filter(|(_, is_present)| *is_present);
        present.map(|(name, _)| parameter(name, "path")).collect()
    }
}

fn query(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| parameter(name, "query")).collect()
}

fn parameter(name: &str, place: &str) -> Value {
    let value_type = match name {
        "limit" | "timeoutSeconds" | "gracePeriodSeconds" => "integer",
        "watch" | "allowWatchBookmarks" | "sendInitialEvents" => "boolean",
        _ => "string",
    };
    let mut parameter = json!({"name": name, "in": place, "schema": {"type": value_type}});
    if place == "path" {
        parameter["required"] = true.into();
    }
    parameter
}

fn content(types: &[&str], schema: &Value) -> Value {
    let types = types.iter().map(|one| ((*one).to_owned(), json!({"schema": schema})));
    types.collect::<Map<_, _>>().into()
}
