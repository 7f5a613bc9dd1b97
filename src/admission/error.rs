//! Errors of admission.

use crate::schema::{Cause, CauseReason, PatchError, StrictDecodingError};

/// Reason why an object is not stored. The texts are those of Kubernetes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// The object is of another kind or version than the path, or has another name or namespace
    /// (400).
    #[error("{0}")]
    Mismatch(String),
    /// The object has unknown or duplicate fields, and the request forbids them (400; a patch is
    /// `Invalid`).
    #[error("{kind} in version {version:?} cannot be handled as a {kind}: {error}")]
    Strict {
        /// Kind of the resource.
        kind: &'static str,
        /// Version of the request.
        version: &'static str,
        /// The fields.
        error: StrictDecodingError,
    },
    /// Fields are invalid (422).
    #[error("the object is invalid: {}", join(.0))]
    Invalid(Vec<Cause>),
    /// The patch is malformed (400), cannot be applied (422) or exceeds a limit (413).
    #[error("the patch cannot be applied")]
    Patch(#[from] PatchError),
}

impl AdmissionError {
    /// Returns the error of a patch whose result has this error.
    ///
    /// Unknown and duplicate fields become a cause, as in Kubernetes: `kubectl edit` opens the
    /// editor again for causes only. Kubernetes repeats the whole object in the message.
    pub(super) fn of_patched(self) -> Self {
        match self {
            Self::Strict { error, .. } => Self::Invalid(vec![Cause {
                reason: CauseReason::Invalid,
                message: format!("{}: {error}", CauseReason::Invalid.title()),
                field: "patch".to_owned(),
            }]),
            other => other,
        }
    }
}

fn join(causes: &[Cause]) -> String {
    let causes: Vec<_> = causes.iter().map(ToString::to_string).collect();
    causes.join(", ")
}
