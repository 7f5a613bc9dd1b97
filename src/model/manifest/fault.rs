//! What is wrong with a manifest, and where.

use std::fmt;

use crate::model::ObjectKey;

/// Something wrong with a document of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
    /// The object concerned, as far as it can be told.
    pub object: Option<ObjectKey>,
    /// The field's path from the object's root; empty where the document as a whole is meant.
    pub field: String,
    /// What was found, and what is allowed.
    pub message: String,
}

impl fmt::Display for Fault {
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

impl Fault {
    /// Takes an error of the YAML library apart, which runs path, message and place into one text.
    /// Some errors have no place; then `line` is where the document begins.
    pub(super) fn from_yaml(
        error: &serde_yaml::Error,
        object: Option<ObjectKey>,
        line: usize,
    ) -> Self {
        let (line, column) =
            error.location().map_or((line, 1), |place| (place.line(), place.column()));
        let text = error.to_string();
        let place = format!(" at line {line} column {column}");
        let text = text.strip_suffix(place.as_str()).unwrap_or(&text);
        let (field, message) = match text.split_once(": ") {
            Some((path, message)) if is_path(path) => (path, message),
            _ => ("", text),
        };
        Self { line, column, object, field: field.to_owned(), message: message.to_owned() }
    }
}

/// Paths have no blanks, the library's own messages do.
fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains(' ')
}
