//! The conditions that follow from what the passes found.

use std::collections::BTreeMap;

use super::attach::{AttachedRoute, Parent};
use super::backends::{self, References};
use super::class::{self, Classes};
use super::index::Index;
use super::listeners::{EvaluatedGateway, EvaluatedListener};
use super::say::Sayer;
use super::settings::Addresses;
use super::verdict::verdict;
use crate::model::StatusReport;
use crate::model::{
    Condition, ConditionType, GATEWAY_GROUP, GatewayClass, GatewayClassStatus, GatewayStatus,
    ListenerStatus, NamespacedName, ObjectKey, ObjectKind, ObjectName, Reason, RouteParentStatus,
    RouteStatus, SupportedFeature,
};

/// The features of Gateway API that this crate has, sorted by name.
const SUPPORTED_FEATURES: [&str; 6] = [
    "Gateway",
    "GatewayAddressEmpty",
    PROPAGATION,
    "GatewayStaticAddresses",
    "ReferenceGrant",
    "TCPRoute",
];

/// A feature only where something is set up for a Gateway: its Service.
const PROPAGATION: &str = "GatewayInfrastructure";

pub(super) fn report(
    index: &Index<'_>,
    classes: &Classes<'_>,
    gateways: &[EvaluatedGateway<'_>],
    routes: &[AttachedRoute<'_>],
    addresses: &Addresses,
) -> StatusReport {
    let class_of = |(name, class): (&ObjectName, _)| (name.clone(), class_status(class, addresses));
    let gateway_of =
        |gateway: &EvaluatedGateway<'_>| (gateway.name.clone(), gateway_status(gateway));
    let route_of = |route: &AttachedRoute<'_>| {
        Some((route.name.clone(), route_status(index, classes, gateways, route)?))
    };
    StatusReport {
        gateway_classes: classes.served().map(class_of).collect(),
        gateways: gateways.iter().map(gateway_of).collect(),
        tcp_routes: routes.iter().filter_map(route_of).collect(),
    }
}

/// Objects that are left alone, and why.
pub(super) fn unmanaged<'a>(
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

fn class_status(class: &GatewayClass, addresses: &Addresses) -> GatewayClassStatus {
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
    let has = |name: &&str| *name != PROPAGATION || *addresses == Addresses::Service;
    let feature = |name: &str| SupportedFeature { name: name.to_owned() };
    GatewayClassStatus {
        conditions: vec![accepted],
        supported_features: SUPPORTED_FEATURES.into_iter().filter(has).map(feature).collect(),
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
    if let Err(refusal) = &gateway.home {
        return say.no(accepted, refusal.reason.clone(), refusal.message.clone());
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
        Some(refusal) => {
            say.no(ConditionType::ACCEPTED, refusal.reason.clone(), refusal.message.clone())
        }
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
            refusal.message.clone(),
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
    index: &Index<'_>,
    classes: &Classes<'_>,
    gateways: &[EvaluatedGateway<'_>],
    route: &AttachedRoute<'_>,
) -> Option<RouteStatus> {
    let before = route.route.status.as_ref().map_or(&[][..], |status| &status.parents);
    let theirs = before.iter().filter(|parent| !classes.is_ours(&parent.controller_name));
    let mut parents: Vec<_> = theirs.cloned().collect();
    if route.parents.is_empty() {
        return (parents.len() < before.len()).then_some(RouteStatus { parents });
    }
    let checked;
    let references = match &route.resolved {
        Some(resolved) => &resolved.references,
        None => {
            checked = backends::check(index, route.name, route.route);
            &checked
        }
    };
    parents.extend(route.parents.iter().map(|parent| {
        let gateway = &gateways[parent.gateway];
        RouteParentStatus {
            parent_ref: parent.parent_ref.clone(),
            controller_name: gateway.controller.clone(),
            conditions: parent_conditions(parent, route, gateway, references),
        }
    }));
    Some(RouteStatus { parents })
}

fn parent_conditions(
    parent: &Parent<'_>,
    route: &AttachedRoute<'_>,
    gateway: &EvaluatedGateway<'_>,
    references: &References,
) -> Vec<Condition> {
    let say = Sayer { generation: route.route.metadata.generation };
    let (accepted, reason, message) = verdict(parent, route, gateway);
    let References { broken, message: remarks } = references;
    vec![
        say.is(accepted, ConditionType::ACCEPTED, reason, message),
        say.is(
            broken.is_none(),
            ConditionType::RESOLVED_REFS,
            broken.clone().unwrap_or(Reason::RESOLVED_REFS),
            remarks.clone(),
        ),
    ]
}
