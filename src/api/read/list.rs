//! The verb `list`.

use crate::api::answer::{Answer, ObjectList};
use crate::api::context::Context;
use crate::api::request::{ResourceRequest, Selection};
use crate::api::status::Status;
use crate::store::ListQuery;

/// Answers a list of objects.
pub(in crate::api) fn list(context: &Context, request: &ResourceRequest) -> Result<Answer, Status> {
    let selection = Selection::parse(request)?;
    let query = ListQuery::new(&request.stored);
    let page = context.store.list(&query, |object| selection.matches(object));
    let page = page.map_err(|error| Status::of_read_error(&error))?;
    let remaining = selection.is_everything().then_some(page.remaining);
    Ok(Answer::page(ObjectList {
        objects: page.objects,
        revision: page.revision,
        next: page.next,
        remaining,
    }))
}
