//! Table of routes by identifier, with reference counts. Listeners with the same route share one
//! entry, so that the weights are exact over all of them.

use std::collections::{HashMap, hash_map};
use std::mem;
use std::sync::Arc;

use super::backend_table::BackendTable;
use super::route::Route;
use crate::plan::{RouteId, RoutePlan};

/// The routes of all listeners, and their backends.
#[derive(Debug)]
pub(super) struct RouteTable {
    entries: HashMap<RouteId, Entry>,
    backends: BackendTable,
    /// Routes that were replaced since the last [`release`](Self::release). They still count as
    /// references to their backends.
    replaced: Vec<Arc<Route>>,
}

#[derive(Debug)]
struct Entry {
    route: Arc<Route>,
    /// Number of listeners that use the route.
    ref_count: usize,
}

impl RouteTable {
    pub(super) fn new(endpoint_seed: u64) -> Self {
        Self {
            entries: HashMap::new(),
            backends: BackendTable::new(endpoint_seed),
            replaced: Vec::new(),
        }
    }

    /// Returns the route for `plan` and increments its reference count. A route whose weights are
    /// unchanged keeps its rotation.
    pub(super) fn acquire(&mut self, plan: &Arc<RoutePlan>) -> Arc<Route> {
        match self.entries.entry(plan.id.clone()) {
            hash_map::Entry::Vacant(vacant) => {
                let route = Arc::new(Route::new(plan.clone(), &mut self.backends, None));
                vacant.insert(Entry { route, ref_count: 1 }).route.clone()
            }
            hash_map::Entry::Occupied(occupied) => {
                let entry = occupied.into_mut();
                if entry.route.plan() != plan {
                    let route = Route::new(plan.clone(), &mut self.backends, Some(&entry.route));
                    self.replaced.push(mem::replace(&mut entry.route, Arc::new(route)));
                }
                entry.ref_count += 1;
                entry.route.clone()
            }
        }
    }

    /// Decrements the reference count of each of these routes, and removes a route at 0. Then
    /// releases the backends of the routes that were removed or replaced.
    ///
    /// It is called at the end of an update: a route or a backend would lose its state if its
    /// reference count fell to 0 before another listener or route acquires it.
    pub(super) fn release(&mut self, routes: Vec<Arc<Route>>) {
        for route in routes {
            if let hash_map::Entry::Occupied(mut occupied) =
                self.entries.entry(route.plan().id.clone())
            {
                occupied.get_mut().ref_count -= 1;
                if occupied.get().ref_count == 0 {
                    self.replaced.push(occupied.remove().route);
                }
            }
        }
        for route in self.replaced.drain(..) {
            route.backends().for_each(|backend| self.backends.release(&backend.plan().id));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::forward::dial_failure::DialFailure;
    use crate::forward::endpoints::{Attempt, Choice, Limits};
    use crate::plan::{BackendId, BackendPlan, Endpoint, Share};

    fn endpoint(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 1], port))
    }

    /// Returns the plan of a route to the backend `db` with endpoints on these ports.
    fn plan(route: &str, ports: &[u16]) -> Arc<RoutePlan> {
        let id = BackendId::new("default/db".parse().unwrap(), None);
        let endpoints = ports.iter().map(|port| Endpoint::new(endpoint(*port)));
        let shares = vec![Share::new(1, Arc::new(BackendPlan::new(id, endpoints)))];
        Arc::new(RoutePlan::new(RouteId::tcp(format!("default/{route}").parse().unwrap()), shares))
    }

    /// Returns the first attempt of a connection.
    fn attempt(route: &Route) -> Attempt {
        let backend = route.backend(0).unwrap();
        let limits = Limits { attempt: Duration::MAX, budget: Duration::MAX };
        let now = Instant::now();
        backend.marks().next(&mut Choice::new(limits, now), backend.turns(), now).unwrap()
    }

    /// Makes a connection whose first attempt fails. Returns the endpoint.
    fn fail(route: &Route) -> SocketAddr {
        let (attempt, backend) = (attempt(route), route.backend(0).unwrap());
        let (failure, error) = (DialFailure::Refused, io::ErrorKind::ConnectionRefused.into());
        backend.marks().record_failure(attempt, Instant::now(), failure, &error, backend.plan());
        attempt.endpoint
    }

    #[test]
    fn routes_to_one_backend_continue_one_rotation() {
        let mut table = RouteTable::new(0);
        let routes = ["a", "b"].map(|route| table.acquire(&plan(route, &[1, 2, 3])));
        let mut used: Vec<_> = (0..3).map(|turn| attempt(&routes[turn % 2]).endpoint).collect();
        used.sort_unstable();
        assert_eq!(used, [1, 2, 3].map(endpoint));
    }

    #[test]
    fn mark_made_through_one_route_is_seen_through_another() {
        let mut table = RouteTable::new(0);
        let [a, b] = ["a", "b"].map(|route| table.acquire(&plan(route, &[1, 2])));
        let failed = fail(&a);
        assert!((0..4).all(|_| attempt(&b).endpoint != failed));
    }

    #[test]
    fn backend_keeps_its_state_while_endpoints_and_routes_change() {
        let mut table = RouteTable::new(0);
        let first = table.acquire(&plan("a", &[1, 2, 3]));
        let failed = fail(&first);
        let next = attempt(&first).endpoint;
        assert_ne!(next, failed);
        // In one update, the route loses the backend, another one gets it, and an endpoint leaves.
        let without = table.acquire(&Arc::new(RoutePlan::new(first.plan().id.clone(), Vec::new())));
        let kept: Vec<_> = [1, 2, 3].into_iter().filter(|port| endpoint(*port) != next).collect();
        let second = table.acquire(&plan("b", &kept));
        table.release(vec![first]);
        assert!((0..4).all(|_| attempt(&second).endpoint != failed));
        table.release(vec![without]);
        assert!((0..4).all(|_| attempt(&second).endpoint != failed));
    }

    #[test]
    fn state_is_removed_with_the_last_route() {
        let mut table = RouteTable::new(0);
        let [a, b] = ["a", "b"].map(|route| table.acquire(&plan(route, &[1, 2])));
        let failed = fail(&a);
        table.release(vec![a]);
        assert!((0..4).all(|_| attempt(&b).endpoint != failed));
        // The route loses its backend.
        let without = table.acquire(&Arc::new(RoutePlan::new(b.plan().id.clone(), Vec::new())));
        table.release(vec![b]);
        let c = table.acquire(&plan("c", &[1, 2]));
        assert!((0..4).any(|_| attempt(&c).endpoint == failed));
        table.release(vec![without, c]);
        assert!(table.entries.is_empty() && table.backends.is_empty());
    }
}
