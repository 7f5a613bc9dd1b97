//! Result of reading one object of a manifest.

use super::error::ManifestError;
use crate::model::object::Object;
use crate::model::object_key::ObjectKey;

/// One object of a manifest, or what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The line on which the object's document begins, counted from 1.
    pub line: usize,
    /// Which object it is, as far as that can be told.
    pub key: Option<ObjectKey>,
    /// The object, or why there is none.
    pub content: Content,
}

/// What an [`Entry`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A valid object.
    Object(Object),
    /// An object of a kind that routing does not read, such as `apps/v1 Deployment`.
    Unsupported(String),
    /// An object of ours that is wrong, or a document that cannot be read at all.
    Invalid(Vec<ManifestError>),
}
