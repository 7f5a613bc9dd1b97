//! [`LastReceived`]: the time at which each watch last received something.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::model::ObjectKind;
use crate::sources::kube::scope::Scope;

/// The time at which each running watch last received something from the API server: the response
/// to a request, an object or a bookmark. Clones share the times.
#[derive(Debug, Clone, Default)]
pub(in crate::sources::kube) struct LastReceived(Arc<watch::Sender<BTreeMap<Scope, Instant>>>);

impl LastReceived {
    /// Records that a watch starts. Until it receives something, its age counts from now.
    pub(super) fn insert(&self, scope: Scope) {
        self.0.send_modify(|times| {
            times.insert(scope, Instant::now());
        });
    }

    /// Records that a watch is stopped.
    pub(super) fn remove(&self, scope: &Scope) {
        self.0.send_modify(|times| {
            times.remove(scope);
        });
    }

    /// Records that a watch has received something. A watch that is stopped is ignored.
    pub(super) fn update(&self, scope: &Scope) {
        self.0.send_if_modified(|times| {
            if let Some(time) = times.get_mut(scope) {
                *time = Instant::now();
            }
            // No task waits for a change.
            false
        });
    }

    /// Returns the time since data about each kind was last received: the largest one, if the kind
    /// is watched in several namespaces.
    pub(super) fn ages(&self) -> BTreeMap<ObjectKind, Duration> {
        let mut ages = BTreeMap::new();
        for (scope, time) in self.0.borrow().iter() {
            let age: &mut Duration = ages.entry(scope.kind).or_default();
            *age = (*age).max(time.elapsed());
        }
        ages
    }
}
