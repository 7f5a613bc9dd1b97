//! The verb `delete`.

use http::StatusCode;

use super::delete_options::DeleteOptions;
use super::store_answer::store_answer;
use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::request::ResourceRequest;
use crate::api::status::{Status, StatusDetails};
use crate::store::{Conflict, Key, Write, WriteEffect, WriteError};

/// Deletes an object. It is answered if it waits for finalizers or for the content of a namespace;
/// otherwise the answer is a Status.
pub(super) async fn delete(
    context: &Context,
    request: &ResourceRequest,
    body: &[u8],
) -> Result<Answer, Status> {
    let options = DeleteOptions::parse(request, body)?;
    let key = request.key().ok_or_else(Status::method_not_allowed)?;
    let written = store_answer(context, context.store.write(deletion(key, &options))).await?;
    let written = written.map_err(|error| status_of(&error, request))?;
    if written.effect != WriteEffect::Removed {
        return Ok(Answer::object(StatusCode::OK, &written.object));
    }
    let name = written.object.key().name();
    let uid = written.object.uid().to_owned();
    let details = StatusDetails { uid, ..StatusDetails::of(request, name) };
    Ok(Answer::status(Status::success(details)))
}

/// Returns the deletion of an object with these options.
pub(super) fn deletion(key: Key, options: &DeleteOptions) -> Write {
    let mut write = Write::delete(key).with_preconditions(options.preconditions.clone());
    if let Some(propagation) = options.propagation {
        write = write.with_propagation(propagation);
    }
    if options.is_dry_run { write.with_dry_run() } else { write }
}

fn status_of(error: &WriteError, request: &ResourceRequest) -> Status {
    match error {
        WriteError::Conflict { key, conflict: Conflict::Revision { expected, found } } => {
            let detail = format!(
                "the ResourceVersion in the precondition ({expected}) does not match the \
                 ResourceVersion in record ({found}). The object might have been modified"
            );
            Status::conflict(request, key.name(), &detail)
        }
        error => Status::of_write_error(error, request),
    }
}
