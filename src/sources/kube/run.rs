//! The loop: changes in, snapshots out, and the status of what was seen back in.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;

use kube::Client;
use kube::runtime::watcher;
use tokio::sync::{Notify, mpsc, watch as channel};
use tokio::task::{AbortHandle, JoinSet};

use super::KubeSource;
use super::active_errors::ActiveErrors;
use super::cluster::Cluster;
use super::events::Events;
use super::lease::campaign;
use super::operation::Operation;
use super::scope::Scope;
use super::served::{self, Found, Served};
use super::watch::{Change, What, is_expired, watch};
use super::write::{Pen, Writer};
use crate::model::{NamespaceName, ObjectKind, ServiceType};
use crate::sources::{Feed, SourceError, StatusUpdate};

/// The kinds that routing needs.
const KINDS: [ObjectKind; 7] = [
    ObjectKind::GatewayClass,
    ObjectKind::Gateway,
    ObjectKind::TcpRoute,
    ObjectKind::ReferenceGrant,
    ObjectKind::Namespace,
    ObjectKind::Service,
    ObjectKind::EndpointSlice,
];

/// Changes on their way from the watches; a watch waits when there are more.
const QUEUE: usize = 256;

/// A source at work.
pub(super) struct Run {
    client: Client,
    kinds: Vec<ObjectKind>,
    namespaces: Vec<NamespaceName>,
    /// Where the endpoints of this gateway itself are found.
    replicas: Option<NamespaceName>,
    feed: Feed,
    said: channel::Receiver<StatusUpdate>,
    cluster: Cluster,
    served: BTreeMap<ObjectKind, Served>,
    watches: BTreeMap<Scope, AbortHandle>,
    tasks: JoinSet<()>,
    sender: mpsc::Sender<Change>,
    changes: mpsc::Receiver<Change>,
    errors: ActiveErrors,
    found: mpsc::Receiver<Result<Found, SourceError>>,
    /// Has the looking done at once.
    nudge: Arc<Notify>,
    /// The kinds that the server does not have; nothing before that is certain.
    missing: Option<BTreeSet<ObjectKind>>,
    /// Those that it did not have when it was asked first.
    doubted: BTreeSet<ObjectKind>,
    is_published: bool,
    writer: Writer,
}

impl Run {
    pub(super) fn start(source: KubeSource, feed: Feed) -> Self {
        let KubeSource {
            client,
            controller,
            identity,
            namespaces,
            is_read_only,
            election,
            services,
        } = source;
        let identity = identity.unwrap_or_else(host_name);
        let mut tasks = JoinSet::new();
        let (events, sending) = Events::new(client.clone(), controller.as_str(), &identity);
        tasks.spawn(sending);
        let (finder, found) = mpsc::channel(1);
        let nudge = Arc::new(Notify::new());
        let mut kinds = KINDS.to_vec();
        // Of interest only where Gateways are reached through them.
        if services.as_ref().is_some_and(|services| services.service_type == ServiceType::NodePort)
        {
            kinds.push(ObjectKind::Node);
        }
        tasks.spawn(served::look(client.clone(), kinds.clone(), nudge.clone(), finder));
        let pen = match election {
            _ if is_read_only => Pen::Nobody,
            None => Pen::Ours,
            Some(election) => {
                let (leadership, until) = channel::channel(None);
                tasks.spawn(campaign(client.clone(), election, leadership));
                Pen::Elected(until)
            }
        };
        let (sender, changes) = mpsc::channel(QUEUE);
        Self {
            replicas: services.as_ref().map(|services| services.replicas.namespace.clone()),
            writer: Writer::new(
                client.clone(),
                controller,
                pen,
                events,
                services,
                namespaces.is_empty(),
            ),
            client,
            kinds,
            namespaces,
            said: feed.status(),
            feed,
            cluster: Cluster::default(),
            served: BTreeMap::new(),
            watches: BTreeMap::new(),
            tasks,
            sender,
            changes,
            errors: ActiveErrors::default(),
            found,
            nudge,
            missing: None,
            doubted: BTreeSet::new(),
            is_published: false,
        }
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) -> Result<(), SourceError> {
        loop {
            let is_changed = tokio::select! {
                Some(change) = self.changes.recv() => {
                    let mut is_changed = self.take(change);
                    // Whatever else has come in the meantime goes into the same snapshot.
                    while let Ok(change) = self.changes.try_recv() {
                        is_changed |= self.take(change);
                    }
                    is_changed
                }
                Ok(()) = self.said.changed() => {
                    let said = self.said.borrow_and_update().clone();
                    self.writer.say(said, &self.cluster);
                    false
                }
                step = self.writer.next() => {
                    self.writer.proceed(step, &mut self.cluster, &self.served)
                }
                Some(found) = self.found.recv() => self.look_at(found),
                Some(Err(error)) = self.tasks.join_next() => {
                    // Those that were given up end so; a panic must not look like silence.
                    if error.is_panic() {
                        return Err(error.into());
                    }
                    false
                }
            };
            if is_changed {
                self.publish();
            }
        }
    }

