//! Reads the objects of a list in parts.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::vec;

use super::object_list::{ListSource, ObjectList};
use crate::store::{ContinueToken, ReadError, Revision, StoredObject};

/// Bytes of objects after which a part ends.
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
    /// Number of objects after the current part.
    remaining: usize,
    /// Position after the current part.
    position: Option<ContinueToken>,
    revision: Revision,
    source: Option<ListSource>,
}

impl ListReader {
    pub(super) fn new(list: ObjectList) -> Self {
        let count = list.objects.len();
        let mut reader = Self {
            part: Vec::new().into_iter(),
            remaining: count,
            position: None,
            revision: list.revision,
            source: list.source,
        };
        let part_len = if reader.source.is_some() { part_len(&list.objects) } else { count };
        reader.set_part(list.objects, part_len);
        reader
    }

    /// Returns the next object, or `None` at the end.
    ///
    /// # Errors
    /// Returns an error if the revision of the list is no longer in the history.
    pub(super) fn next(&mut self) -> Result<Option<Arc<StoredObject>>, ReadError> {
        if let Some(object) = self.part.next() {
            return Ok(Some(object));
        }
        let (Some(limit), Some(source)) = (NonZeroUsize::new(self.remaining), &self.source) else {
            return Ok(None);
        };
        let limit = limit.min(NonZeroUsize::new(PART_OBJECTS).unwrap_or(limit));
        let mut query = source.query.clone().with_limit(limit);
        if let Some(position) = &self.position {
            query = query.with_start(position.clone());
        }
        let page = source.store.list(&query, |object| source.selection.matches(object))?;
        let part_len = part_len(&page.objects);
        self.set_part(page.objects, part_len);
        Ok(self.part.next())
    }

    /// Keeps the first objects as the current part.
    fn set_part(&mut self, mut objects: Vec<Arc<StoredObject>>, part_len: usize) {
        objects.truncate(part_len);
        objects.shrink_to_fit();
        self.remaining -= objects.len();
        self.position = objects.last().map(|object| ContinueToken::after(object, self.revision));
        self.part = objects.into_iter();
    }
}

/// Returns the number of objects in a part: at least one, if there is one.
fn part_len(objects: &[Arc<StoredObject>]) -> usize {
    let mut bytes = 0;
    let is_within = |object: &&Arc<StoredObject>| {
        let is_within = bytes < PART_BYTES;
        bytes += object.json_len();
        is_within
    };
    objects.iter().take(PART_OBJECTS).take_while(is_within).count()
}
