//! The verb `deletecollection`.

use super::delete::deletion;
use super::delete_options::DeleteOptions;
use super::store_answer::store_answer;
use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::list::ObjectList;
use crate::api::request::{PageOptions, ResourceRequest, Selection};
use crate::api::status::Status;
use crate::store::{Durability, WriteError};

/// Objects that are deleted in one transaction, so that other writers do not wait long.
const MAX_DELETED_AT_ONCE: usize = 500;

/// Deletes the objects that the selectors match, at most `limit`. The answer is the list of them,
/// as they were.
pub(super) async fn delete_collection(
    context: &Context,
    request: &ResourceRequest,
    body: &[u8],
) -> Result<Answer, Status> {
    let options = DeleteOptions::parse(request, body)?;
    let selection = Selection::parse(request)?;
    let query = PageOptions::parse(&request.query)?.apply(request.list_query());
    let page = context.store.list(&query, |object| selection.matches(object));
    let page = page.map_err(|error| Status::of_read_error(&error))?;
    for objects in page.objects.chunks(MAX_DELETED_AT_ONCE) {
        let writes = objects.iter().map(|object| deletion(object.key().clone(), &options));
        let results = context.store.write_all(writes.collect(), Durability::Synced);
        for result in store_answer(context, results).await? {
            match result {
                // Another client has deleted the object.
                Ok(_) | Err(WriteError::NotFound(_)) => {}
                Err(error) => return Err(Status::of_write_error(&error, request)),
            }
        }
    }
    Ok(Answer::page(ObjectList {
        objects: page.objects,
        revision: page.revision,
        next: page.next,
        remaining: None,
        source: None,
    }))
}
