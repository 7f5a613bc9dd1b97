//! The running watches.

use std::collections::{BTreeMap, BTreeSet};

use kube::Client;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::discovery::ServedKind;
use super::scope::Scope;
use super::watch::{Change, watch};
use crate::model::{NamespaceName, ObjectKind};

/// The running watches, by scope.
pub(super) struct WatchSet {
    client: Client,
    /// The namespaces to watch; empty means all.
    namespaces: Vec<NamespaceName>,
    /// Namespace of the Services of Gateways, whose Services and EndpointSlices are watched too.
    service_namespace: Option<NamespaceName>,
    running: BTreeMap<Scope, AbortHandle>,
    changes: mpsc::Sender<Change>,
}

impl WatchSet {
    /// Creates an empty set, whose watches send to `changes`.
    pub(super) fn new(
        client: Client,
        namespaces: Vec<NamespaceName>,
        service_namespace: Option<NamespaceName>,
        changes: mpsc::Sender<Change>,
    ) -> Self {
        Self { client, namespaces, service_namespace, running: BTreeMap::new(), changes }
    }

    /// Starts the watches of a kind as `tasks`.
    pub(super) fn start(&mut self, kind: ObjectKind, served: &ServedKind, tasks: &mut JoinSet<()>) {
        for namespace in self.namespaces_of(kind) {
            let scope = Scope { kind, namespace };
            let watch =
                watch(self.client.clone(), served.clone(), scope.clone(), self.changes.clone());
            self.running.insert(scope, tasks.spawn(watch));
        }
    }

    /// Stops the watches of a kind, and returns their scopes.
    pub(super) fn stop(&mut self, kind: ObjectKind) -> Vec<Scope> {
        let of_kind = self.running.extract_if(.., |scope, _| scope.kind == kind);
        let stop = |(scope, watch): (Scope, AbortHandle)| {
            watch.abort();
            scope
        };
        of_kind.map(stop).collect()
    }

    /// Returns `true` if the watch of a scope runs. Changes of a stopped watch may still arrive.
    pub(super) fn contains(&self, scope: &Scope) -> bool {
        self.running.contains_key(scope)
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.running.keys()
    }

    /// Returns the namespaces in which a kind is watched; `None` stands for all.
    fn namespaces_of(&self, kind: ObjectKind) -> BTreeSet<Option<NamespaceName>> {
        if !kind.is_namespaced() || self.namespaces.is_empty() {
            return [None].into();
        }
        let mut namespaces: BTreeSet<_> = self.namespaces.iter().cloned().map(Some).collect();
        if matches!(kind, ObjectKind::Service | ObjectKind::EndpointSlice) {
            namespaces.extend(self.service_namespace.clone().map(Some));
        }
        namespaces
    }
}
