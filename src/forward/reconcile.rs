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
use super::bound_listener::BoundListener;
use super::counters::Counters;
use super::desired::{Changes, Desired, SocketKey};
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
    bound: BTreeMap<SocketKey, BoundListener>,
    failed: BTreeMap<SocketKey, BindError>,
    /// Addresses whose connections go on without them: until a deadline, or for as long as they like
    /// where the address is wanted again.
    draining: Vec<(SocketKey, BoundListener)>,
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
            bound: BTreeMap::new(),
            failed: BTreeMap::new(),
            draining: Vec::new(),
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
        self.draining.retain_mut(|(_, listener)| listener.has_connections());
        self.desired.update(plan, &mut self.changes);
        self.reconcile().await;
    }

    /// Whether anything came of it.
    pub(super) async fn retry(&mut self) -> bool {
        !self.failed.is_empty() && self.reconcile().await
    }

    pub(super) async fn drain(&mut self, timeout: Duration) {
        let deadline = deadline_after(timeout);
        self.draining.extend(std::mem::take(&mut self.bound));
        for (_, listener) in &self.draining {
            listener
                .close(Some(listener.deadline().map_or(deadline, |earlier| earlier.min(deadline))));
        }
        self.failed.clear();
        self.bindings = Bindings::default();
        // For a plan that may yet come.
        self.changes.addresses.extend(self.desired.addresses().cloned());
        // One by one, so that whoever stops waiting may begin again.
        while let Some((_, draining)) = self.draining.last_mut() {
            draining.wait_finished().await;
            self.draining.pop();
        }
    }

    /// Brings what was touched in line with what is wanted; what failed before is tried again.
    /// Whether other addresses are open now than were, or others failed.
    async fn reconcile(&mut self) -> bool {
        self.changes.addresses.extend(self.failed.keys().cloned());
        let changed: Vec<_> = self.changes.addresses.iter().cloned().collect();
        for key in &changed {
            self.ensure_bound(key).await;
        }
        // Only now: what is new opens before what is old closes.
        for key in changed {
            if self.desired.claims(&key).is_empty() {
                self.failed.remove(&key);
                if let Some(listener) = self.bound.remove(&key) {
                    listener.close(None);
                    self.draining.push((key, listener));
                }
            }
        }
        self.set_deadlines();
        if self.wait_for_conflicting_sockets().await {
            let failed: Vec<_> = self.failed.keys().cloned().collect();
            for key in &failed {
                self.ensure_bound(key).await;
            }
        }
        self.update_bindings()
    }

    /// Opens an address, where it is wanted; where it is open already, sees that it does what is
    /// wanted.
    async fn ensure_bound(&mut self, key: &SocketKey) {
        let Some(state) = self.desired.state(key) else { return };
        if let Some(listener) = self.bound.get(key) {
            return listener.update(state);
        }
        match bind::bind(key.address, self.workers.len()) {
            Ok((address, sockets)) => {
                let listener = BoundListener::start(address, sockets, &self.workers, state).await;
                self.bound.insert(key.clone(), listener);
                self.failed.remove(key);
            }
            Err(failure) => {
                self.failed.insert(key.clone(), failure);
            }
        }
    }

    /// Waits until sockets are closed that may be in the way of others; whether there were any.
    /// Such as all interfaces giving way to one of them: these two cannot be open together. Or an
    /// address that comes back before the workers have got round to draining it.
    async fn wait_for_conflicting_sockets(&mut self) -> bool {
        let failures = self.failed.values();
        let blocked: BTreeSet<_> = failures
            .filter(|failure| failure.kind == BindErrorKind::PortUnavailable)
            .map(|failure| failure.address.port())
            .collect();
        let mut waited = false;
        for (_, draining) in &mut self.draining {
            if blocked.contains(&draining.address.port()) {
                waited |= draining.wait_closed().await;
            }
        }
        waited
    }

    /// Connections whose address came back may go on, as they might if it had never been gone;
    /// others have the drain timeout, from the time when their address went.
    fn set_deadlines(&self) {
        for (key, draining) in &self.draining {
            let by_address = SocketKey { address: draining.address, ephemeral_for: None };
            if [key, &by_address].into_iter().any(|key| !self.desired.claims(key).is_empty()) {
                draining.close(None);
            } else if draining.deadline().is_none() {
                draining.close(Some(deadline_after(self.settings.drain_timeout)));
            }
        }
    }

    /// Says of the listeners that were touched what came of it; whether that is anything new.
    fn update_bindings(&mut self) -> bool {
        let Changes { mut listeners, addresses } = std::mem::take(&mut self.changes);
        for key in addresses {
            listeners.extend(self.desired.claims(&key).iter().cloned());
        }
        let mut has_changed = false;
        for id in listeners {
            let (mut bound, mut failures) = (Vec::new(), Vec::new());
            for key in self.desired.addresses_of(&id) {
                match self.bind_result(&key, &id) {
                    Some(Ok(address)) => bound.push(address),
                    Some(Err(failure)) => failures.push(failure),
                    None => {}
                }
            }
            has_changed |= replace_if_changed(&mut self.bindings.bound, &id, bound);
            has_changed |= replace_if_changed(&mut self.bindings.failures, &id, failures);
        }
        has_changed
    }

    /// What came of an address that a listener wants.
    fn bind_result(
        &self,
        key: &SocketKey,
        id: &ListenerId,
    ) -> Option<Result<SocketAddr, BindError>> {
        let first = self.desired.claims(key).first()?;
        if first != id {
            return Some(Err(BindError {
                address: key.address,
                kind: BindErrorKind::PortUnavailable,
                message: format!("listener {first} has it"),
            }));
        }
        let bound = self.bound.get(key).map(|listener| Ok(listener.address));
        bound.or_else(|| self.failed.get(key).cloned().map(Err))
    }
}

/// Puts what is known of a listener in the place of what was, where there is anything to know;
/// whether it differs.
fn replace_if_changed<T: PartialEq>(
    values: &mut BTreeMap<ListenerId, Vec<T>>,
    id: &ListenerId,
    value: Vec<T>,
) -> bool {
    if values.get(id).map_or(&[][..], Vec::as_slice) == value {
        return false;
    }
    if value.is_empty() {
        values.remove(id);
    } else {
        values.insert(id.clone(), value);
    }
    true
}

/// The time when `timeout` is over; a time so far off that it has no name is as good as next year.
fn deadline_after(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + YEAR)
}
