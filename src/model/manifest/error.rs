//! Errors in manifests.

use std::error::Error;
use std::fmt;

use super::split::Document;
use crate::model::object_key::ObjectKey;

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
    /// Converts an error of the YAML library, whose text contains path, message and position.
    ///
    /// `line` is used for an error without a position.
    pub(super) fn from_yaml(error: &serde_yaml::Error, line: usize) -> Self {
        let (line, column) =
            error.location().map_or((line, 1), |position| (position.line(), position.column()));
        let text = error.to_string();
        let position = format!(" at line {line} column {column}");
        let text = text.strip_suffix(position.as_str()).unwrap_or(&text);
        let (field, message) = match text.split_once(": ") {
            Some((path, message)) if is_path(path) => (path, message),
            _ => ("", text),
        };
        Self { line, column, object: None, field: field.to_owned(), message: message.to_owned() }
    }

    /// Converts a line of the document's text to the line of the stream.
    pub(super) fn in_document(self, document: &Document<'_>) -> Self {
        Self { line: self.line + document.line - 1, ..self }
    }

    /// Adds the object, and makes the field relative to the object's path in the document.
    pub(super) fn in_object(self, prefix: &str, object: Option<ObjectKey>) -> Self {
        let field = match prefix {
            "" => self.field,
            _ => {
                let field = self.field.strip_prefix(prefix).unwrap_or_default();
                field.strip_prefix('.').unwrap_or_default().to_owned()
            }
        };
        Self { object, field, ..self }
    }
}

/// Returns `true` for a path: it contains no space, unlike the messages of the YAML library.
fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains(' ')
}
