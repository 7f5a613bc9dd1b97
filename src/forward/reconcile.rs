//! From the plan that runs to the one that should: what stays, what opens, what closes.
//!
//! Sockets are known by the address they are bound to, not by the listener's name. So a listener
//! that is renamed, or handed from one Gateway to another, keeps its socket and its connections.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

use super::Bindings;
use super::accept::Phase;
use super::bind;
use super::counters::Counters;
use super::route::Route;
use super::settings::Settings;
use super::worker::{Assignment, ListenerState, SharedListener, Worker};
use crate::model::NamespacedName;
use crate::plan::{BindCause, BindFailure, ListenerId, Plan, Routing};

/// How long to wait for a socket to close that is in the way of a new one.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Reconciler {
    settings: Arc<Settings>,
    workers: Vec<Worker>,
    counters: Counters,
    routes: HashMap<NamespacedName, Arc<Route>>,
    open: BTreeMap<SocketKey, Open>,
    failed: BTreeMap<SocketKey, Failed>,
    /// Listeners that want what another listener of the plan has.
    conflicts: Vec<(ListenerId, BindFailure)>,
    closing: Vec<Closing>,
}

/// What a socket is known by: the address and, where the system chooses the port, for whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct SocketKey {
    address: SocketAddr,
    chosen_for: Option<ListenerId>,
}

/// An address that is open.
#[derive(Debug)]
struct Open {
    bound: SocketAddr,
    listener: Arc<SharedListener>,
    stop: watch::Sender<Phase>,
    closed: Vec<oneshot::Receiver<()>>,
    finished: Vec<oneshot::Receiver<()>>,
}

/// An address that could not be opened.
#[derive(Debug)]
struct Failed {
    wanted: Wanted,
    failure: BindFailure,
}

/// An address that takes no more connections, while those it has go on: until a deadline, or for
/// as long as they like where the address is wanted again.
#[derive(Debug)]
struct Closing {
    key: SocketKey,
    bound: SocketAddr,
    stop: watch::Sender<Phase>,
    closed: Vec<oneshot::Receiver<()>>,
    finished: Vec<oneshot::Receiver<()>>,
}

/// What an address is to do.
#[derive(Debug, Clone)]
struct Wanted {
    id: ListenerId,
    route: Option<Arc<Route>>,
}

impl Reconciler {
    pub(super) fn start(settings: Settings) -> io::Result<Self> {
        let settings = Arc::new(settings);
        let workers =
            (0..settings.workers.max(1)).map(|number| Worker::start(number, settings.clone()));
        Ok(Self {
            workers: workers.collect::<io::Result<_>>()?,
            settings,
            counters: Counters::default(),
            routes: HashMap::new(),
            open: BTreeMap::new(),
            failed: BTreeMap::new(),
            conflicts: Vec::new(),
            closing: Vec::new(),
        })
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters.clone()
    }

    pub(super) async fn apply(&mut self, plan: &Plan) -> Bindings {
        self.closing.retain_mut(Closing::is_live);
        let wanted = self.wanted(plan);
        self.publish_counters(plan);

        let gone: Vec<_> =
            self.open.keys().filter(|key| !wanted.contains_key(key)).cloned().collect();
        self.failed.clear();
        for (key, wanted) in wanted {
            match self.open.get(&key) {
                Some(open) => self.swap(open, wanted),
                None => self.open(key, wanted).await,
            }
        }
        for key in gone {
            if let Some(open) = self.open.remove(&key) {
                self.close(key, open);
            }
        }
        self.set_deadlines();
        if self.cleared_the_way().await {
            self.open_failed().await;
        }
        self.bindings()
    }

    pub(super) async fn retry(&mut self) -> Option<Bindings> {
        let before = self.bindings();
        self.open_failed().await;
        Some(self.bindings()).filter(|now| *now != before)
    }

    pub(super) async fn drain(&mut self, timeout: Duration) {
        let deadline = after(timeout);
        for (key, open) in std::mem::take(&mut self.open) {
            self.close(key, open);
        }
        for closing in &self.closing {
            let sooner = closing.deadline().map_or(deadline, |earlier| earlier.min(deadline));
            closing.stop.send_replace(Phase::Closed(Some(sooner)));
        }
        self.failed.clear();
        self.conflicts.clear();
        // One by one, so that whoever stops waiting may begin again.
        while let Some(closing) = self.closing.last_mut() {
            while let Some(finished) = closing.finished.last_mut() {
                // Told by being dropped.
                let _ = finished.await;
                closing.finished.pop();
            }
            self.closing.pop();
        }
    }

    /// What each address is to do. Routes that are as they were keep their turns.
    fn wanted(&mut self, plan: &Plan) -> BTreeMap<SocketKey, Wanted> {
        let mut routes: HashMap<NamespacedName, Arc<Route>> =
            HashMap::with_capacity(self.routes.len());
        let mut wanted: BTreeMap<_, Wanted> = BTreeMap::new();
        self.conflicts.clear();
        for (id, listener) in &plan.listeners {
            let route = match &listener.routing {
                Routing::Unrouted => None,
                Routing::Single(plan) => {
                    let known = routes.get(&plan.route).or_else(|| self.routes.get(&plan.route));
                    let route = match known {
                        Some(route) if route.plan() == plan => route.clone(),
                        known => Arc::new(Route::new(plan.clone(), known.map(|route| &**route))),
                    };
                    routes.insert(plan.route.clone(), route.clone());
                    Some(route)
                }
            };
            for address in &listener.addresses {
                let chosen_for = (address.bind.port() == 0).then(|| id.clone());
                let key = SocketKey { address: address.bind, chosen_for };
                let first = wanted
                    .entry(key)
                    .or_insert_with(|| Wanted { id: id.clone(), route: route.clone() });
                if first.id != *id {
                    let failure = BindFailure {
                        address: address.bind,
                        cause: BindCause::PortUnavailable,
                        message: format!("listener {} has it", first.id),
                    };
                    self.conflicts.push((id.clone(), failure));
                }
            }
        }
        self.routes = routes;
        wanted
    }

