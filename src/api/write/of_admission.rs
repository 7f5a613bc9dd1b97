//! The Status of an object or a patch that admission refused.

use std::error::Error;

use crate::admission::AdmissionError;
use crate::api::request::ResourceRequest;
use crate::api::status::{Reason, Status};
use crate::schema::PatchError;

/// Creates the Status of a refused object of this name.
pub(super) fn status_of(error: AdmissionError, request: &ResourceRequest, name: &str) -> Status {
    match error {
        AdmissionError::Invalid(causes) => Status::invalid(request, name, causes),
        AdmissionError::Patch(error) => status_of_patch(&error),
        AdmissionError::Mismatch(_) | AdmissionError::Strict { .. } => {
            Status::bad_request(error.to_string())
        }
    }
}

fn status_of_patch(error: &PatchError) -> Status {
    let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    let message = format!("{error}{source}");
    if error.exceeds_limit() {
        Status::too_large(message)
    } else if error.is_malformed() {
        Status::bad_request(message)
    } else {
        Status::failure(Reason::Invalid, message)
    }
}
