//! Reads the objects of a list in parts.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::vec;

use super::object_list::{ListSource, ObjectList};
use crate::store::{ContinueToken, ReadError, StoredObject};

/// Bytes of objects after which a part ends. Objects that the selectors do not match count too,
/// because a field selector decodes them.
const PART_BYTES: usize = 1 << 20;

/// Maximum number of objects in a part.
const PART_OBJECTS: usize = 2_000;

/// Reader of a list.
///
/// It holds a part of the objects only. Old versions of objects stay in memory for as long as
/// something holds them, so that otherwise each client that reads slowly could hold a copy of all
/// objects.
#[derive(Debug)]
pub(super) struct ListReader {
    /// The rest of the current part.
    part: vec::IntoIter<Arc<StoredObject>>,
    /// Number of objects of the list after the current part.
    remaining: usize,
    /// Position after the current part.
    position: Option<ContinueToken>,
    source: Option<ListSource>,
}

/// Result of [`ListReader::next`].
#[derive(Debug)]
pub(super) enum NextObject {
    Object(Arc<StoredObject>),
    /// The selectors matched no object of a part. Others follow.
    NotYet,
    End,
}

impl ListReader {
    pub(super) fn new(list: ObjectList) -> Self {
        let ObjectList { mut objects, revision, source, .. } = list;
        let count = objects.len();
        if source.is_some() {
            objects.truncate(part_len(&objects));
            objects.shrink_to_fit();
        }
        Self {
            remaining: count - objects.len(),
            position: objects.last().map(|object| ContinueToken::after(object, revision)),
            part: objects.into_iter(),
            source,
        }
    }

    /// Returns the next object. One call reads at most one part.
    ///
    /// # Errors
    /// Returns an error if the revision of the list is no longer in the history.
    pub(super) fn next(&mut self) -> Result<NextObject, ReadError> {
        if let Some(object) = self.part.next() {
            return Ok(NextObject::Object(object));
        }
        let (Some(limit), Some(source)) = (NonZeroUsize::new(self.remaining), &self.source) else {
            return Ok(NextObject::End);
        };
        let limit = limit.min(NonZeroUsize::new(PART_OBJECTS).unwrap_or(limit));
        let mut query = source.query.clone().with_limit(limit).with_max_bytes(PART_BYTES);
        if let Some(position) = &self.position {
            query = query.with_start(position.clone());
        }
        let page = source.store.list(&query, |object| source.selection.matches(object))?;
        self.remaining = match &page.next {
            Some(_) => self.remaining.saturating_sub(page.objects.len()),
            None => 0,
        };
        self.position = page.next;
        self.part = page.objects.into_iter();
        Ok(self.part.next().map_or(NextObject::NotYet, NextObject::Object))
    }
}

/// Returns the number of objects in the first part: at least one, if there is one.
fn part_len(objects: &[Arc<StoredObject>]) -> usize {
    let mut bytes = 0;
    let is_within = |object: &&Arc<StoredObject>| {
        let is_within = bytes < PART_BYTES;
        bytes += object.json_len();
        is_within
    };
    objects.iter().take(PART_OBJECTS).take_while(is_within).count()
}
