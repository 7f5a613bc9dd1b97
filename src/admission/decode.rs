//! Decoding of the bodies of requests.

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
    /// The body is no JSON, or is nested too deeply.
    #[error("the body is not valid JSON")]
    Json(#[from] JsonError),
    /// The body is no YAML, or is nested too deeply.
    #[error("the body is not valid YAML: line {line}: {message}")]
    Yaml {
        /// Line of the error, counted from 1.
        line: usize,
        /// Description.
        message: String,
    },
}

/// Decodes a body.
///
/// # Errors
/// Returns an error if the body is malformed, is nested too deeply, or continues after the object.
pub fn decode(body: &[u8], format: BodyFormat) -> Result<JsonDocument, DecodeError> {
    match format {
        BodyFormat::Json => Ok(parse_json(body)?),
        BodyFormat::Yaml => todo!(),
    }
}
