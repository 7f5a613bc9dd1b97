//! From the plan that runs to the one that should: what stays, what opens, what closes.
//!
//! Sockets are known by the address they are bound to, not by the listener's name. So a listener
//! that is renamed, or handed from one Gateway to another, keeps its socket and its connections.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::bind;
use super::bindings::Bindings;
use super::counters::Counters;
use super::desired::{Changes, Desired, SocketKey};
use super::open::Open;
use super::settings::Settings;
use super::worker::Worker;
use crate::plan::{BindError, BindErrorKind, ListenerId, Plan};

#[derive(Debug)]
pub(super) struct Reconciler {
    settings: Arc<Settings>,
    workers: Vec<Worker>,
    desired: Desired,
    /// Where what runs may not be what is wanted. It outlasts an apply that is given up half-way.
    changes: Changes,
    open: BTreeMap<SocketKey, Open>,
    failed: BTreeMap<SocketKey, BindError>,
    /// Addresses whose connections go on without them: until a deadline, or for as long as they like
    /// where the address is wanted again.
    closing: Vec<(SocketKey, Open)>,
    bindings: Bindings,
}

impl Reconciler {
    pub(super) fn start(settings: Settings) -> io::Result<Self> {
        let settings = Arc::new(settings);
        let workers = (0..settings.workers.get())
            .map(|number| Worker::start(number, settings.clone()))
            .collect::<io::Result<Vec<_>>>()?;
        Ok(Self {
            desired: Desired::new(Counters::new(workers.len())),
            settings,
            workers,
            changes: Changes::default(),
            open: BTreeMap::new(),
            failed: BTreeMap::new(),
            closing: Vec::new(),
            bindings: Bindings::default(),
        })
    }

    pub(super) fn counters(&self) -> Counters {
        self.desired.counters().clone()
    }

    pub(super) fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    pub(super) async fn apply(&mut self, plan: &Plan) {
        self.closing.retain_mut(|(_, open)| open.is_live());
        self.desired.update(plan, &mut self.changes);
        self.settle().await;
    }

    /// Whether anything came of it.
    pub(super) async fn retry(&mut self) -> bool {
        !self.failed.is_empty() && self.settle().await
    }

    pub(super) async fn drain(&mut self, timeout: Duration) {
        let deadline = after(timeout);
        self.closing.extend(std::mem::take(&mut self.open));
        for (_, open) in &self.closing {
            open.stop(Some(open.deadline().map_or(deadline, |earlier| earlier.min(deadline))));
        }
        self.failed.clear();
        self.bindings = Bindings::default();
        // For a plan that may yet come.
        self.changes.addresses.extend(self.desired.addresses().cloned());
        // One by one, so that whoever stops waiting may begin again.
        while let Some((_, closing)) = self.closing.last_mut() {
            closing.finished().await;
            self.closing.pop();
        }
    }

    /// Brings what was touched in line with what is wanted; what failed before is tried again.
    /// Whether other addresses are open now than were, or others failed.
    async fn settle(&mut self) -> bool {
        self.changes.addresses.extend(self.failed.keys().cloned());
        let changed: Vec<_> = self.changes.addresses.iter().cloned().collect();
        for key in &changed {
            self.open(key).await;
        }
        // Only now: what is new opens before what is old closes.
        for key in changed {
            if self.desired.claims(&key).is_empty() {
                self.failed.remove(&key);
                if let Some(open) = self.open.remove(&key) {
                    open.stop(None);
                    self.closing.push((key, open));
                }
            }
        }
        self.set_deadlines();
        if self.cleared_the_way().await {
            let failed: Vec<_> = self.failed.keys().cloned().collect();
            for key in &failed {
                self.open(key).await;
            }
        }
        self.update_bindings()
    }

    /// Opens an address, where it is wanted; where it is open already, sees that it does what is
    /// wanted.
    async fn open(&mut self, key: &SocketKey) {
        let Some(state) = self.desired.state(key) else { return };
        if let Some(open) = self.open.get(key) {
            return open.replace(state);
        }
        match bind::open(key.address, self.workers.len()) {
            Ok((bound, sockets)) => {
                let open = Open::new(bound, sockets, &self.workers, state).await;
                self.open.insert(key.clone(), open);
                self.failed.remove(key);
            }
            Err(failure) => {
                self.failed.insert(key.clone(), failure);
            }
        }
    }

    /// Waits until sockets are closed that may be in the way of others; whether there were any.
    /// Such as all interfaces giving way to one of them: these two cannot be open together. Or an
    /// address that comes back before the workers have got round to closing it.
    async fn cleared_the_way(&mut self) -> bool {
        let failures = self.failed.values();
        let blocked: BTreeSet<_> = failures
            .filter(|failure| failure.kind == BindErrorKind::PortUnavailable)
            .map(|failure| failure.address.port())
            .collect();
        let mut waited = false;
        for (_, closing) in &mut self.closing {
            if blocked.contains(&closing.bound.port()) {
                waited |= closing.closed().await;
            }
        }
        waited
    }

    /// Connections whose address came back may go on, as they might if it had never been gone;
    /// others have the drain timeout, from the time when their address went.
    fn set_deadlines(&self) {
        for (key, closing) in &self.closing {
            let by_number = SocketKey { address: closing.bound, ephemeral_for: None };
            if [key, &by_number].into_iter().any(|key| !self.desired.claims(key).is_empty()) {
                closing.stop(None);
            } else if closing.deadline().is_none() {
                closing.stop(Some(after(self.settings.drain_timeout)));
            }
        }
    }

    /// Says of the listeners that were touched what came of it; whether that is anything new.
    fn update_bindings(&mut self) -> bool {
        let Changes { mut listeners, addresses } = std::mem::take(&mut self.changes);
        for key in addresses {
            listeners.extend(self.desired.claims(&key).iter().cloned());
        }
        let mut is_new = false;
        for id in listeners {
            let (mut bound, mut failures) = (Vec::new(), Vec::new());
            for key in self.desired.addresses_of(&id) {
                match self.binding(&key, &id) {
                    Some(Ok(address)) => bound.push(address),
                    Some(Err(failure)) => failures.push(failure),
                    None => {}
                }
            }
            is_new |= put(&mut self.bindings.bound, &id, bound);
            is_new |= put(&mut self.bindings.failures, &id, failures);
        }
        is_new
    }

    /// What came of an address that a listener wants.
    fn binding(&self, key: &SocketKey, id: &ListenerId) -> Option<Result<SocketAddr, BindError>> {
        let first = self.desired.claims(key).first()?;
        if first != id {
            return Some(Err(BindError {
                address: key.address,
                kind: BindErrorKind::PortUnavailable,
                message: format!("listener {first} has it"),
            }));
        }
        let open = self.open.get(key).map(|open| Ok(open.bound));
        open.or_else(|| self.failed.get(key).cloned().map(Err))
    }
}

/// Puts what is known of a listener in the place of what was, where there is anything to know;
/// whether it differs.
fn put<T: PartialEq>(
    known: &mut BTreeMap<ListenerId, Vec<T>>,
    id: &ListenerId,
    now: Vec<T>,
) -> bool {
    if known.get(id).map_or(&[][..], Vec::as_slice) == now {
        return false;
    }
    if now.is_empty() {
        known.remove(id);
    } else {
        known.insert(id.clone(), now);
    }
    true
}

/// The time when `timeout` is over; a time so far off that it has no name is as good as next year.
fn after(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + YEAR)
}
