//! The verb `list`.

use super::list_options::{ListOptions, RevisionMatch};
use crate::api::answer::Answer;
use crate::api::context::Context;
use crate::api::list::{ListSource, ObjectList};
use crate::api::request::{ResourceRequest, Selection};
use crate::api::status::{Reason, Status};
use crate::store::ReadError;

/// Text of Kubernetes for a continue token that has expired.
const EXPIRED_TOKEN: &str = "The provided continue parameter is too old to display a consistent \
    list result. You can start a new list without the continue parameter, or use the continue token \
    in this response to retrieve the remainder of the results. Continuing with the provided token \
    results in an inconsistent list - objects that were created, modified, or deleted between the \
    time the first chunk was returned and now may show up in the list.";

/// Answers a list of objects.
pub(in crate::api) fn list(context: &Context, request: &ResourceRequest) -> Result<Answer, Status> {
    let options = ListOptions::parse(&request.query)?;
    let selection = Selection::parse(request)?;
    let all = request.list_query();
    let mut query = options.page.apply(all.clone());
    if let RevisionMatch::Exact(revision) = options.revision {
        query = query.with_revision(revision);
    }
    // The store counts all further objects, not only those that the selectors match.
    if selection.is_everything() {
        query = query.with_count();
    }
    let page = context.store.list(&query, |object| selection.matches(object));
    let page = page.map_err(|error| match options.page.start {
        Some(token) => {
            let token = token.at_revision(context.store.revision());
            Status::failure(Reason::Expired, EXPIRED_TOKEN).with_continue(token.to_string())
        }
        None => Status::of_read_error(&error),
    })?;
    if let RevisionMatch::NotOlderThan(requested) = options.revision
        && requested > page.revision
    {
        let error = ReadError::TooNew { requested, newest: page.revision };
        return Err(Status::of_read_error(&error));
    }
    let source = ListSource { store: context.store.clone(), query: all, selection };
    Ok(Answer::page(ObjectList {
        objects: page.objects,
        revision: page.revision,
        next: page.next,
        remaining: page.remaining,
        source: Some(source),
    }))
}
