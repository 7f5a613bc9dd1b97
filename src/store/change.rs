//! Changes of objects.

use std::sync::Arc;

use super::stored_object::StoredObject;

/// Kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a watch of Kubernetes has these three")]
pub enum ChangeKind {
    /// The object is new.
    Added,
    /// The object was changed.
    Modified,
    /// The object was removed.
    Deleted,
}

/// Change of an object.
#[derive(Debug, Clone)]
pub struct Change {
    kind: ChangeKind,
    object: Arc<StoredObject>,
    previous: Option<Arc<StoredObject>>,
}

impl Change {
    pub(super) fn new(
        kind: ChangeKind,
        object: Arc<StoredObject>,
        previous: Option<Arc<StoredObject>>,
    ) -> Self {
        Self { kind, object, previous }
    }

    /// Returns the kind of the change.
    pub fn kind(&self) -> ChangeKind {
        self.kind
    }

    /// Returns the object after the change. A removed object is in its last state, with the
    /// revision of the removal.
    pub fn object(&self) -> &Arc<StoredObject> {
        &self.object
    }

    /// Returns the object before the change, unless it is new. A watch with a selector needs it: an
    /// object that no longer matches is deleted for that watch.
    pub fn previous(&self) -> Option<&Arc<StoredObject>> {
        self.previous.as_ref()
    }

    /// Returns the number of bytes that the change counts for in the history.
    pub(super) fn cost(&self) -> usize {
        self.object.cost() + self.previous.as_ref().map_or(0, |previous| previous.cost())
    }
}
