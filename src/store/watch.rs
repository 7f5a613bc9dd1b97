//! Watches: the changes after a revision.

use tokio::sync::watch;

use super::change::Change;
use super::error::ReadError;
use super::key::Key;
use super::resource::Resource;
use super::revision::Revision;
use super::state::SharedState;

/// Maximum number of changes that one call examines while it holds the lock of the state.
const MAX_SCANNED: usize = 1024;

/// Maximum number of changes that one call returns.
const MAX_RETURNED: usize = 64;

/// Objects that a watch follows.
#[derive(Debug, Clone, Default)]
pub struct WatchScope {
    resource: Option<Resource>,
    namespace: Option<String>,
}

impl WatchScope {
    /// Creates the scope of all objects of the store.
    pub fn all() -> Self {
        Self::default()
    }

    /// Creates the scope of all objects of a resource.
    pub fn resource(resource: &Resource) -> Self {
        Self { resource: Some(resource.clone()), namespace: None }
    }

    /// Limits the scope to a namespace.
    #[must_use]
    pub fn with_namespace(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..self }
    }

    fn contains(&self, key: &Key) -> bool {
        self.resource.as_ref().is_none_or(|resource| key.resource() == resource)
            && self.namespace.as_ref().is_none_or(|namespace| key.namespace() == Some(namespace))
    }
}

/// Changes of objects, in the order of their revisions.
///
/// A watch is a position in the history that the store keeps for all watches, so that it needs no
/// memory for changes that were not read. If the history no longer has the next change,
/// [`next`](Self::next) returns [`ReadError::Gone`].
#[derive(Debug)]
pub struct Watch {
    state: SharedState,
    newest: watch::Receiver<Revision>,
    scope: WatchScope,
    revision: Revision,
}

impl Watch {
    pub(super) fn new(
        state: SharedState,
        newest: watch::Receiver<Revision>,
        scope: WatchScope,
        revision: Revision,
    ) -> Result<Self, ReadError> {
        {
            let state = state.read();
            if revision > state.revision() {
                return Err(ReadError::TooNew { requested: revision, newest: state.revision() });
            }
            state.history().check(revision)?;
        }
        Ok(Self { state, newest, scope, revision })
    }

    /// Waits for changes, and returns some of them, at least one. Returns `None` when the store is
    /// closed.
    ///
    /// No change is lost if the future is dropped.
    ///
    /// # Errors
    /// Returns [`ReadError::Gone`] if the changes were read too slowly. The watch has ended then;
    /// list again.
    pub async fn next(&mut self) -> Result<Option<Vec<Change>>, ReadError> {
        loop {
            // Marks the newest revision as seen before reading, so that none is missed.
            self.newest.borrow_and_update();
            let (changes, is_complete) = self.read()?;
            if !changes.is_empty() {
                return Ok(Some(changes));
            }
            if is_complete && self.newest.changed().await.is_err() {
                let (changes, _) = self.read()?;
                return Ok((!changes.is_empty()).then_some(changes));
            }
        }
    }

    /// Returns the revision up to which all changes were returned: that of a bookmark.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Reads the next changes of the scope, and returns `true` with them if they are the last ones.
    fn read(&mut self) -> Result<(Vec<Change>, bool), ReadError> {
        let state = self.state.read();
        let mut found = Vec::new();
        for (scanned, change) in state.history().after(self.revision)?.enumerate() {
            if scanned == MAX_SCANNED || found.len() == MAX_RETURNED {
                return Ok((found, false));
            }
            self.revision = change.object().revision();
            if self.scope.contains(change.object().key()) {
                found.push(change.clone());
            }
        }
        self.revision = state.revision();
        Ok((found, true))
    }
}
