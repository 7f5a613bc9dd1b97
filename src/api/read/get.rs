//! The verb `get`.

use http::StatusCode;

use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::request::ResourceRequest;
use crate::api::status::Status;

/// Answers an object. Its subresource `status` is the whole object.
pub(in crate::api) fn get(context: &Context, request: &ResourceRequest) -> Result<Answer, Status> {
    let object = request.key().and_then(|key| context.store.get(&key));
    let object = object.ok_or_else(|| Status::not_found(request))?;
    Ok(Answer::object(StatusCode::OK, &object))
}
