//! The running watches.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kube::Client;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::change::Change;
use super::error::WatchError;
use super::last_received::LastReceived;
use super::scope_watch::watch_scope;
use super::watched_namespaces::{NamespaceState, WatchedNamespaces};
use crate::model::{NamespaceName, ObjectKind};
use crate::sources::kube::discovery::ServedKind;
use crate::sources::kube::scope::Scope;

/// Time for which the start waits for permission in a watched namespace, or to watch Nodes. A new
/// RoleBinding takes effect within a few seconds; one that is missing must not stop the rest.
const PERMISSION_GRACE: Duration = Duration::from_secs(10);

/// Maximum time for which snapshots after the first one wait for the first list of a watch. It is
/// enough to repeat a request that gets no response. Meanwhile, the changes of endpoints wait too.
const FIRST_LIST_GRACE: Duration = Duration::from_secs(30);

/// The running watches, by scope.
pub(in crate::sources::kube) struct WatchSet {
    client: Client,
    namespaces: WatchedNamespaces,
    /// The kinds that are watched.
    kinds: BTreeMap<ObjectKind, ServedKind>,
    running: BTreeMap<Scope, RunningWatch>,
    changes: mpsc::Sender<Change>,
    last_received: LastReceived,
}

struct RunningWatch {
    task: AbortHandle,
    started: Instant,
    /// The last failure, if no request has succeeded since.
    failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// Permission has been denied since then.
    Forbidden(Instant),
    /// The API server did not respond.
    NoResponse,
    Other,
}

impl WatchSet {
    /// Creates an empty set, whose watches send to `changes`. No `namespaces` means all.
    pub(in crate::sources::kube) fn new(
        client: Client,
        namespaces: Vec<NamespaceName>,
        service_namespace: Option<NamespaceName>,
        changes: mpsc::Sender<Change>,
        last_received: LastReceived,
    ) -> Self {
        Self {
            client,
            namespaces: WatchedNamespaces::new(namespaces, service_namespace),
            kinds: BTreeMap::new(),
            running: BTreeMap::new(),
            changes,
            last_received,
        }
    }

    /// Starts the watches of a kind as `tasks`, except in namespaces that do not exist.
    pub(in crate::sources::kube) fn start(
        &mut self,
        kind: ObjectKind,
        served: &ServedKind,
        tasks: &mut JoinSet<()>,
    ) {
        self.kinds.insert(kind, served.clone());
        for namespace in self.namespaces.of_kind(kind) {
            let scope = Scope { kind, namespace };
            if self.running.contains_key(&scope) {
                continue;
            }
            self.last_received.insert(scope.clone());
            let watch = watch_scope(
                self.client.clone(),
                served.clone(),
                scope.clone(),
                self.namespaces.service_namespace().cloned(),
                self.changes.clone(),
                self.last_received.clone(),
            );
            let task = tasks.spawn(watch);
            self.running
                .insert(scope, RunningWatch { task, started: Instant::now(), failure: None });
        }
    }

    /// Stops the watches of a kind, and returns their scopes.
    pub(in crate::sources::kube) fn stop(&mut self, kind: ObjectKind) -> Vec<Scope> {
        self.kinds.remove(&kind);
        self.stop_if(|scope| scope.kind == kind)
    }

    /// Sets the state of a namespace, and starts the watches in it if it was created. If it was
    /// deleted, stops them and returns their scopes.
    pub(in crate::sources::kube) fn set_namespace_state(
        &mut self,
        namespace: &NamespaceName,
        state: NamespaceState,
        tasks: &mut JoinSet<()>,
    ) -> Vec<Scope> {
        if !self.namespaces.set(namespace, state) {
            return Vec::new();
        }
        for (kind, served) in self.kinds.clone() {
            self.start(kind, &served, tasks);
        }
        let scopes_of = |&kind: &ObjectKind| {
            let namespaces = self.namespaces.of_kind(kind).into_iter();
            namespaces.map(move |namespace| Scope { kind, namespace })
        };
        let watched: BTreeSet<Scope> = self.kinds.keys().flat_map(scopes_of).collect();
        self.stop_if(|scope| !watched.contains(scope))
    }

    fn stop_if(&mut self, is_stopped: impl Fn(&Scope) -> bool) -> Vec<Scope> {
        let stopped = self.running.extract_if(.., |scope, _| is_stopped(scope));
        let stop = |(scope, watch): (Scope, RunningWatch)| {
            watch.task.abort();
            self.last_received.remove(&scope);
            scope
        };
        stopped.map(stop).collect()
    }

    /// Records the error of a scope, or `None` after a success.
    pub(in crate::sources::kube) fn set_error(
        &mut self,
        scope: &Scope,
        error: Option<&WatchError>,
    ) {
        let Some(watch) = self.running.get_mut(scope) else { return };
        watch.failure = error.map(|error| match watch.failure {
            Some(Failure::Forbidden(since)) if error.is_forbidden() => Failure::Forbidden(since),
            _ if error.is_forbidden() => Failure::Forbidden(Instant::now()),
            _ if error.is_timeout() => Failure::NoResponse,
            _ => Failure::Other,
        });
    }

    /// Returns `true` if a snapshot does not wait for the first list of a scope.
    ///
    /// The first snapshot waits for all scopes, except in namespaces that are being deleted, and
    /// for those namespaces and Nodes for which permission has been denied for
    /// [`PERMISSION_GRACE`]. Later snapshots do not wait for a watch that fails, and for no watch
    /// longer than [`FIRST_LIST_GRACE`]: a definition or namespace that was created later must not
    /// stop the rest. Within this time, they wait for a cluster-wide watch that got no response,
    /// because the list may only be late.
    pub(in crate::sources::kube) fn is_skipped(&self, scope: &Scope, is_first: bool) -> bool {
        let Some(watch) = self.running.get(scope) else { return false };
        if !is_first && watch.started.elapsed() >= FIRST_LIST_GRACE {
            return true;
        }
        let Some(failure) = watch.failure else { return false };
        let is_denied = match failure {
            Failure::Forbidden(since) => since.elapsed() >= PERMISSION_GRACE,
            Failure::NoResponse | Failure::Other => false,
        };
        let can_miss = |namespace: &&NamespaceName| {
            !self.namespaces.has_gateway_services(scope.kind, namespace)
        };
        match scope.namespace.as_ref().filter(can_miss) {
            Some(namespace) => !is_first || is_denied || self.namespaces.is_terminating(namespace),
            None if is_first => scope.kind == ObjectKind::Node && is_denied,
            None => failure != Failure::NoResponse,
        }
    }

    /// Returns `true` if the watch of a scope runs. Changes of a stopped watch may still arrive.
    pub(in crate::sources::kube) fn contains(&self, scope: &Scope) -> bool {
        self.running.contains_key(scope)
    }

    pub(in crate::sources::kube) fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.running.keys()
    }

    /// Returns the namespaces to watch; none means all.
    pub(in crate::sources::kube) fn namespaces(&self) -> Vec<NamespaceName> {
        self.namespaces.names().cloned().collect()
    }

    /// Returns the problem to report if namespaces are missing.
    pub(in crate::sources::kube) fn problem(&self) -> Option<String> {
        self.namespaces.problem()
    }
}
