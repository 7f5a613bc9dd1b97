//! Result of reading an object of a manifest.

use super::error::ManifestError;
use crate::model::object::Object;
use crate::model::object_key::ObjectKey;
use crate::model::unserved::{UnservedKey, UnservedObject};

/// Result of reading one object of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The line on which the object's document begins, counted from 1.
    pub line: usize,
    /// Key of the object; absent if the document does not contain a valid one.
    pub key: Option<ObjectKey>,
    /// The object, or its errors.
    pub content: Content,
}

/// Content of an [`Entry`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A valid object.
    Object(Object),
    /// Description of an object that routing does not use, such as `apps/v1 Deployment`.
    Unsupported(String),
    /// An object that routing does not use, but which refers to objects that it uses, such as an
    /// HTTPRoute of a Gateway.
    Unserved(UnservedKey, UnservedObject),
    /// Errors of an invalid object, or of a document that cannot be parsed.
    Invalid(Vec<ManifestError>),
}
