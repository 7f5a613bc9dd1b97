//! The routes that listeners have, by name. A route on several listeners is one, so that its shares
//! are exact for all of them together.

use std::collections::{HashMap, hash_map};
use std::sync::Arc;

use super::route::Route;
use crate::model::NamespacedName;
use crate::plan::RoutePlan;

#[derive(Debug, Default)]
pub(super) struct RouteTable(HashMap<NamespacedName, Entry>);

#[derive(Debug)]
struct Entry {
    route: Arc<Route>,
    ref_count: usize,
}

impl RouteTable {
    /// The route for one more listener. Where it is as it was, it keeps its turns.
    pub(super) fn acquire(&mut self, plan: &Arc<RoutePlan>) -> Arc<Route> {
        let successor = |old| Arc::new(Route::new(plan.clone(), old));
        match self.0.entry(plan.route.clone()) {
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

    /// A listener has it no more.
    pub(super) fn release(&mut self, route: &Route) {
        if let hash_map::Entry::Occupied(mut occupied) = self.0.entry(route.plan().route.clone()) {
            occupied.get_mut().ref_count -= 1;
            if occupied.get().ref_count == 0 {
                occupied.remove();
            }
        }
    }
}
