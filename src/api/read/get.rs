//! The verb `get`.

use http::StatusCode;

use super::list_options::revision;
use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::request::ResourceRequest;
use crate::api::status::Status;
use crate::store::ReadError;

/// Answers an object. Its subresource `status` is the whole object.
pub(in crate::api) fn get(context: &Context, request: &ResourceRequest) -> Result<Answer, Status> {
    let oldest = revision(&request.query)?;
    // The revision is read before the object, so that the object is at least as new.
    let newest = context.store.revision();
    if let Some(requested) = oldest.filter(|oldest| *oldest > newest) {
        return Err(Status::of_read_error(&ReadError::TooNew { requested, newest }));
    }
    let object = request.key().and_then(|key| context.store.get(&key));
    let object = object.ok_or_else(|| Status::not_found(request))?;
    Ok(Answer::object(StatusCode::OK, &object))
}
