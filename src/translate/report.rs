//! The conditions that follow from what the passes found, and the plan.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::StatusReport;
use super::attach::AttachedRoute;
use super::backends::{self, ResolvedRoute};
use super::class::{self, Classes};
use super::index::Index;
use super::listeners::{EvaluatedGateway, EvaluatedGateways, EvaluatedListener};
use super::precedence::Precedence;
use super::say::Sayer;
use super::verdict::verdict;
use crate::model::{
    Condition, ConditionType, GATEWAY_GROUP, GatewayClass, GatewayClassStatus, GatewayStatus,
    ListenerStatus, NamespacedName, ObjectKey, ObjectKind, Reason, RouteParentStatus, RouteStatus,
    SupportedFeature,
};
use crate::plan::{ListenerId, ListenerPlan, Plan, RoutePlan, Routing};

/// The features of Gateway API that this crate has, sorted by name.
const SUPPORTED_FEATURES: [&str; 5] =
    ["Gateway", "GatewayAddressEmpty", "GatewayStaticAddresses", "ReferenceGrant", "TCPRoute"];

pub(super) fn report<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    gateways: &EvaluatedGateways<'a>,
    routes: &[AttachedRoute<'a>],
) -> (Plan, StatusReport) {
    // Most routes may be losers: only the plans of those that carry traffic are kept.
    let mut plans: HashMap<_, _> = winners(gateways).map(|winner| (winner.name(), None)).collect();
    let tcp_routes = routes
        .iter()
        .filter_map(|route| {
            let attached = !route.parents.is_empty();
            let resolved = attached.then(|| backends::resolve(index, route.name, route.route));
            let status = route_status(classes, gateways, route, resolved.as_ref());
            if let Some(plan) = plans.get_mut(route.name) {
                *plan = resolved.map(|resolved| resolved.plan);
            }
            Some((route.name.clone(), status?))
        })
        .collect();
    let mut plan = Plan::default();
    for (name, gateway) in gateways {
        compile(name, gateway, &plans, &mut plan);
    }
    let status = StatusReport {
        gateway_classes: classes
            .served()
            .map(|(name, class)| (name.clone(), class_status(class)))
            .collect(),
        gateways: gateways
            .iter()
            .map(|(name, gateway)| ((*name).clone(), gateway_status(gateway)))
            .collect(),
        tcp_routes,
    };
    (plan, status)
}

/// Objects that are left alone, and why.
pub(super) fn ignored<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    routes: &[AttachedRoute<'a>],
) -> BTreeMap<ObjectKey, String> {
    let key = |kind, name: &NamespacedName| ObjectKey {
        kind,
        namespace: Some(name.namespace.clone()),
        name: name.name.clone(),
    };
    let gateways = index.resources.gateways.iter().filter_map(|(name, gateway)| {
        let why = classes.controller_of(gateway, index).err()?;
        Some((key(ObjectKind::Gateway, name), why))
    });
    let orphans = routes.iter().filter(|route| route.parents.is_empty()).map(|route| {
        let why =
            route.orphaned.clone().unwrap_or_else(|| "no parentRef names a Gateway".to_owned());
        (key(ObjectKind::TcpRoute, route.name), why)
    });
    gateways.chain(orphans).collect()
}

/// The routes that carry some listener's traffic.
fn winners<'a>(gateways: &EvaluatedGateways<'a>) -> impl Iterator<Item = Precedence<'a>> {
    gateways.values().flat_map(|gateway| &gateway.listeners).filter_map(|listener| listener.winner)
}

/// Adds a Gateway's valid listeners to the plan.
fn compile(
    name: &NamespacedName,
    gateway: &EvaluatedGateway<'_>,
    plans: &HashMap<&NamespacedName, Option<Arc<RoutePlan>>>,
    plan: &mut Plan,
) {
    let Ok(addresses) = &gateway.addresses else { return };
    for listener in gateway.listeners.iter().filter(|listener| listener.refusal.is_none()) {
        let id = ListenerId { gateway: name.clone(), listener: listener.listener.name.clone() };
        let routed = listener.winner.and_then(|winner| plans.get(winner.name())?.clone());
        let routing = routed.map_or(Routing::Unrouted, Routing::Single);
        let port = listener.listener.port;
        let addresses = addresses.iter().map(|address| address.with_port(port)).collect();
        plan.listeners.insert(id, ListenerPlan { addresses, routing });
    }
}

fn class_status(class: &GatewayClass) -> GatewayClassStatus {
    let say = Sayer { generation: class.metadata.generation };
    let accepted = if class::is_accepted(class) {
        say.yes(ConditionType::ACCEPTED, Reason::ACCEPTED, "Gateways of this class are served.")
    } else {
        say.no(
            ConditionType::ACCEPTED,
            Reason::INVALID_PARAMETERS,
            "spec.parametersRef is set, but this controller takes no parameters.",
        )
    };
    let feature = |name: &&str| SupportedFeature { name: (*name).to_owned() };
    GatewayClassStatus {
        conditions: vec![accepted],
        supported_features: SUPPORTED_FEATURES.iter().map(feature).collect(),
    }
}

