//! The events that a watch sends to the event loop.

use super::error::WatchError;
use crate::model::ObjectKey;
use crate::sources::kube::observed::Observed;
use crate::sources::kube::scope::Scope;

/// An event of the watch of a scope.
#[derive(Debug)]
pub(in crate::sources::kube) struct Change {
    pub(in crate::sources::kube) scope: Scope,
    pub(in crate::sources::kube) event: WatchEvent,
}

/// An event of a watch.
#[derive(Debug)]
pub(in crate::sources::kube) enum WatchEvent {
    /// The complete list of the objects, which replaces all objects known before.
    Listed(Vec<Observed>),
    /// An object was created or changed.
    Applied(Observed),
    /// An object was deleted.
    Deleted(ObjectKey),
    /// A request failed, and will be retried.
    Failed(WatchError),
    /// The API server has answered the watch request after a failure. Nothing has changed yet.
    Resumed,
}
