//! Changes that are prepared on top of the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::identity::Identities;
use crate::store::change::{Change, ChangeKind};
use crate::store::draft::Draft;
use crate::store::error::{Conflict, WriteError};
use crate::store::key::Key;
use crate::store::resource::Resource;
use crate::store::revision::Revision;
use crate::store::state::State;
use crate::store::stored_object::StoredObject;
use crate::store::write::{Preconditions, WriteEffect, WriteResult};

/// Limits of objects.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Limits {
    pub(in crate::store) object_bytes: usize,
    pub(in crate::store) bytes: u64,
}

/// Changes of a group of writes, each of which sees those before it.
///
/// Nothing is visible to readers until the changes are stored and published.
#[derive(Debug)]
pub(in crate::store) struct Staging<'a> {
    state: &'a State,
    pub(super) identities: &'a Identities,
    pub(super) namespaces: &'a Resource,
    limits: Limits,
    overlay: BTreeMap<Key, Option<Arc<StoredObject>>>,
    changes: Vec<Change>,
    revision: Revision,
    bytes: u64,
    /// `true` while a write is only checked.
    is_dry_run: bool,
    /// `false` while an object is being deleted: the limits do not prevent that.
    is_limited: bool,
}

impl<'a> Staging<'a> {
    /// Begins changes on top of a state. Their revisions are greater than `newest`.
    pub(in crate::store) fn new(
        state: &'a State,
        newest: Revision,
        identities: &'a Identities,
        namespaces: &'a Resource,
        limits: Limits,
    ) -> Self {
        Self {
            state,
            identities,
            namespaces,
            limits,
            overlay: BTreeMap::new(),
            changes: Vec::new(),
            revision: newest,
            bytes: state.objects().bytes(),
            is_dry_run: false,
            is_limited: false,
        }
    }

    /// Begins a write. A dry run stages nothing; the limits are not checked unless `is_limited`.
    pub(super) fn begin(&mut self, is_dry_run: bool, is_limited: bool) {
        (self.is_dry_run, self.is_limited) = (is_dry_run, is_limited);
    }

    /// Returns the changes, in the order of their revisions.
    pub(in crate::store) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    pub(in crate::store) fn get(&self, key: &Key) -> Option<&Arc<StoredObject>> {
        match self.overlay.get(key) {
            Some(staged) => staged.as_ref(),
            None => self.state.objects().get(key),
        }
    }

    /// Returns the object, if it exists and meets the preconditions.
    pub(super) fn expect(
        &self,
        key: &Key,
        preconditions: &Preconditions,
    ) -> Result<Arc<StoredObject>, WriteError> {
        let object = self.get(key).ok_or_else(|| WriteError::NotFound(key.clone()))?;
        let conflict = |conflict| Err(WriteError::Conflict { key: key.clone(), conflict });
        if let Some(expected) = preconditions.uid.as_ref().filter(|uid| *uid != object.uid()) {
            let found = object.uid().to_owned();
            return conflict(Conflict::Uid { expected: expected.clone(), found });
        }
        let found = object.revision();
        if let Some(expected) = preconditions.revision.filter(|expected| *expected != found) {
            return conflict(Conflict::Revision { expected, found });
        }
        Ok(object.clone())
    }

    /// Stages an object: a new one, or the next state of `previous`.
    pub(super) fn put(
        &mut self,
        key: Key,
        draft: &Draft,
        previous: Option<&Arc<StoredObject>>,
    ) -> Result<WriteResult, WriteError> {
        let text = draft.text();
        if let Some(previous) = previous.filter(|previous| *previous.text() == text) {
            return Ok(WriteResult { object: previous.clone(), effect: WriteEffect::Unchanged });
        }
        if self.is_limited && text.len() > self.limits.object_bytes {
            let limit = self.limits.object_bytes;
            return Err(WriteError::TooLarge { len: text.len(), limit });
        }
        let object = StoredObject::new(key, self.next_revision(previous), text);
        let object = object.map_err(|error| WriteError::invalid("metadata", error.to_string()))?;
        let before = previous.map_or(0, |previous| previous.cost() as u64);
        let after = object.cost() as u64;
        let bytes = self.bytes - before + after;
        if self.is_limited && after > before && bytes > self.limits.bytes {
            return Err(WriteError::LimitReached { len: bytes, limit: self.limits.bytes });
        }
        let (kind, effect) = match previous {
            Some(_) => (ChangeKind::Modified, WriteEffect::Updated),
            None => (ChangeKind::Added, WriteEffect::Created),
        };
        let object = self.stage(kind, object, previous);
        Ok(WriteResult { object, effect })
    }

    /// Stages the removal of an object.
    pub(super) fn remove(&mut self, current: &Arc<StoredObject>) -> WriteResult {
        let object = current.with_revision(self.next_revision(Some(current)));
        let object = self.stage(ChangeKind::Deleted, object, Some(current));
        WriteResult { object, effect: WriteEffect::Removed }
    }

    /// Stages the removal of an object, with a last state that differs from the current one.
    pub(super) fn remove_as(
        &mut self,
        current: &Arc<StoredObject>,
        last: &Draft,
    ) -> Result<WriteResult, WriteError> {
        let revision = self.next_revision(Some(current));
        let object = StoredObject::new(current.key().clone(), revision, last.text());
        let object = object.map_err(|error| WriteError::invalid("metadata", error.to_string()))?;
        let object = self.stage(ChangeKind::Deleted, object, Some(current));
        Ok(WriteResult { object, effect: WriteEffect::Removed })
    }

    /// Returns the next revision. A dry run uses up no revision: its object keeps the revision
    /// that it has.
    fn next_revision(&self, previous: Option<&Arc<StoredObject>>) -> Revision {
        if self.is_dry_run {
            previous.map_or_else(Revision::default, |previous| previous.revision())
        } else {
            self.revision.next()
        }
    }

    fn stage(
        &mut self,
        kind: ChangeKind,
        object: StoredObject,
        previous: Option<&Arc<StoredObject>>,
    ) -> Arc<StoredObject> {
        let object = Arc::new(object);
        if self.is_dry_run {
            return object;
        }
        self.revision = object.revision();
        self.bytes -= previous.map_or(0, |previous| previous.cost() as u64);
        let staged = (kind != ChangeKind::Deleted).then(|| object.clone());
        self.bytes += staged.as_ref().map_or(0, |object| object.cost() as u64);
        self.overlay.insert(object.key().clone(), staged);
        self.changes.push(Change::new(kind, object.clone(), previous.cloned()));
        object
    }
}