/// Everything but Programmed and the addresses, which the last pass adds.
fn gateway_status(gateway: &EvaluatedGateway<'_>) -> GatewayStatus {
    let say = Sayer { generation: gateway.gateway.metadata.generation };
    GatewayStatus {
        addresses: Vec::new(),
        conditions: vec![gateway_accepted(&say, gateway)],
        listeners: gateway
            .listeners
            .iter()
            .map(|listener| listener_status(&say, listener))
            .collect(),
    }
}

fn gateway_accepted(say: &Sayer, gateway: &EvaluatedGateway<'_>) -> Condition {
    let accepted = ConditionType::ACCEPTED;
    if let Err(refusal) = &gateway.addresses {
        return say.no(accepted, refusal.reason.clone(), &refusal.message);
    }
    let refused: Vec<_> = gateway
        .listeners
        .iter()
        .filter(|listener| listener.refusal.is_some())
        .map(|listener| listener.listener.name.as_str())
        .collect();
    if refused.is_empty() {
        return say.yes(accepted, Reason::ACCEPTED, "All listeners are valid.");
    }
    let message =
        format!("Listeners that are not valid: {}; their conditions say why.", refused.join(", "));
    if refused.len() == gateway.listeners.len() {
        say.no(accepted, Reason::LISTENERS_NOT_VALID, message)
    } else {
        say.yes(accepted, Reason::LISTENERS_NOT_VALID, message)
    }
}

fn listener_status(say: &Sayer, listener: &EvaluatedListener<'_>) -> ListenerStatus {
    let accepted = match &listener.refusal {
        None => say.yes(ConditionType::ACCEPTED, Reason::ACCEPTED, "The listener is valid."),
        Some(refusal) => say.no(ConditionType::ACCEPTED, refusal.reason.clone(), &refusal.message),
    };
    let resolved = if listener.invalid_kinds.is_empty() {
        say.yes(ConditionType::RESOLVED_REFS, Reason::RESOLVED_REFS, "All references are resolved.")
    } else {
        let kinds: Vec<_> = listener
            .invalid_kinds
            .iter()
            .map(|kind| match kind.group.as_str() {
                GATEWAY_GROUP => kind.kind.to_string(),
                "" => format!("{} of the core group", kind.kind),
                group => format!("{} of group {group}", kind.kind),
            })
            .collect();
        let message = format!("A TCP listener takes TCPRoutes only, not {}.", kinds.join(", "));
        say.no(ConditionType::RESOLVED_REFS, Reason::INVALID_ROUTE_KINDS, message)
    };
    let mut conditions = vec![accepted, resolved];
    if let Some(refusal) = &listener.refusal
        && refusal.reason == Reason::PROTOCOL_CONFLICT
    {
        conditions.push(say.yes(
            ConditionType::CONFLICTED,
            refusal.reason.clone(),
            &refusal.message,
        ));
    }
    ListenerStatus {
        name: listener.listener.name.clone(),
        supported_kinds: listener.supported_kinds.clone(),
        attached_routes: listener.attached_routes,
        conditions,
    }
}

/// The route's whole `status.parents`; `None` where neither now nor before we had a say in it.
fn route_status(
    classes: &Classes<'_>,
    gateways: &EvaluatedGateways<'_>,
    route: &AttachedRoute<'_>,
    resolved: Option<&ResolvedRoute>,
) -> Option<RouteStatus> {
    let before = route.route.status.as_ref().map_or(&[][..], |status| &status.parents);
    let mut parents: Vec<_> =
        before.iter().filter(|parent| !classes.is_ours(&parent.controller_name)).cloned().collect();
    if route.parents.is_empty() && parents.len() == before.len() {
        return None;
    }
    let say = Sayer { generation: route.route.metadata.generation };
    if let Some(ResolvedRoute { broken, message: resolved, .. }) = resolved {
        parents.extend(route.parents.iter().map(|parent| {
            let gateway = &gateways[&parent.gateway];
            let (accepted, reason, message) = verdict(parent, route, gateway);
            RouteParentStatus {
                parent_ref: parent.parent_ref.clone(),
                controller_name: gateway.controller.clone(),
                conditions: vec![
                    say.is(accepted, ConditionType::ACCEPTED, reason, message),
                    say.is(
                        broken.is_none(),
                        ConditionType::RESOLVED_REFS,
                        broken.clone().unwrap_or(Reason::RESOLVED_REFS),
                        resolved.clone(),
                    ),
                ],
            }
        }));
    }
    Some(RouteStatus { parents })
}
