//! The embedded OpenAPI schemas and custom resource definitions. `data/README.md` has their
//! sources.

use serde_json::{Map, Value};

/// Parsed definitions. They are large and not kept in memory: the schemas are built from them once,
/// and the OpenAPI documents once.
#[derive(Debug)]
pub(super) struct Definitions {
    kubernetes: Value,
    gateway_api: Value,
}

impl Definitions {
    /// Parses the embedded files.
    pub(super) fn parse() -> Self {
        let parse = |text| serde_json::from_str(text).expect("a test parses the embedded files");
        Self {
            kubernetes: parse(include_str!("data/kubernetes.json")),
            gateway_api: parse(include_str!("data/gateway-api.json")),
        }
    }

    /// Returns the types of Kubernetes by name.
    pub(super) fn schemas(&self) -> &Map<String, Value> {
        self.kubernetes["schemas"].as_object().expect("the schemas are an object")
    }

    /// Returns the built-in resources, in the format of an `APIResourceList`.
    pub(super) fn built_in(&self) -> impl Iterator<Item = &Value> {
        self.kubernetes["resources"].as_array().into_iter().flatten()
    }

    /// Returns the specifications of the custom resource definitions.
    pub(super) fn custom(&self) -> impl Iterator<Item = &Value> {
        self.gateway_api["definitions"].as_array().into_iter().flatten()
    }

    /// Returns the name of the built-in type of a kind.
    pub(super) fn type_name(&self, group: &str, version: &str, kind: &str) -> Option<&str> {
        let is_kind = |schema: &Value| {
            let kinds = schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten();
            let mut kinds = kinds;
            kinds.any(|one| {
                one["group"] == group && one["version"] == version && one["kind"] == kind
            })
        };
        let found = self.schemas().iter().find(|(_, schema)| is_kind(schema));
        found.map(|(name, _)| name.as_str())
    }
}

/// Returns the name of the type that a `$ref` refers to.
pub(super) fn referenced_name(reference: &Value) -> &str {
    let reference = reference.as_str().unwrap_or_default();
    reference.rsplit('/').next().unwrap_or_default()
}
