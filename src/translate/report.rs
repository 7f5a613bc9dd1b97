//! The conditions that follow from what the passes found, and the plan.

use std::collections::{BTreeMap, HashMap};

use super::StatusReport;
use super::attach::{AttachedRoute, Parent};
use super::backends::{self, ResolvedRoute};
use super::class::{self, Classes};
use super::index::Index;
use super::listeners::{EvaluatedGateway, EvaluatedGateways, EvaluatedListener};
use crate::model::{
    Condition, ConditionStatus, ConditionType, GATEWAY_GROUP, GatewayClass, GatewayClassStatus,
    GatewayStatus, ListenerStatus, NamespacedName, ObjectKey, ObjectKind, Reason,
    RouteParentStatus, RouteStatus, SupportedFeature,
};
use crate::plan::{ListenerId, ListenerPlan, Plan, Routing};

/// The features of Gateway API that this crate has, sorted by name.
const SUPPORTED_FEATURES: [&str; 3] = ["Gateway", "ReferenceGrant", "TCPRoute"];

pub(super) fn report<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    gateways: &EvaluatedGateways<'a>,
    routes: &[AttachedRoute<'a>],
) -> (Plan, StatusReport) {
    let resolved: HashMap<&NamespacedName, ResolvedRoute> = routes
        .iter()
        .filter(|route| !route.parents.is_empty())
        .map(|route| (route.name, backends::resolve(index, route.name, route.route)))
        .collect();
    let mut plan = Plan::default();
    for (name, gateway) in gateways {
        compile(name, gateway, &resolved, &mut plan);
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
        tcp_routes: routes
            .iter()
            .filter_map(|route| {
                Some((route.name.clone(), route_status(classes, route, resolved.get(route.name))?))
            })
            .collect(),
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

/// Adds a Gateway's valid listeners to the plan.
fn compile(
    name: &NamespacedName,
    gateway: &EvaluatedGateway<'_>,
    resolved: &HashMap<&NamespacedName, ResolvedRoute>,
    plan: &mut Plan,
) {
    let Ok(addresses) = &gateway.addresses else { return };
    for listener in gateway.listeners.iter().filter(|listener| listener.refusal.is_none()) {
        let id = ListenerId { gateway: name.clone(), listener: listener.listener.name.clone() };
        let routing = match listener.winner {
            Some(route) => Routing::Single(resolved[route].plan.clone()),
            None => Routing::Unrouted,
        };
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
    route: &AttachedRoute<'_>,
    resolved: Option<&ResolvedRoute>,
) -> Option<RouteStatus> {
    let before = route.route.status.as_ref().map_or(&[][..], |status| &status.parents);
    let foreign: Vec<_> =
        before.iter().filter(|parent| !classes.is_ours(&parent.controller_name)).cloned().collect();
    if route.parents.is_empty() && foreign.len() == before.len() {
        return None;
    }
    let say = Sayer { generation: route.route.metadata.generation };
    let entry = |parent: &Parent<'_>, resolved: &ResolvedRoute| RouteParentStatus {
        parent_ref: parent.parent_ref.clone(),
        controller_name: parent.controller.clone(),
        conditions: vec![
            say.is(
                parent.accepted,
                ConditionType::ACCEPTED,
                parent.reason.clone(),
                &parent.message,
            ),
            say.is(
                resolved.broken.is_none(),
                ConditionType::RESOLVED_REFS,
                resolved.broken.clone().unwrap_or(Reason::RESOLVED_REFS),
                &resolved.message,
            ),
        ],
    };
    let ours = resolved
        .into_iter()
        .flat_map(|resolved| route.parents.iter().map(|parent| entry(parent, resolved)));
    Some(RouteStatus { parents: foreign.into_iter().chain(ours).collect() })
}

/// Says conditions of one object.
pub(super) struct Sayer {
    pub(super) generation: Option<i64>,
}

impl Sayer {
    pub(super) fn yes(
        &self,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<String>,
    ) -> Condition {
        self.is(true, condition_type, reason, message)
    }

    pub(super) fn no(
        &self,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<String>,
    ) -> Condition {
        self.is(false, condition_type, reason, message)
    }

    fn is(
        &self,
        holds: bool,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<String>,
    ) -> Condition {
        Condition {
            condition_type,
            status: if holds { ConditionStatus::True } else { ConditionStatus::False },
            reason,
            message: message.into(),
            observed_generation: self.generation,
            last_transition_time: None,
        }
    }
}
