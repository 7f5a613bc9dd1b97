//! The verbs that change objects.

use hyper::body::Bytes;

use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::request::ResourceRequest;
use crate::api::status::Status;

/// Carries out a request that changes objects. Its access was decided, and its body is within the
/// limit.
pub(in crate::api) async fn write(
    _context: &Context,
    _request: &ResourceRequest,
    _body: Bytes,
) -> Result<Answer, Status> {
    Err(Status::method_not_allowed())
}
