//! The routes that listeners have, by name. A route on several listeners is one, so that its shares
//! are exact for all of them together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::route::Route;
use crate::model::NamespacedName;
use crate::plan::RoutePlan;

#[derive(Debug, Default)]
pub(super) struct Routes(HashMap<NamespacedName, InUse>);

#[derive(Debug)]
struct InUse {
    route: Arc<Route>,
    listeners: usize,
}

impl Routes {
    /// The route for one more listener. Where it is as it was, it keeps its turns.
    pub(super) fn join(&mut self, plan: &Arc<RoutePlan>) -> Arc<Route> {
        let successor = |old| Arc::new(Route::new(plan.clone(), old));
        match self.0.entry(plan.route.clone()) {
            Entry::Vacant(place) => {
                place.insert(InUse { route: successor(None), listeners: 1 }).route.clone()
            }
            Entry::Occupied(place) => {
                let known = place.into_mut();
                if known.route.plan() != plan {
                    known.route = successor(Some(&known.route));
                }
                known.listeners += 1;
                known.route.clone()
            }
        }
    }

    /// A listener has it no more.
    pub(super) fn leave(&mut self, route: &Route) {
        if let Entry::Occupied(mut place) = self.0.entry(route.plan().route.clone()) {
            place.get_mut().listeners -= 1;
            if place.get().listeners == 0 {
                place.remove();
            }
        }
    }
}
