//! The event loop: changes of the cluster become snapshots, and status reports become writes.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch as channel};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep};

use super::active_errors::ActiveErrors;
use super::cache::Cache;
use super::discovery::{Discovery, DiscoveryError, discover_loop};
use super::endpoint::OwnEndpoint;
use super::event_recorder::EventRecorder;
use super::gateway_services::ServicePolicy;
use super::host_name::host_name;
use super::lease::run_election;
use super::operation::Operation;
use super::scope::Scope;
use super::served_kinds::ServedKinds;
use super::settings::Settings;
use super::watch::{Change, NamespaceState, WatchEvent, WatchSet, log_stale_kinds};
use super::write::{WriteAccess, Writer};
use crate::model::{ObjectKey, ObjectKind, ServiceType};
use crate::sources::{Feed, SourceError, StatusUpdate};

/// The kinds that every source watches.
const WATCHED_KINDS: [ObjectKind; 7] = [
    ObjectKind::GatewayClass,
    ObjectKind::Gateway,
    ObjectKind::TcpRoute,
    ObjectKind::ReferenceGrant,
    ObjectKind::Namespace,
    ObjectKind::Service,
    ObjectKind::EndpointSlice,
];

/// Capacity of the channel from the watches. A watch waits while it is full.
const CHANGE_QUEUE_LEN: usize = 256;

/// Number of times in a row that the watches must have nothing to send before their queue counts as
/// empty. A change takes several turns of the runtime from the socket to the queue: those of the
/// connection, of the response body and of the watch.
const IDLE_TURNS: usize = 4;

/// Maximum time for which a snapshot is delayed while changes arrive.
const MAX_DRAIN: Duration = Duration::from_millis(50);

/// Time after which a snapshot that waits for a list checks again if it must.
const SYNC_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A running source. It owns all state of the source, so nothing is locked.
pub(super) struct EventLoop {
    feed: Feed,
    status: channel::Receiver<StatusUpdate>,
    cache: Cache,
    own_endpoint: OwnEndpoint,
    kinds: ServedKinds,
    discoveries: mpsc::Receiver<Result<Discovery, DiscoveryError>>,
    /// Starts the next discovery at once.
    rediscover: Arc<Notify>,
    watches: WatchSet,
    changes: mpsc::Receiver<Change>,
    writer: Writer,
    errors: ActiveErrors,
    has_published: bool,
    /// The last published snapshot is outdated, or there is none.
    is_dirty: bool,
    tasks: JoinSet<()>,
}

impl EventLoop {
    /// Starts the tasks of a source: discovery, leader election, and sending Events.
    pub(super) fn new(settings: Settings, feed: Feed) -> Self {
        let Settings {
            client,
            controller,
            identity,
            namespaces,
            is_read_only,
            election,
            services,
            endpoint_addresses,
            is_ready_endpoint,
            last_received,
        } = settings;
        let identity = identity.unwrap_or_else(host_name);
        let mut tasks = JoinSet::new();

        let mut kinds = WATCHED_KINDS.to_vec();
        // Services of all other types have node ports. They are reached at the addresses of nodes,
        // so a backend with such an endpoint leads back to this gateway.
        if let Some(ServicePolicy::Manage(template)) = &services
            && template.service_type != ServiceType::ClusterIP
        {
            kinds.push(ObjectKind::Node);
        }
        let (discovery_tx, discovery_rx) = mpsc::channel(1);
        let rediscover = Arc::new(Notify::new());
        tasks.spawn(discover_loop(client.clone(), kinds.clone(), rediscover.clone(), discovery_tx));

        let (events, send_events) = EventRecorder::new(client.clone(), &controller, &identity);
        tasks.spawn(send_events);
        let lease = election.as_ref().map(|election| election.lease().clone());
        let access = match election {
            _ if is_read_only => WriteAccess::ReadOnly,
            None => WriteAccess::Sole,
            Some(election) => {
                let access = WriteAccess::Leader(election.leadership());
                tasks.spawn(run_election(client.clone(), election, identity));
                access
            }
        };
        let watches_all_namespaces = namespaces.is_empty();
        let service_namespace = services.as_ref().map(|services| services.namespace().clone());
        let (change_tx, change_rx) = mpsc::channel(CHANGE_QUEUE_LEN);
        let stale_kinds = log_stale_kinds(last_received.clone());
        tasks.spawn(async move { match stale_kinds.await {} });
        Self {
            status: feed.status(),
            feed,
            // Services in this namespace have this replica as an endpoint, and Gateways may have a
            // Service of any name there.
            cache: Cache::new(service_namespace.clone()),
            own_endpoint: OwnEndpoint::new(
                endpoint_addresses,
                service_namespace.clone(),
                is_ready_endpoint,
            ),
            kinds: ServedKinds::new(kinds),
            discoveries: discovery_rx,
            rediscover,
            watches: WatchSet::new(
                client.clone(),
                namespaces,
                service_namespace,
                change_tx,
                last_received,
            ),
            changes: change_rx,
            writer: Writer::new(
                client,
                controller,
                access,
                lease,
                events,
                services,
                watches_all_namespaces,
            ),
            errors: ActiveErrors::default(),
            has_published: false,
            is_dirty: true,
            tasks,
        }
    }

