//! Decoding of the bodies of requests.

use crate::model::manifest::{ManifestError, deserialize_only};
use crate::schema::{JsonDocument, JsonError, parse_json};

/// Format of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyFormat {
    /// JSON.
    Json,
    /// YAML, read as kubectl reads it.
    Yaml,
}

/// Error of a body that cannot be decoded (400).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body is not JSON, or is nested too deeply.
    #[error("the body is not valid JSON")]
    Json(#[from] JsonError),
    /// The body is not YAML, is nested too deeply, or sets a key twice.
    #[error("the body is not valid YAML")]
    Yaml(#[from] ManifestError),
    /// The body is not UTF-8.
    #[error("the body is not valid UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
}

/// Decodes a body.
///
/// # Errors
/// Returns an error if the body is malformed, is nested too deeply, or continues after the object.
pub fn decode(body: &[u8], format: BodyFormat) -> Result<JsonDocument, DecodeError> {
    match format {
        BodyFormat::Json => Ok(parse_json(body)?),
        BodyFormat::Yaml => Ok(deserialize_only(std::str::from_utf8(body)?)?),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde_json::json;

    use super::*;

    fn error(body: &[u8], format: BodyFormat) -> String {
        let error = decode(body, format).unwrap_err();
        format!("{error}: {}", error.source().unwrap())
    }

    #[test]
    fn formats_give_the_same_object() {
        let json = decode(br#"{"a": [1, "yes"], "a": {"b": 1.5}}"#, BodyFormat::Json).unwrap();
        assert_eq!((json.value, json.duplicates), (json!({"a": {"b": 1.5}}), vec!["a".to_owned()]));
        let yaml = decode(b"a:\n  b: 1.5\nc: yes\n", BodyFormat::Yaml).unwrap();
        assert_eq!(yaml.value, json!({"a": {"b": 1.5}, "c": true}));
    }

    #[test]
    fn malformed_bodies_have_a_reason() {
        assert!(error(b"{", BodyFormat::Json).starts_with("the body is not valid JSON: "));
        assert!(error(b"a: 1\na: 2\n", BodyFormat::Yaml).contains("2:1: a: is already set"));
        assert!(error(b"a: .nan\n", BodyFormat::Yaml).contains("not finite"));
        assert!(error(b"a: \xff\n", BodyFormat::Yaml).starts_with("the body is not valid UTF-8"));
    }
}
