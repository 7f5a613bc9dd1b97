//! [`WatchHandle`]: how current the objects of a source are.

use std::collections::BTreeMap;
use std::time::Duration;

use super::last_received::LastReceived;
use crate::model::ObjectKind;

/// Handle that reports how current the objects of a running
/// [`KubeSource`](crate::sources::KubeSource) are.
#[derive(Debug, Clone)]
pub struct WatchHandle(LastReceived);

impl WatchHandle {
    pub(in crate::sources::kube) fn new(last_received: LastReceived) -> Self {
        Self(last_received)
    }

    /// Returns the time since the API server last sent something about each kind that is watched:
    /// a response, an object or a bookmark. If a kind is watched in several namespaces, it is the
    /// largest of their times.
    ///
    /// An API server sends a bookmark about once a minute. After more than two minutes, changes of
    /// the kind are probably not followed; the source logs this too. Kinds that the API server does
    /// not serve are missing, and all kinds are missing before the source runs.
    pub fn last_received(&self) -> BTreeMap<ObjectKind, Duration> {
        self.0.ages()
    }
}