    /// Runs until the future is dropped, or until a task panics.
    pub(super) async fn run(mut self) -> Result<(), SourceError> {
        loop {
            let can_publish = self.is_dirty && self.is_synced();
            let is_changed = tokio::select! {
                Some(change) = self.changes.recv() => self.on_change(change),
                Ok(()) = self.status.changed() => {
                    let update = self.status.borrow_and_update().clone();
                    self.on_status_update(update)
                }
                step = self.writer.next() => {
                    self.writer.handle(step, &mut self.cache, &self.kinds)
                }
                Some(discovery) = self.discoveries.recv() => self.on_discovery(discovery),
                Some(Err(error)) = self.tasks.join_next() => {
                    // Stopped watches end with an error too. A panic must not be ignored.
                    if error.is_panic() {
                        return Err(error.into());
                    }
                    false
                }
                () = self.feed.until_wanted(), if can_publish => {
                    self.drain().await;
                    self.publish();
                    false
                }
                // The time for which a snapshot waits for a list may be over.
                () = sleep(SYNC_CHECK_INTERVAL), if self.is_dirty && !can_publish => false,
            };
            self.is_dirty |= is_changed;
        }
    }

    /// Applies the changes that have arrived, until there are none left: a snapshot that contains
    /// only the first of them would have to be replaced at once.
    async fn drain(&mut self) {
        let deadline = Instant::now() + MAX_DRAIN;
        let mut idle_turns = 0;
        while idle_turns < IDLE_TURNS && Instant::now() < deadline {
            if let Ok(change) = self.changes.try_recv() {
                self.is_dirty |= self.on_change(change);
                idle_turns = 0;
            } else {
                idle_turns += 1;
                yield_now().await;
            }
        }
    }

    /// Applies a change. Returns `true` if the last snapshot is outdated.
    fn on_change(&mut self, Change { scope, event }: Change) -> bool {
        // A watch may have sent this change before it was stopped.
        if !self.watches.contains(&scope) {
            return false;
        }
        let operation = Operation::Watch(scope.clone());
        let error = match &event {
            WatchEvent::Failed(error) => Some(error),
            WatchEvent::Listed(_)
            | WatchEvent::Applied(_)
            | WatchEvent::Deleted(_)
            | WatchEvent::Resumed => None,
        };
        self.watches.set_error(&scope, error);
        let error_state_changed = match &event {
            WatchEvent::Failed(error) if error.is_expired() => false,
            WatchEvent::Failed(error) => {
                // The definition may have been deleted.
                if error.is_not_found() {
                    self.rediscover.notify_one();
                }
                self.report_error(operation, error)
            }
            WatchEvent::Listed(_)
            | WatchEvent::Applied(_)
            | WatchEvent::Deleted(_)
            | WatchEvent::Resumed => self.errors.resolve(&operation),
        };
        let mut touched = BTreeSet::new();
        let mut is_changed = self.cache.apply(&scope, event, &mut touched);
        if scope.kind == ObjectKind::Namespace {
            is_changed |= self.follow_namespaces(&mut touched);
        }
        self.on_touched(&touched);
        is_changed || error_state_changed
    }

