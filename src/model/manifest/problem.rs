//! Errors of a document that leave the rest of it readable.

use super::error::ManifestError;
use super::position::Position;
use crate::model::object_key::ObjectKey;

/// Error in the YAML of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) position: Position,
    /// Path of the mapping or list that contains the error, in the document.
    pub(super) parent: String,
    /// Name of the field in `parent`; empty for an error of `parent` itself.
    pub(super) field: String,
    pub(super) message: String,
}

impl Problem {
    /// Returns `true` for an error in the fields of the object itself.
    pub(super) fn is_at_root(&self) -> bool {
        self.parent.is_empty()
    }

    /// Returns the index of the item that contains the error, and the error with a path that begins
    /// at the item.
    ///
    /// # Errors
    /// Returns the problem itself if no item contains it.
    pub(super) fn in_item(self) -> Result<(usize, Self), Self> {
        let inner = self.parent.strip_prefix("items[").and_then(|rest| rest.split_once(']'));
        let item = inner.and_then(|(index, parent)| Some((index.parse().ok()?, parent)));
        match item {
            Some((index, parent)) => {
                let parent = parent.strip_prefix('.').unwrap_or(parent).to_owned();
                Ok((index, Self { parent, ..self }))
            }
            None => Err(self),
        }
    }

    /// Converts the problem to an error of an object.
    pub(super) fn of(self, object: Option<ObjectKey>) -> ManifestError {
        let separator = if self.parent.is_empty() || self.field.is_empty() { "" } else { "." };
        let field = [self.parent.as_str(), separator, &self.field].concat();
        ManifestError::new(self.position, object, field, self.message)
    }
}
