//! Differences between two plans: routes with their endpoints, and the routes of listeners.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::name_list::NameList;
use super::route_text::describe_route;
use crate::model::merge_join;
use crate::plan::{ListenerId, ListenerPlan, Plan, RouteId, RoutePlan, Routing};

/// Differences between two plans.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PlanChanges {
    /// Routes that carry the traffic of a listener now, and did not before.
    pub(super) used: NameList,
    /// Routes with other backends or endpoints than before.
    pub(super) changed: NameList,
    /// Routes that no longer carry the traffic of a listener.
    pub(super) unused: NameList,
    /// Listeners without a route that had one before, or did not exist.
    pub(super) unrouted: NameList,
    /// Listeners with a route that they did not have before.
    pub(super) rerouted: NameList,
}

type Routes<'a> = BTreeMap<&'a RouteId, &'a Arc<RoutePlan>>;

impl PlanChanges {
    /// Compares two plans.
    pub(crate) fn between(before: &Plan, now: &Plan) -> Self {
        let mut changes = Self::default();
        let (mut old_routes, mut new_routes) = (Routes::new(), Routes::new());
        for (id, old, new) in merge_join(&before.listeners, &now.listeners) {
            let (old, new) = (old.map(route_of), new.map(route_of));
            if old == new {
                continue;
            }
            changes.add_listener(id, old, new);
            old_routes.extend(old.flatten().map(|route| (&route.id, route)));
            new_routes.extend(new.flatten().map(|route| (&route.id, route)));
        }
        // A route that one listener no longer has may still be the route of another listener.
        retain_unused(&mut old_routes, &new_routes, now);
        changes.add_routes(&old_routes, &new_routes, before);
        changes
    }

    fn add_listener(
        &mut self,
        id: &ListenerId,
        old: Option<Option<&Arc<RoutePlan>>>,
        new: Option<Option<&Arc<RoutePlan>>>,
    ) {
        match (old, new) {
            (_, Some(None)) => self.unrouted.add(|| id),
            (Some(old), Some(Some(new))) if old.is_none_or(|old| old.id != new.id) => {
                self.rerouted.add(|| format!("{id}: {}", new.id));
            }
            _ => {}
        }
    }

    fn add_routes(&mut self, old_routes: &Routes<'_>, new_routes: &Routes<'_>, before: &Plan) {
        let mut added = Routes::new();
        for (id, now) in new_routes {
            match old_routes.get(id) {
                Some(old) if old == now => {}
                Some(old) => self.changed.add(|| describe_route(Some(old), now)),
                None => {
                    added.insert(id, now);
                }
            }
        }
        if !added.is_empty() {
            let in_use = before.listeners.values().filter_map(route_of);
            for route in in_use {
                if let Some(now) = added.remove(&route.id)
                    && now != route
                {
                    self.changed.add(|| describe_route(Some(route), now));
                }
            }
        }
        for now in added.values() {
            self.used.add(|| describe_route(None, now));
        }
        for id in old_routes.keys().filter(|id| !new_routes.contains_key(*id)) {
            self.unused.add(|| id);
        }
    }
}

/// Removes the routes that a listener of the plan still has, unless `new_routes` contains them.
fn retain_unused(old_routes: &mut Routes<'_>, new_routes: &Routes<'_>, now: &Plan) {
    if old_routes.keys().all(|id| new_routes.contains_key(id)) {
        return;
    }
    for route in now.listeners.values().filter_map(route_of) {
        if !new_routes.contains_key(&route.id) {
            old_routes.remove(&route.id);
        }
    }
}

fn route_of(listener: &ListenerPlan) -> Option<&Arc<RoutePlan>> {
    match &listener.routing {
        Routing::Single(route) => Some(route),
        Routing::Unrouted => None,
    }
}
