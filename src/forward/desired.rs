//! The desired state: the latest plan, indexed by listener and by socket.
//!
//! A new plan is compared with it listener by listener, and only the differences are applied. With
//! thousands of listeners, a change of one costs little more than the comparison.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::counters::{Counters, Shards};
use super::route::Route;
use super::route_table::RouteTable;
use crate::plan::{ListenerId, ListenerPlan, Plan, Routing, SocketId};

/// The desired state of all listeners and their sockets.
#[derive(Debug)]
pub(super) struct DesiredState {
    listeners: BTreeMap<ListenerId, DesiredListener>,
    /// For each socket, the listeners that claim it. A list is sorted and never empty; its first
    /// listener gets the socket.
    claims: BTreeMap<SocketKey, Vec<ListenerId>>,
    routes: RouteTable,
    counters: Counters,
}

/// Key of a socket. The sockets of two listeners with an ephemeral port (0) are distinct.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SocketKey {
    pub(super) socket: SocketId,
    /// The listener, if the port of the socket is 0.
    pub(super) ephemeral_for: Option<ListenerId>,
}

/// The listeners and sockets that differ between two plans.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) listeners: BTreeSet<ListenerId>,
    pub(super) sockets: BTreeSet<SocketKey>,
}

/// The listener that has a socket, with its route and its counters.
pub(super) struct Claimed {
    pub(super) id: ListenerId,
    pub(super) route: Option<Arc<Route>>,
    pub(super) counters: Arc<Shards>,
}

#[derive(Debug)]
struct DesiredListener {
    /// The sockets of the plan, which may contain duplicates.
    sockets: Box<[SocketId]>,
    route: Option<Arc<Route>>,
}

impl DesiredState {
    pub(super) fn new(counters: Counters, endpoint_seed: u64) -> Self {
        Self {
            listeners: BTreeMap::new(),
            claims: BTreeMap::new(),
            routes: RouteTable::new(endpoint_seed),
            counters,
        }
    }

    /// Replaces the desired state by `plan` and adds the differences to `changes`.
    pub(super) fn update(&mut self, plan: &Plan, changes: &mut Changes) {
        let mut released_routes = Vec::new();
        for id in self.changed_listeners(plan) {
            if let Some(old) = self.listeners.remove(&id) {
                for key in old.keys(&id) {
                    self.release(&key, &id);
                    changes.sockets.insert(key);
                }
                released_routes.extend(old.route);
            }
            match plan.listeners.get(&id) {
                None => self.counters.remove(&id),
                Some(plan) => {
                    let listener = DesiredListener::new(plan, &mut self.routes);
                    for key in listener.keys(&id) {
                        self.claim(key.clone(), &id);
                        changes.sockets.insert(key);
                    }
                    self.counters.add(&id);
                    self.listeners.insert(id.clone(), listener);
                }
            }
            changes.listeners.insert(id);
        }
        // Released last: a listener that is handled later in the loop may use the same route.
        self.routes.release(released_routes);
    }

    /// Returns the listeners that differ from `plan`. Walks both sorted maps in step.
    fn changed_listeners(&self, plan: &Plan) -> Vec<ListenerId> {
        let mut changed = Vec::new();
        let mut old_iter = self.listeners.iter().peekable();
        let mut new_iter = plan.listeners.iter().peekable();
        loop {
            let order = match (old_iter.peek(), new_iter.peek()) {
                (None, None) => return changed,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                // Most names are equal, and equality is cheaper to test than order.
                (Some((old, _)), Some((new, _))) if old == new => Ordering::Equal,
                (Some((old, _)), Some((new, _))) => old.cmp(new),
            };
            let old = if order.is_le() { old_iter.next() } else { None };
            let new = if order.is_ge() { new_iter.next() } else { None };
            match (old, new) {
                (Some((_, old)), Some((_, new))) if old.matches(new) => {}
                (Some((id, _)), _) | (None, Some((id, _))) => changed.push(id.clone()),
                (None, None) => {}
            }
        }
    }

    /// Adds a listener to those that claim a socket.
    fn claim(&mut self, key: SocketKey, id: &ListenerId) {
        // Capacity 1: more claims are an error in the plan.
        let claims = self.claims.entry(key).or_insert_with(|| Vec::with_capacity(1));
        if let Err(index) = claims.binary_search(id) {
            claims.insert(index, id.clone());
        }
    }

    /// Removes a listener from those that claim a socket.
    fn release(&mut self, key: &SocketKey, id: &ListenerId) {
        if let Some(claims) = self.claims.get_mut(key) {
            claims.retain(|claim| claim != id);
            if claims.is_empty() {
                self.claims.remove(key);
            }
        }
    }

    /// Returns all sockets.
    pub(super) fn sockets(&self) -> impl Iterator<Item = &SocketKey> {
        self.claims.keys()
    }

    /// Returns the sockets of a listener; none if the plan does not contain it.
    pub(super) fn sockets_of(&self, id: &ListenerId) -> impl Iterator<Item = SocketKey> {
        self.listeners.get(id).into_iter().flat_map(|listener| listener.keys(id))
    }

