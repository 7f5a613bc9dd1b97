//! The verb `update`.

use super::attempts::{check_preconditions, replace};
use super::object_body::{read_body, target};
use super::write_options::WriteOptions;
use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::request::{ResourceRequest, Subresource};
use crate::api::status::Status;

/// Replaces an object or its status. An object that does not exist is not created.
pub(super) async fn update(
    context: &Context,
    request: &ResourceRequest,
    body: &[u8],
) -> Result<Answer, Status> {
    let options = WriteOptions::parse(request, "UpdateOptions")?;
    let document = read_body(request, body)?;
    let key = request.key().ok_or_else(Status::method_not_allowed)?;
    // A conflict is reported before errors of the object: the client reads the object again.
    if let Some(old) = context.store.get(&key) {
        check_preconditions(&document.value, &key, &old)
            .map_err(|error| Status::of_write_error(&error, request))?;
    }
    let target = target(request);
    replace(context, request, options, |old| match request.subresource {
        Some(Subresource::Status) => {
            context.admission.update_status(&target, document.clone(), options.validation, old)
        }
        None => context.admission.update(&target, document.clone(), options.validation, old),
    })
    .await
}
