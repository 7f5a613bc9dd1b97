//! The last changes of a store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::change::Change;
use super::error::ReadError;
use super::key::Key;
use super::revision::Revision;
use super::stored_object::StoredObject;

/// Limits of a history.
#[derive(Debug, Clone, Copy)]
pub(super) struct HistoryLimits {
    pub(super) changes: usize,
    pub(super) bytes: usize,
}

/// The last changes, in the order of their revisions.
///
/// Watches read from it with a revision as their only state, so that the memory of a slow watch is
/// bounded. Each change contains the previous state of its object, so that the state of all
/// objects at an older revision can be computed.
#[derive(Debug)]
pub(super) struct History {
    limits: HistoryLimits,
    changes: VecDeque<Change>,
    bytes: usize,
    /// Oldest revision after which all changes are known.
    oldest: Revision,
}

impl History {
    /// Creates an empty history that begins after `revision`.
    pub(super) fn new(revision: Revision, limits: HistoryLimits) -> Self {
        Self { limits, changes: VecDeque::new(), bytes: 0, oldest: revision }
    }

    pub(super) fn push(&mut self, change: Change) {
        self.bytes += change.cost();
        self.changes.push_back(change);
        while self.changes.len() > self.limits.changes || self.bytes > self.limits.bytes {
            let Some(dropped) = self.changes.pop_front() else { break };
            self.bytes -= dropped.cost();
            self.oldest = dropped.object().revision();
        }
    }

    /// Checks that all changes after a revision are known.
    pub(super) fn check(&self, revision: Revision) -> Result<(), ReadError> {
        if revision < self.oldest {
            return Err(ReadError::Gone { requested: revision, oldest: self.oldest });
        }
        Ok(())
    }

    /// Returns the changes after a revision.
    pub(super) fn after(
        &self,
        revision: Revision,
    ) -> Result<impl Iterator<Item = &Change>, ReadError> {
        self.check(revision)?;
        let start = self.changes.partition_point(|change| change.object().revision() <= revision);
        Ok(self.changes.range(start..))
    }

    /// Returns the state at `revision` of every object in the scope that was changed after it.
    pub(super) fn states_at(
        &self,
        revision: Revision,
        is_in_scope: impl Fn(&Key) -> bool,
    ) -> Result<BTreeMap<Key, Option<Arc<StoredObject>>>, ReadError> {
        let mut states = BTreeMap::new();
        for change in self.after(revision)? {
            let key = change.object().key();
            if is_in_scope(key) && !states.contains_key(key) {
                states.insert(key.clone(), change.previous().cloned());
            }
        }
        Ok(states)
    }
}
