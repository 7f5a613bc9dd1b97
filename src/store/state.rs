//! The state that readers share.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::watch;

use super::change::Change;
use super::history::History;
use super::objects::Objects;
use super::revision::Revision;

/// Objects and history at the newest revision.
#[derive(Debug)]
pub(super) struct State {
    objects: Objects,
    history: History,
    revision: Revision,
}

impl State {
    pub(super) fn new(objects: Objects, history: History, revision: Revision) -> Self {
        Self { objects, history, revision }
    }

    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    fn apply(&mut self, change: &Change) {
        self.objects.apply(change);
        self.revision = change.object().revision();
        self.history.push(change.clone());
    }
}

/// State with one writer and many readers.
///
/// No code that can panic, wait or call into another module runs under the lock.
#[derive(Debug, Clone)]
pub(super) struct SharedState(Arc<RwLock<State>>);

impl SharedState {
    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(RwLock::new(state)))
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies changes under one lock, and wakes the watches.
    pub(super) fn publish(&self, changes: &[Change], newest: &watch::Sender<Revision>) {
        let revision = {
            let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
            changes.iter().for_each(|change| state.apply(change));
            state.revision()
        };
        newest.send_replace(revision);
    }
}
