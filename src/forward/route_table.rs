//! Table of routes by name, with reference counts. Listeners with the same route share one entry,
//! so that the weights are exact over all of them.

use std::collections::{HashMap, hash_map};
use std::sync::Arc;

use super::route::Route;
use crate::model::NamespacedName;
use crate::plan::RoutePlan;

/// The routes of all listeners.
#[derive(Debug)]
pub(super) struct RouteTable {
    entries: HashMap<NamespacedName, Entry>,
    /// Seed of the first endpoint of each backend.
    endpoint_seed: u64,
}

#[derive(Debug)]
struct Entry {
    route: Arc<Route>,
    /// Number of listeners that use the route.
    ref_count: usize,
}

impl RouteTable {
    pub(super) fn new(endpoint_seed: u64) -> Self {
        Self { entries: HashMap::new(), endpoint_seed }
    }

    /// Returns the route for `plan` and increments its reference count. A route whose plan is
    /// unchanged keeps its rotation.
    pub(super) fn acquire(&mut self, plan: &Arc<RoutePlan>) -> Arc<Route> {
        let seed = self.endpoint_seed;
        let successor = |old| Arc::new(Route::new(plan.clone(), seed, old));
        match self.entries.entry(plan.route.clone()) {
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Entry { route: successor(None), ref_count: 1 }).route.clone()
            }
            hash_map::Entry::Occupied(occupied) => {
                let entry = occupied.into_mut();
                if entry.route.plan() != plan {
                    entry.route = successor(Some(&entry.route));
                }
                entry.ref_count += 1;
                entry.route.clone()
            }
        }
    }

    /// Decrements the reference count of a route, and removes the route at 0.
    pub(super) fn release(&mut self, route: &Route) {
        if let hash_map::Entry::Occupied(mut occupied) =
            self.entries.entry(route.plan().route.clone())
        {
            occupied.get_mut().ref_count -= 1;
            if occupied.get().ref_count == 0 {
                occupied.remove();
            }
        }
    }
}
