//! The verbs that change objects.

use hyper::body::Bytes;

use super::create::create;
use super::delete::delete;
use super::delete_collection::delete_collection;
use super::patch::patch;
use super::update::update;
use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::request::{ResourceRequest, Verb};
use crate::api::status::Status;

/// Carries out a request that changes objects. Its access was decided, and its body is within the
/// limit.
pub(in crate::api) async fn write(
    context: &Context,
    request: &ResourceRequest,
    body: Bytes,
) -> Result<Answer, Status> {
    match request.verb {
        Verb::Create => create(context, request, &body).await,
        Verb::Update => update(context, request, &body).await,
        Verb::Patch => patch(context, request, &body).await,
        Verb::Delete => delete(context, request, &body).await,
        Verb::DeleteCollection => delete_collection(context, request, &body).await,
        Verb::Get | Verb::List | Verb::Watch => Err(Status::method_not_allowed()),
    }
}