    fn publish_counters(&self, plan: &Plan) {
        let shards = |id: &ListenerId| (id.clone(), self.counters.shards(id, self.workers.len()));
        self.counters.publish(plan.listeners.keys().map(shards).collect());
    }

    fn state(&self, wanted: Wanted) -> ListenerState {
        let counters = self.counters.shards(&wanted.id, self.workers.len());
        ListenerState { id: wanted.id, route: wanted.route, counters }
    }

    fn swap(&self, open: &Open, wanted: Wanted) {
        let now = open.listener.state();
        let same_route = match (&now.route, &wanted.route) {
            (Some(now), Some(wanted)) => Arc::ptr_eq(now, wanted),
            (None, None) => true,
            _ => false,
        };
        if now.id != wanted.id || !same_route {
            open.listener.replace(self.state(wanted));
        }
    }

    async fn open(&mut self, key: SocketKey, wanted: Wanted) {
        let (bound, sockets) = match bind::open(key.address, self.workers.len()) {
            Ok(opened) => opened,
            Err(failure) => {
                self.failed.insert(key, Failed { wanted, failure });
                return;
            }
        };
        let listener = Arc::new(SharedListener::new(self.state(wanted)));
        let (stop, stopped) = watch::channel(Phase::Open);
        let mut open = Open {
            bound,
            listener: listener.clone(),
            stop,
            closed: Vec::new(),
            finished: Vec::new(),
        };
        for (worker, socket) in self.workers.iter().zip(sockets) {
            let (closed, is_closed) = oneshot::channel();
            let (finished, is_finished) = oneshot::channel();
            open.closed.push(is_closed);
            open.finished.push(is_finished);
            let stop = stopped.clone();
            worker
                .assign(Assignment { socket, listener: listener.clone(), stop, closed, finished })
                .await;
        }
        self.open.insert(key, open);
    }

    async fn open_failed(&mut self) {
        for (key, failed) in std::mem::take(&mut self.failed) {
            self.open(key, failed.wanted).await;
        }
    }

    /// Stops an address, without a deadline so far.
    fn close(&mut self, key: SocketKey, open: Open) {
        let Open { bound, stop, closed, finished, .. } = open;
        stop.send_replace(Phase::Closed(None));
        self.closing.push(Closing { key, bound, stop, closed, finished });
    }

    /// Waits until sockets are closed that may be in the way of others; whether there were any.
    /// Such as all interfaces giving way to one of them: these two cannot be open together. Or an
    /// address that comes back before the workers have got round to closing it.
    async fn cleared_the_way(&mut self) -> bool {
        let failures = self.failed.values().map(|failed| &failed.failure);
        let blocked: BTreeSet<_> = failures
            .filter(|failure| failure.cause == BindCause::PortUnavailable)
            .map(|failure| failure.address.port())
            .collect();
        let mut waited = false;
        for closing in &mut self.closing {
            if blocked.contains(&closing.bound.port()) {
                for closed in closing.closed.drain(..) {
                    let _ = timeout(CLOSE_TIMEOUT, closed).await;
                    waited = true;
                }
            }
        }
        waited
    }

    /// Connections whose address came back may go on, as they might if it had never been gone;
    /// others have the drain timeout, from the time when their address went.
    fn set_deadlines(&self) {
        for closing in &self.closing {
            let by_number = SocketKey { address: closing.bound, chosen_for: None };
            if self.is_wanted(&closing.key) || self.is_wanted(&by_number) {
                closing.stop.send_replace(Phase::Closed(None));
            } else if closing.deadline().is_none() {
                let deadline = after(self.settings.drain_timeout);
                closing.stop.send_replace(Phase::Closed(Some(deadline)));
            }
        }
    }

    fn is_wanted(&self, key: &SocketKey) -> bool {
        self.open.contains_key(key) || self.failed.contains_key(key)
    }

    fn bindings(&self) -> Bindings {
        let mut bindings = Bindings::default();
        for open in self.open.values() {
            bindings.bound.entry(open.listener.state().id.clone()).or_default().push(open.bound);
        }
        let failed = self.failed.values().map(|failed| (&failed.wanted.id, &failed.failure));
        let conflicts = self.conflicts.iter().map(|(id, failure)| (id, failure));
        for (id, failure) in failed.chain(conflicts) {
            bindings.failures.entry(id.clone()).or_default().push(failure.clone());
        }
        bindings
    }
}

impl Closing {
    fn deadline(&self) -> Option<Instant> {
        match *self.stop.borrow() {
            Phase::Closed(deadline) => deadline,
            Phase::Open => None,
        }
    }

    fn is_live(&mut self) -> bool {
        let is_live = |finished: &mut oneshot::Receiver<()>| {
            matches!(finished.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        };
        self.finished.retain_mut(is_live);
        !self.finished.is_empty()
    }
}

/// The time when `timeout` is over; a time so far off that it has no name is as good as next year.
fn after(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + YEAR)
}
