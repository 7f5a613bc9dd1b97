//! Reading of a page of a list.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::error::ReadError;
use super::key::Key;
use super::list::{ContinueToken, ListPage, ListQuery};
use super::revision::Revision;
use super::state::{SharedState, State};
use super::stored_object::StoredObject;

/// Maximum number of objects in a part of a page with limits, besides the one that shows if there
/// is a further page. Writers wait while a part is cloned.
const MAX_PART: usize = 1_000;

/// Reads a page. If it has limits, this reads it in parts. The lock of the state covers the copy of
/// a part and the scan of the history, not the filter.
pub(super) fn read_page(
    state: &SharedState,
    query: &ListQuery,
    filter: impl Fn(&StoredObject) -> bool,
) -> Result<ListPage, ReadError> {
    let limit = query.limit.map_or(usize::MAX, NonZeroUsize::get);
    let is_limited = query.limit.is_some() || query.max_bytes < usize::MAX;
    let part_len = if is_limited { limit.min(MAX_PART) + 1 } else { usize::MAX };
    match read_in_parts(state, query, &filter, part_len) {
        // The client asked for no revision, and the history moved past that of the first part. A
        // single part needs no history.
        Err(ReadError::Gone { .. }) if query.start.is_none() && query.revision.is_none() => {
            read_in_parts(state, query, &filter, usize::MAX)
        }
        page => page,
    }
}

/// Reads a page in parts, the first one of `part_len` objects, all at the revision of the first
/// one.
fn read_in_parts(
    state: &SharedState,
    query: &ListQuery,
    filter: impl Fn(&StoredObject) -> bool,
    mut part_len: usize,
) -> Result<ListPage, ReadError> {
    let limit = query.limit.map_or(usize::MAX, NonZeroUsize::get);
    let mut revision = query.start.as_ref().map(ContinueToken::revision).or(query.revision);
    let mut start = query.start_key();
    let (mut objects, mut bytes, mut last) = (Vec::new(), 0, None);
    loop {
        let part = Part::read(&state.read(), query, revision, &start, part_len)?;
        let pinned = *revision.insert(part.revision);
        let end = part.end.clone();
        for object in part.into_objects() {
            if let Some(last) = last {
                let next = Some(ContinueToken::new(&last, pinned));
                let count = || count_after(&state.read(), query, pinned, &last);
                // The number is optional, so a page whose revision is gone by now has none.
                let remaining = query.has_count.then(count).and_then(Result::ok);
                return Ok(ListPage { revision: pinned, objects, next, remaining });
            }
            let key = object.key().clone();
            bytes += object.json_len();
            if filter(&object) {
                objects.push(object);
            }
            if objects.len() == limit || bytes >= query.max_bytes {
                last = Some(key);
            }
        }
        let Some(end) = end else {
            return Ok(ListPage { revision: pinned, objects, next: None, remaining: None });
        };
        (start, part_len) = (end, MAX_PART);
    }
}

/// Adjacent objects of a list.
struct Part {
    revision: Revision,
    /// The newest state of the objects.
    newest: Vec<Arc<StoredObject>>,
    /// The state at the revision of each object that was changed after it.
    changed: BTreeMap<Key, Option<Arc<StoredObject>>>,
    /// The last key of the part, unless this is the last part.
    end: Option<Key>,
}

impl Part {
    /// Reads objects after the key `start`: `len`, if there are so many.
    fn read(
        state: &State,
        query: &ListQuery,
        revision: Option<Revision>,
        start: &Key,
        len: usize,
    ) -> Result<Self, ReadError> {
        let revision = revision.unwrap_or_else(|| state.revision());
        if revision > state.revision() {
            return Err(ReadError::TooNew { requested: revision, newest: state.revision() });
        }
        let newest = state.objects().after(start).take_while(|object| query.contains(object.key()));
        let newest: Vec<_> = newest.take(len).cloned().collect();
        let end = newest.last().filter(|_| newest.len() == len).map(|last| last.key().clone());
        let changed = state.history().states_at(revision, |key| {
            query.contains(key) && key > start && end.as_ref().is_none_or(|end| key <= end)
        })?;
        Ok(Self { revision, newest, changed, end })
    }

    /// Returns the objects at the revision, in the order of their keys.
    fn into_objects(self) -> Vec<Arc<StoredObject>> {
        if self.changed.is_empty() {
            return self.newest;
        }
        let newest = self.newest.into_iter().map(|object| (object.key().clone(), Some(object)));
        let mut objects: BTreeMap<_, _> = newest.collect();
        objects.extend(self.changed);
        objects.into_values().flatten().collect()
    }
}

/// Returns the number of objects after the key `start`. This is a walk over the newest objects, but
/// clones none.
fn count_after(
    state: &State,
    query: &ListQuery,
    revision: Revision,
    start: &Key,
) -> Result<usize, ReadError> {
    let newest = state.objects().after(start);
    let newest = newest.take_while(|object| query.contains(object.key())).count();
    let is_in_rest = |key: &Key| query.contains(key) && key > start;
    let changed = state.history().states_at(revision, is_in_rest)?;
    let counted_then = changed.values().flatten().count();
    let counted_now = changed.keys().filter(|key| state.objects().get(key).is_some()).count();
    Ok(newest + counted_then - counted_now)
}