    /// Applies a status update. Returns `true` if the last snapshot is outdated.
    fn on_status_update(&mut self, update: StatusUpdate) -> bool {
        let mut touched = BTreeSet::new();
        let is_changed = self.cache.set_routes(&update.resources.tcp_routes, &mut touched);
        self.on_touched(&touched);
        self.writer.set_status_update(update, &self.cache);
        is_changed
    }

    fn on_touched(&mut self, touched: &BTreeSet<ObjectKey>) {
        touched.iter().for_each(|key| self.own_endpoint.observe(key, &self.cache));
        self.writer.enqueue_changed(touched, &self.cache);
    }

    /// Starts and stops watches according to which of the watched namespaces exist. Adds the
    /// objects of the stopped watches to `touched`. Returns `true` if the last snapshot is
    /// outdated.
    fn follow_namespaces(&mut self, touched: &mut BTreeSet<ObjectKey>) -> bool {
        if !self.cache.has_listed(&Scope { kind: ObjectKind::Namespace, namespace: None }) {
            return false;
        }
        let problem = self.watches.problem();
        let mut is_changed = false;
        for namespace in self.watches.namespaces() {
            let key = namespace.as_str().parse().map(|name| ObjectKey {
                kind: ObjectKind::Namespace,
                namespace: None,
                name,
            });
            let state = match key.ok().and_then(|key| self.cache.state(&key)) {
                None => NamespaceState::Missing,
                Some(state) if state.is_being_deleted => NamespaceState::Terminating,
                Some(_) => NamespaceState::Active,
            };
            for scope in self.watches.set_namespace_state(&namespace, state, &mut self.tasks) {
                self.errors.forget(&Operation::Watch(scope.clone()));
                // A namespace is deleted after all of its objects.
                is_changed |= self.cache.apply(&scope, WatchEvent::Listed(Vec::new()), touched);
            }
        }
        is_changed || problem != self.watches.problem()
    }

    /// Starts and stops watches according to the result of a discovery. Returns `true` if the last
    /// snapshot is outdated.
    fn on_discovery(&mut self, result: Result<Discovery, DiscoveryError>) -> bool {
        let Discovery { served, version } = match result {
            Ok(discovery) => discovery,
            Err(error) => return self.report_error(Operation::Discover, &error),
        };
        let error_state_changed = self.errors.resolve(&Operation::Discover);
        match version {
            Ok(version) => self.writer.set_version(version, &self.cache),
            Err(error) => {
                tracing::debug!(%error, "cannot read the installed version of Gateway API");
            }
        }
        for kind in self.kinds.update(served) {
            for scope in self.watches.stop(kind) {
                self.errors.forget(&Operation::Watch(scope));
            }
            if let Some(served) = self.kinds.get(kind) {
                self.watches.start(kind, served, &mut self.tasks);
            }
        }
        self.kinds.update_missing() || error_state_changed
    }

    /// Records that an operation failed. Returns `true` if its error is new. Published snapshots
    /// contain the errors, and the server logs them. Before the first snapshot, a new error is
    /// logged here.
    fn report_error(&mut self, operation: Operation, error: &(dyn Error + 'static)) -> bool {
        let message = self.errors.report(operation, error);
        if let (Some(message), false) = (&message, self.has_published) {
            tracing::warn!("{message}");
        }
        message.is_some()
    }

    /// Returns `true` if all watches have listed their objects, except those that are not waited
    /// for.
    fn is_synced(&self) -> bool {
        let mut scopes = self.watches.scopes();
        self.kinds.is_certain()
            && scopes.all(|scope| {
                self.cache.has_listed(scope) || self.watches.is_skipped(scope, !self.has_published)
            })
    }

    /// Publishes a snapshot, unless a watch has not completed its first list.
    fn publish(&mut self) {
        if self.is_synced() {
            self.has_published = true;
            self.is_dirty = false;
            let missing = self.kinds.problem().into_iter().chain(self.watches.problem());
            let problems = missing.chain(self.errors.messages());
            self.feed.publish(self.cache.snapshot(problems));
        }
    }
}
