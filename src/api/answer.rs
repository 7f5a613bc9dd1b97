//! Answers to requests, before they are rendered in the form that the client accepts.

use http::StatusCode;
use serde_json::Value;

use super::list::ObjectList;
use super::status::Status;
use crate::store::StoredObject;

/// Answer to a request for objects.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: StatusCode,
    pub(super) content: Content,
    /// Texts of Warning headers.
    pub(super) warnings: Vec<String>,
}

/// Content of an answer.
#[derive(Debug)]
pub(super) enum Content {
    /// An object in the version in which it is stored.
    Object(Value),
    List(Box<ObjectList>),
    Status(Status),
}

impl Answer {
    /// Answers an object of the store.
    pub(super) fn object(code: StatusCode, object: &StoredObject) -> Self {
        Self::value(code, object.to_value())
    }

    /// Answers an object in the version in which it is stored.
    pub(super) fn value(code: StatusCode, object: Value) -> Self {
        Self::new(code, Content::Object(object))
    }

    /// Answers a page of a list.
    pub(super) fn page(list: ObjectList) -> Self {
        Self::new(StatusCode::OK, Content::List(Box::new(list)))
    }

    /// Answers a Status.
    pub(super) fn status(status: Status) -> Self {
        Self::new(status.code(), Content::Status(status))
    }

    /// Adds warnings for the user.
    #[must_use]
    pub(super) fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    fn new(code: StatusCode, content: Content) -> Self {
        Self { code, content, warnings: Vec::new() }
    }
}
