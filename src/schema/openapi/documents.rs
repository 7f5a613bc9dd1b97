//! The documents and their index.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{components, operations};
use crate::model::stable_hash;
use crate::schema::definitions::Definitions;
use crate::schema::group_version::{GroupVersion, groups, versions};

static DOCUMENTS: LazyLock<BTreeMap<String, OpenApiDocument>> = LazyLock::new(build);

/// OpenAPI document of a group version.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenApiDocument {
    /// The document as JSON.
    pub body: String,
    /// Hash of the document, for the parameter `hash` and the header `ETag`. It changes with the
    /// document only, so that clients may keep the document.
    pub hash: String,
}

/// Returns the document at `/openapi/v3`: the paths of the others, with their hashes.
pub fn openapi_index() -> Value {
    let path = |(path, document): (&String, &OpenApiDocument)| {
        let url = format!("/openapi/v3/{path}?hash={}", document.hash);
        (path.clone(), json!({"serverRelativeURL": url}))
    };
    let paths: BTreeMap<_, _> = DOCUMENTS.iter().map(path).collect();
    json!({"paths": paths})
}

/// Returns the document at `/openapi/v3/PATH`, with a path such as `api/v1` or `apis/apps/v1`. The
/// first call builds all documents.
pub fn openapi_document(path: &str) -> Option<&'static OpenApiDocument> {
    DOCUMENTS.get(path)
}

fn build() -> BTreeMap<String, OpenApiDocument> {
    let definitions = Definitions::parse();
    let group_versions = groups().into_iter().flat_map(versions);
    group_versions.map(|one| (one.path(), document(&definitions, one))).collect()
}

fn document(definitions: &Definitions, group_version: GroupVersion) -> OpenApiDocument {
    let body = json!({
        "openapi": "3.0.0",
        "info": {"title": "sluicegate", "version": env!("CARGO_PKG_VERSION")},
        "paths": operations::paths(definitions, group_version),
        "components": {"schemas": components::schemas(definitions, group_version)},
    });
    let body = body.to_string();
    let hash = format!("{:016X}", stable_hash(&body));
    OpenApiDocument { body, hash }
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
