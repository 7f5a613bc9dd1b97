//! Types of patches.

use serde_json::Value;

use super::error::PatchError;
use super::{json_patch, strategic};
use crate::schema::json_document::{JsonDocument, parse_json};
use crate::schema::resource::{Resource, ServedVersion};

/// Type of a patch: the content type of a PATCH request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatchType {
    /// JSON patch (RFC 6902).
    Json,
    /// JSON merge patch (RFC 7386).
    Merge,
    /// Strategic merge patch, for built-in kinds only.
    StrategicMerge,
}

impl PatchType {
    /// All types.
    pub const ALL: [Self; 3] = [Self::Json, Self::Merge, Self::StrategicMerge];

    /// Returns the content type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::StrategicMerge => "application/strategic-merge-patch+json",
        }
    }

    /// Returns the type with a content type, without its parameters.
    pub fn from_content_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.content_type() == text)
    }

    /// Returns `true` if objects of a resource can be patched with this type. Kubernetes answers a
    /// strategic merge patch of a custom resource with 415.
    pub fn is_supported_by(self, resource: &Resource) -> bool {
        self != Self::StrategicMerge || !resource.is_custom()
    }
}

/// Returns an object after a patch, with the duplicate fields of the patch. The object has no
/// defaults yet, and may have unknown fields.
///
/// # Errors
/// Returns an error if the patch is malformed, cannot be applied, or exceeds a limit.
pub fn apply_patch(
    object: &Value,
    patch_type: PatchType,
    patch: &[u8],
    version: &ServedVersion,
) -> Result<JsonDocument, PatchError> {
    let expected = if patch_type == PatchType::Json { "JSON patch" } else { "JSON object" };
    let JsonDocument { value: patch, duplicates } = parse_json(patch)
        .map_err(|error| PatchError::Malformed { expected, source: error.into_source() })?;
    let mut value = object.clone();
    match (patch_type, patch, &mut value) {
        (PatchType::Json, patch, value) => json_patch::apply(value, patch)?,
        (PatchType::StrategicMerge, Value::Object(patch), Value::Object(value)) => {
            strategic::merge(value, patch, Some(version.schema()))?;
        }
        (_, patch @ Value::Object(_), value) => ::json_patch::merge(value, &patch),
        _ => return Err(PatchError::NotAnObject),
    }
    if value.is_object() {
        Ok(JsonDocument { value, duplicates })
    } else {
        Err(PatchError::NotAnObject)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::find_kind;

    fn patched(patch_type: PatchType, patch: &str) -> Result<Value, PatchError> {
        let (_, version) = find_kind("", "v1", "Service").unwrap();
        let object = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"ports": [{"port": 1}]}});
        apply_patch(&object, patch_type, patch.as_bytes(), version).map(|patched| patched.value)
    }

    #[test]
    fn each_type_has_its_meaning_of_lists() {
        let patch = r#"{"spec": {"ports": [{"port": 2}]}, "metadata": {"labels": {"a": null}}}"#;
        let merged = patched(PatchType::Merge, patch).unwrap();
        assert_eq!(merged["spec"]["ports"], json!([{"port": 2}]));
        assert_eq!(merged["metadata"], json!({"labels": {}}));
        let merged = patched(PatchType::StrategicMerge, patch).unwrap();
        assert_eq!(merged["spec"]["ports"], json!([{"port": 2}, {"port": 1}]));
        let patch = r#"[{"op": "add", "path": "/spec/ports/-", "value": {"port": 2}}]"#;
        let merged = patched(PatchType::Json, patch).unwrap();
        assert_eq!(merged["spec"]["ports"], json!([{"port": 1}, {"port": 2}]));
    }

    #[test]
    fn patches_and_results_are_objects() {
        for patch_type in [PatchType::Merge, PatchType::StrategicMerge] {
            for patch in ["[]", "5", "null", "{"] {
                assert!(patched(patch_type, patch).unwrap_err().is_malformed(), "{patch}");
            }
        }
        let patch = r#"[{"op": "replace", "path": "", "value": 5}]"#;
        assert!(matches!(patched(PatchType::Json, patch), Err(PatchError::NotAnObject)));
    }

    #[test]
    fn custom_resources_take_no_strategic_merge_patch() {
        let (service, _) = find_kind("", "v1", "Service").unwrap();
        let (gateway, _) = find_kind("gateway.networking.k8s.io", "v1", "Gateway").unwrap();
        for patch_type in PatchType::ALL {
            let content_type = patch_type.content_type();
            assert_eq!(PatchType::from_content_type(content_type), Some(patch_type));
            assert!(patch_type.is_supported_by(service));
            let is_strategic = patch_type == PatchType::StrategicMerge;
            assert_eq!(patch_type.is_supported_by(gateway), !is_strategic);
        }
        assert_eq!(PatchType::from_content_type("application/apply-patch+yaml"), None);
    }
}
