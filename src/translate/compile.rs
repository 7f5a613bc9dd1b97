//! The plan: every valid listener that has something to bind, with the route that carries its
//! traffic.

use std::sync::Arc;

use super::attach::AttachedRoute;
use super::backends::Backends;
use super::gateways::EvaluatedGateway;
use super::index::Index;
use crate::plan::{ListenerId, ListenerPlan, Plan, RoutePlan, Routing};

/// Compiles the plan. It resolves the backends only of routes that carry traffic, and keeps the
/// result with the route for its status.
pub(super) fn compile(
    index: &Index<'_>,
    backends: &mut Backends<'_>,
    gateways: &[EvaluatedGateway<'_>],
    routes: &mut [AttachedRoute<'_>],
) -> Plan {
    let mut plan = Plan::default();
    for gateway in gateways {
        let Ok(placement) = &gateway.placement else { continue };
        for listener in gateway.listeners.iter().filter(|listener| listener.refusal.is_none()) {
            let addresses = placement.listen_addresses(listener.listener.port);
            if addresses.is_empty() {
                continue;
            }
            let id = ListenerId::new(gateway.name.clone(), listener.listener.name.clone());
            let routing = match listener.winner {
                Some(winner) => {
                    Routing::Single(resolve_route(index, backends, &mut routes[winner.route_index]))
                }
                None => Routing::Unrouted,
            };
            plan.listeners.insert(id, ListenerPlan::new(addresses, routing));
        }
    }
    plan
}

fn resolve_route(
    index: &Index<'_>,
    backends: &mut Backends<'_>,
    route: &mut AttachedRoute<'_>,
) -> Arc<RoutePlan> {
    let (name, spec) = (route.name, route.route);
    let resolved = route.resolved.get_or_insert_with(|| backends.resolve(index, name, spec));
    resolved.plan.clone()
}
