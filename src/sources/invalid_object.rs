//! Deserialization of objects from JSON, with errors that contain the path of the invalid field.

use serde_json::Value;

/// The object does not match the schema of its kind.
#[derive(Debug, thiserror::Error)]
#[error("field `{path}` is invalid")]
pub(super) struct InvalidObject {
    pub(super) path: String,
    #[source]
    pub(super) source: serde_json::Error,
}

/// Deserializes an object.
pub(super) fn deserialize<'a, T>(
    object: &'a Value,
    read: impl FnOnce(serde_path_to_error::Deserializer<'_, '_, &'a Value>) -> serde_json::Result<T>,
) -> Result<T, InvalidObject> {
    let mut track = serde_path_to_error::Track::new();
    read(serde_path_to_error::Deserializer::new(object, &mut track))
        .map_err(|source| InvalidObject { path: track.path().to_string(), source })
}
