//! Reconciles the bound sockets with the desired state: binds, updates and closes listeners.
//!
//! Sockets are identified by transport and address, not by the listener's name. A listener that is
//! renamed, or moved to another Gateway, keeps its socket and its connections.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bind;
use super::bindings::Bindings;
use super::bound_listener::BoundListener;
use super::counters::Counters;
use super::desired::{Changes, Claimed, DesiredState, SocketKey};
use super::engine::Engine;
use super::settings::Settings;
use super::worker::Workers;
use crate::plan::{BindError, BindErrorKind, ListenerId, Plan, SocketId};

/// The desired state, the actual state, and the workers.
#[derive(Debug)]
pub(super) struct Reconciler {
    engine: Arc<Engine>,
    workers: Workers,
    /// Number of the next socket.
    next_socket: usize,
    desired: DesiredState,
    /// Differences between the desired and the actual state. They remain if `apply` is cancelled.
    changes: Changes,
    bound: BTreeMap<SocketKey, BoundListener>,
    failed: BTreeMap<SocketKey, BindError>,
    /// Closed listeners with open connections. They have a deadline, unless their socket is claimed
    /// again.
    draining: Vec<(SocketKey, BoundListener)>,
    bindings: Bindings,
}

impl Reconciler {
    pub(super) fn start(settings: Settings) -> io::Result<Self> {
        let engine = Arc::new(Engine::new(settings)?);
        let workers = Workers::start(&engine)?;
        Ok(Self {
            desired: DesiredState::new(
                Counters::new(engine.settings.workers.get()),
                endpoint_seed(&engine.settings),
            ),
            engine,
            workers,
            next_socket: 0,
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

    /// Applies a plan.
    pub(super) async fn apply(&mut self, plan: &Plan) {
        self.draining.retain_mut(|(_, listener)| listener.has_connections());
        self.desired.update(plan, &mut self.changes);
        self.reconcile().await;
    }

    /// Tries again to bind the addresses that failed. Returns `true` if the bindings changed.
    pub(super) async fn retry(&mut self) -> bool {
        !self.failed.is_empty() && self.reconcile().await
    }

    /// Closes all listeners, and waits until the last connection has ended or `timeout` is over.
    pub(super) async fn drain(&mut self, timeout: Duration) {
        let deadline = deadline_after(timeout);
        for (key, listener) in std::mem::take(&mut self.bound) {
            self.engine.own_sockets.remove(listener.address);
            self.draining.push((key, listener));
        }
        for (_, listener) in &mut self.draining {
            let deadline = listener.deadline().map_or(deadline, |earlier| earlier.min(deadline));
            listener.close(&self.workers, Some(deadline));
        }
        self.failed.clear();
        self.bindings = Bindings::default();
        // A later plan must bind all sockets again.
        self.changes.sockets.extend(self.desired.sockets().cloned());
        // Each listener is removed after its own wait, so that a cancelled drain can be repeated.
        while let Some((_, draining)) = self.draining.last_mut() {
            draining.wait_finished().await;
            self.draining.pop();
        }
        self.engine.connection_log.report();
    }

    /// Applies the changes and tries failed addresses again. Returns `true` if the bindings
    /// changed.
    async fn reconcile(&mut self) -> bool {
        self.changes.sockets.extend(self.failed.keys().cloned());
        let changed: Vec<_> = self.changes.sockets.iter().cloned().collect();
        for key in &changed {
            self.ensure_bound(key);
        }
        // In a second pass, so that new listeners are bound before old ones close.
        for key in changed {
            if self.desired.claims(&key).is_empty() {
                self.failed.remove(&key);
                if let Some(mut listener) = self.bound.remove(&key) {
                    self.engine.own_sockets.remove(listener.address);
                    listener.close(&self.workers, None);
                    self.draining.push((key, listener));
                }
            }
        }
        self.set_deadlines();
        if self.wait_for_conflicting_sockets().await {
            let failed: Vec<_> = self.failed.keys().cloned().collect();
            for key in &failed {
                self.ensure_bound(key);
            }
        }
        self.update_bindings()
    }

    /// Binds a socket if a listener claims it. Updates the state if the socket is bound already.
    fn ensure_bound(&mut self, key: &SocketKey) {
        let Some(claimed) = self.desired.claimed(key) else { return };
        if let Some(listener) = self.bound.get(key) {
            return listener.update(claimed);
        }
        match self.bind(key.socket, claimed) {
            Ok(listener) => {
                self.bound.insert(key.clone(), listener);
                self.failed.remove(key);
            }
            Err(failure) => {
                self.failed.insert(key.clone(), failure);
            }
        }
    }

    fn bind(&mut self, socket_id: SocketId, claimed: Claimed) -> Result<BoundListener, BindError> {
        let descriptors = &self.engine.descriptors;
        let (bound, socket) = bind::bind(socket_id, descriptors)?;
        // Before its first connection.
        self.engine.own_sockets.add(bound);
        let number = self.next_socket;
        self.next_socket += 1;
        BoundListener::start(number, bound, socket, &self.workers, claimed).map_err(|error| {
            self.engine.own_sockets.remove(bound);
            bind::new_error(socket_id, &error, descriptors)
        })
    }

    /// Waits until closed sockets that may conflict with a failed bind() are gone. Returns `true`
    /// if there were any. A conflict exists between a wildcard address and a specific address with
    /// the same port, and with an address that comes back before the worker has closed
    /// the socket.
    async fn wait_for_conflicting_sockets(&mut self) -> bool {
        let failures = self.failed.values();
        let blocked: BTreeSet<_> = failures
            .filter(|failure| failure.kind == BindErrorKind::PortUnavailable)
            .map(|failure| (failure.socket.transport, failure.socket.address.port()))
            .collect();
        let mut waited = false;
        for (key, draining) in &mut self.draining {
            if blocked.contains(&(key.socket.transport, draining.address.port())) {
                waited |= draining.wait_closed().await;
            }
        }
        waited
    }

    /// Sets the deadlines of closed listeners: none if the socket is claimed again, otherwise the
    /// drain timeout, counted from the removal.
    fn set_deadlines(&mut self) {
        for (key, draining) in &mut self.draining {
            let socket = SocketId { address: draining.address, ..key.socket };
            let by_address = SocketKey { socket, ephemeral_for: None };
            if [key, &by_address].into_iter().any(|key| !self.desired.claims(key).is_empty()) {
                draining.close(&self.workers, None);
            } else if draining.deadline().is_none() {
                draining
                    .close(&self.workers, Some(deadline_after(self.engine.settings.drain_timeout)));
            }
        }
    }

    /// Updates the bindings of the changed listeners. Returns `true` if any of them changed.
    fn update_bindings(&mut self) -> bool {
        let Changes { mut listeners, sockets } = std::mem::take(&mut self.changes);
        for key in sockets {
            listeners.extend(self.desired.claims(&key).iter().cloned());
        }
        let mut has_changed = false;
        for id in listeners {
            let (mut bound, mut failures) = (Vec::new(), Vec::new());
            for key in self.desired.sockets_of(&id) {
                match self.bind_result(&key, &id) {
                    Some(Ok(address)) => bound.push(address),
                    Some(Err(failure)) => failures.push(failure),
                    None => {}
                }
            }
            has_changed |= replace_if_changed(&mut self.bindings.bound, &id, bound);
            has_changed |= replace_if_changed(&mut self.bindings.errors, &id, failures);
        }
        has_changed
    }

    /// Returns the bound address or the error for a socket that a listener claims; `None` if bind()
    /// was not tried yet.
    fn bind_result(
        &self,
        key: &SocketKey,
        id: &ListenerId,
    ) -> Option<Result<SocketAddr, BindError>> {
        let first = self.desired.claims(key).first()?;
        if first != id {
            let message = format!(
                "already used by listener {first}; give one of the two another address or port"
            );
            return Some(Err(BindError::new(key.socket, BindErrorKind::PortUnavailable, message)));
        }
        let bound = self.bound.get(key).map(|listener| Ok(listener.address));
        bound.or_else(|| self.failed.get(key).cloned().map(Err))
    }
}

/// Ends all connections, and then reports the lines that were suppressed.
///
/// The report is made here and not when the engine is dropped. The last reference to the engine may
/// belong to a thread that is ending, where the subscriber cannot log.
impl Drop for Reconciler {
    fn drop(&mut self) {
        self.workers.stop();
        self.engine.connection_log.report();
    }
}

/// Replaces the value of a listener, or removes it if `value` is empty. Returns `true` if it
/// changed.
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

/// Returns the seed of the first endpoints: that of the settings, or a random one.
fn endpoint_seed(settings: &Settings) -> u64 {
    settings.endpoint_seed.unwrap_or_else(|| RandomState::new().hash_one(()))
}

/// Returns `now + timeout`, or one year from now if that overflows.
fn deadline_after(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + YEAR)
}