    /// Takes in a change. Whether there is something to publish.
    fn take(&mut self, Change { scope, what }: Change) -> bool {
        // Of a watch that was given up.
        if !self.watches.contains_key(&scope) {
            return false;
        }
        let operation = Operation::Watch(scope.clone());
        let is_spoken_of = match &what {
            What::Failed(error) if is_expired(error) => false,
            What::Failed(error) => {
                // The definition may have been removed.
                if is_not_found(error) {
                    self.nudge.notify_one();
                }
                self.fail(operation, error)
            }
            What::Listed(_) | What::Applied(_) | What::Deleted(_) | What::Resumed => {
                self.errors.resolve(&operation)
            }
        };
        // What was held back until now.
        let is_first = matches!(what, What::Listed(_)) && !self.cluster.has_listed(&scope);
        let mut touched = BTreeSet::new();
        let is_changed = self.cluster.take(&scope, what, &mut touched);
        // Whether a class is in use shows in its Gateways.
        if touched.iter().any(|key| key.kind == ObjectKind::Gateway) {
            touched.extend(self.cluster.keys_of(ObjectKind::GatewayClass).cloned());
        }
        touched.iter().for_each(|key| self.writer.touch(key, &self.cluster));
        is_changed || is_spoken_of || is_first
    }

    /// Watches what the server has, and gives up what it has no more. Whether there is something to
    /// publish.
    fn look_at(&mut self, found: Result<Found, SourceError>) -> bool {
        let Found { served, version } = match found {
            Ok(found) => found,
            Err(error) => return self.fail(Operation::Discover, &*error),
        };
        let mut is_spoken_of = self.errors.resolve(&Operation::Discover);
        match version {
            Ok(version) => {
                self.writer.version(version, &self.cluster);
            }
            Err(error) => tracing::debug!(%error, "cannot read the version of Gateway API"),
        }
        for kind in self.kinds.clone() {
            if self.served.get(&kind) != served.get(&kind) {
                self.stop(kind);
                if let Some(served) = served.get(&kind) {
                    self.follow(kind, served);
                }
            }
        }
        self.served = served;
        let missing: BTreeSet<_> =
            self.kinds.iter().copied().filter(|kind| !self.served.contains_key(kind)).collect();
        // A server that has just started may not know yet what it has: at the beginning, what is
        // missing is believed when it is missing twice.
        if self.missing.is_none() && !missing.is_empty() && self.doubted != missing {
            self.doubted = missing;
            return is_spoken_of;
        }
        let before = self.missing.replace(missing);
        is_spoken_of |= before != self.missing;
        is_spoken_of
    }

    /// Records that an operation failed. Returns `true` if its error is new. Before the first
    /// snapshot is published, which carries the errors, a new error is logged here.
    fn fail(&mut self, operation: Operation, error: &(dyn Error + 'static)) -> bool {
        let message = self.errors.report(operation, error);
        if let (Some(message), false) = (&message, self.is_published) {
            tracing::warn!("{message}");
        }
        message.is_some()
    }

    fn stop(&mut self, kind: ObjectKind) {
        self.watches.retain(|scope, watch| {
            if scope.kind == kind {
                watch.abort();
                self.errors.forget(&Operation::Watch(scope.clone()));
            }
            scope.kind != kind
        });
    }

    fn follow(&mut self, kind: ObjectKind, served: &Served) {
        let mut namespaces: BTreeSet<_> = match kind.is_namespaced() && !self.namespaces.is_empty()
        {
            true => self.namespaces.iter().cloned().map(Some).collect(),
            false => [None].into(),
        };
        if kind == ObjectKind::EndpointSlice && !namespaces.contains(&None) {
            namespaces.extend(self.replicas.clone().map(Some));
        }
        for namespace in namespaces {
            let scope = Scope { kind, namespace };
            let watch =
                watch(self.client.clone(), served.clone(), scope.clone(), self.sender.clone());
            self.watches.insert(scope, self.tasks.spawn(watch));
        }
    }

    /// Whether all that can be watched has been listed. What comes later, such as a definition that
    /// was installed, is waited for as well; but where it cannot be listed, the rest goes on.
    fn is_whole(&self) -> bool {
        let is_given_up = |scope: &Scope| {
            self.is_published && self.errors.contains(&Operation::Watch(scope.clone()))
        };
        self.missing.is_some()
            && self.watches.keys().all(|scope| self.cluster.has_listed(scope) || is_given_up(scope))
    }

    fn publish(&mut self) {
        if self.is_whole() {
            self.is_published = true;
            self.feed.publish(self.cluster.snapshot(self.problems()));
        }
    }

    /// What a person should mend.
    fn problems(&self) -> impl Iterator<Item = String> + '_ {
        let missing: Vec<_> = self.missing.iter().flatten().map(|kind| kind.as_str()).collect();
        let missing = (!missing.is_empty()).then(|| {
            format!(
                "the API server does not know {}; install the custom resource definitions of Gateway API: they are picked up without a restart",
                missing.join(", ")
            )
        });
        missing.into_iter().chain(self.errors.messages())
    }
}

fn is_not_found(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.is_not_found(),
        _ => false,
    }
}

/// As the system knows it: in a pod, that is the name of the pod.
fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "sluicegate".to_owned(), |name| name.trim().to_owned())
}
