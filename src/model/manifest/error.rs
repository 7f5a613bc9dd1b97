//! Errors in manifests.

use std::error::Error;
use std::fmt;

use super::position::Position;
use crate::model::object_key::ObjectKey;
use crate::model::truncate::{MAX_MESSAGE_LEN, truncate};

/// Error in a document of a manifest, with its position.
///
/// It is displayed as `line:column: object: field: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManifestError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
    /// Key of the object; absent if the document does not contain a valid one.
    pub object: Option<ObjectKey>,
    /// Path of the field in the object; empty for an error of the whole document.
    pub field: String,
    /// The problem, and the values that are allowed.
    pub message: String,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl Error for ManifestError {}

impl ManifestError {
    pub(super) fn new(
        position: Position,
        object: Option<ObjectKey>,
        mut field: String,
        mut message: String,
    ) -> Self {
        // Both may quote a document, in which a key or a value can have any length.
        truncate(&mut field, MAX_MESSAGE_LEN);
        truncate(&mut message, MAX_MESSAGE_LEN);
        Self { line: position.line(), column: position.column(), object, field, message }
    }
}