    /// Returns the listeners that claim a socket. The first one gets it.
    pub(super) fn claims(&self, key: &SocketKey) -> &[ListenerId] {
        self.claims.get(key).map_or(&[], Vec::as_slice)
    }

    /// Returns what a connection to this socket needs; `None` if no listener claims the socket.
    pub(super) fn claimed(&self, key: &SocketKey) -> Option<Claimed> {
        let id = self.claims(key).first()?;
        let route = self.listeners.get(id)?.route.clone();
        Some(Claimed { id: id.clone(), route, counters: self.counters.shards(id)? })
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }
}

impl DesiredListener {
    fn new(plan: &ListenerPlan, routes: &mut RouteTable) -> Self {
        let route = match &plan.routing {
            Routing::Unrouted => None,
            Routing::Single(plan) => Some(routes.acquire(plan)),
        };
        Self { sockets: sockets(plan).collect(), route }
    }

    /// Returns `true` if `plan` has the same route and the same sockets.
    fn matches(&self, plan: &ListenerPlan) -> bool {
        let same_route = match (&self.route, &plan.routing) {
            (None, Routing::Unrouted) => true,
            (Some(route), Routing::Single(plan)) => route.plan() == plan,
            _ => false,
        };
        same_route && sockets(plan).eq(self.sockets.iter().copied())
    }

    /// Returns the keys of the listener's sockets, without duplicates.
    fn keys(&self, id: &ListenerId) -> impl Iterator<Item = SocketKey> {
        let sockets = self.sockets.iter().enumerate();
        let distinct = sockets.filter(|(index, socket)| !self.sockets[..*index].contains(socket));
        distinct.map(|(_, socket)| SocketKey {
            socket: *socket,
            ephemeral_for: (socket.address.port() == 0).then(|| id.clone()),
        })
    }
}

fn sockets(plan: &ListenerPlan) -> impl Iterator<Item = SocketId> {
    plan.addresses.iter().map(|address| address.bind)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::plan::{ListenAddress, RouteId, RoutePlan};

    fn id(listener: &str) -> ListenerId {
        format!("default/edge/{listener}").parse().unwrap()
    }

    fn plan(listeners: &[(&str, u16, &str)]) -> Plan {
        let listener = |(listener, port, route): &(&str, u16, &str)| {
            let bind = SocketAddr::from(([127, 0, 0, 1], *port));
            let route = RouteId::tcp(format!("default/{route}").parse().unwrap());
            let routing = Routing::Single(Arc::new(RoutePlan::new(route, Vec::new())));
            (id(listener), ListenerPlan::new(vec![ListenAddress::tcp(bind)], routing))
        };
        Plan { listeners: listeners.iter().map(listener).collect() }
    }

    #[test]
    fn update_collects_only_differences() {
        let mut desired = DesiredState::new(Counters::new(1), 0);
        let mut changed_by = |listeners: &[(&str, u16, &str)]| -> (Vec<String>, Vec<u16>) {
            let mut changes = Changes::default();
            desired.update(&plan(listeners), &mut changes);
            let Changes { listeners, sockets } = changes;
            (
                listeners.iter().map(|id| id.listener.to_string()).collect(),
                sockets.iter().map(|key| key.socket.address.port()).collect(),
            )
        };
        let expected = |listeners: &[&str], ports: &[u16]| {
            (listeners.iter().map(ToString::to_string).collect(), ports.to_vec())
        };
        let (a, b, c) = (("a", 1, "r"), ("b", 2, "r"), ("c", 3, "s"));
        assert_eq!(changed_by(&[a, b, c]), expected(&["a", "b", "c"], &[1, 2, 3]));
        assert_eq!(changed_by(&[a, b, c]), expected(&[], &[]));
        // Another route, another port, gone, back.
        assert_eq!(changed_by(&[a, ("b", 2, "s"), c]), expected(&["b"], &[2]));
        assert_eq!(changed_by(&[a, ("b", 4, "s"), c]), expected(&["b"], &[2, 4]));
        assert_eq!(changed_by(&[a, c]), expected(&["b"], &[4]));
        assert_eq!(changed_by(&[a, b, c]), expected(&["b"], &[2]));
        assert_eq!(changed_by(&[]), expected(&["a", "b", "c"], &[1, 2, 3]));
        assert!(desired.claims.is_empty());
    }

    #[test]
    fn route_is_released_with_its_last_listener() {
        let mut desired = DesiredState::new(Counters::new(1), 0);
        let mut update = |listeners: &[(&str, u16, &str)]| {
            desired.update(&plan(listeners), &mut Changes::default());
            let first = desired.listeners.values().next();
            first.map(|listener| Arc::downgrade(listener.route.as_ref().unwrap()))
        };
        let route = update(&[("a", 1, "r"), ("b", 2, "r")]).unwrap();
        assert!(update(&[("b", 2, "r")]).unwrap().ptr_eq(&route));
        assert!(update(&[]).is_none());
        assert!(route.upgrade().is_none());
    }
}
