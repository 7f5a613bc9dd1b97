//! The status that follows from the findings, apart from what depends on open listeners
//! (`programmed`).

use std::collections::{BTreeMap, BTreeSet};

use super::attach::{AttachedRoute, Parent};
use super::backend_error::BackendError;
use super::backends::Backends;
use super::conditions::ConditionBuilder;
use super::enumerate::{list, sentences};
use super::gateway_classes::{self, Classes};
use super::gateways::EvaluatedGateway;
use super::index::Index;
use super::listeners::EvaluatedListener;
use super::route_accepted::build_accepted;
use super::unmanaged::Unmanaged;
use crate::model::{
    Caveat, Condition, ConditionType, FromNamespaces, GATEWAY_GROUP, GatewayClass,
    GatewayClassStatus, GatewayStatus, LabelSelector, Listener, ListenerStatus, NamespacedName,
    ObjectKey, ObjectKind, ObjectName, Protocol, Reason, RouteParentStatus, RouteStatus,
    StatusReport, SupportedFeature,
};

/// The features of Gateway API that this crate supports, sorted by name.
///
/// `GatewayInfrastructure` is not among them: its conformance test looks for the Service of a
/// Gateway in the Gateway's namespace.
const SUPPORTED_FEATURES: [&str; 5] =
    ["Gateway", "GatewayAddressEmpty", "GatewayStaticAddresses", "ReferenceGrant", "TCPRoute"];

const ALL_RESOLVED: &str = "All references are resolved.";

/// Builds the status of every object that gets one.
pub(super) fn build_report(
    index: &Index<'_>,
    backends: &mut Backends<'_>,
    classes: &Classes<'_>,
    gateways: &[EvaluatedGateway<'_>],
    routes: &[AttachedRoute<'_>],
) -> StatusReport {
    let class_entry = |(name, class): (&ObjectName, _)| (name.clone(), build_class_status(class));
    let gateway_entry =
        |gateway: &EvaluatedGateway<'_>| (gateway.name.clone(), build_gateway_status(gateway));
    let route_entry = |route: &AttachedRoute<'_>| {
        Some((route.name.clone(), build_route_status(index, backends, classes, gateways, route)?))
    };
    StatusReport {
        gateway_classes: classes.served().map(class_entry).collect(),
        gateways: gateways.iter().map(gateway_entry).collect(),
        tcp_routes: routes.iter().filter_map(route_entry).collect(),
    }
}

/// Returns the Gateways and routes that are not managed here, with the reason.
pub(super) fn list_unmanaged<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    routes: &[AttachedRoute<'a>],
) -> BTreeMap<ObjectKey, Unmanaged> {
    let gateways = index.resources.gateways.iter().filter_map(|(name, gateway)| {
        let reason = classes.class_of(gateway, index).err()?;
        Some((ObjectKey::namespaced(ObjectKind::Gateway, name), reason))
    });
    let routes = routes.iter().filter(|route| route.parents.is_empty()).map(|route| {
        let reason = route.unmanaged.clone().unwrap_or(Unmanaged::NoGatewayRef);
        (ObjectKey::namespaced(ObjectKind::TcpRoute, route.name), reason)
    });
    gateways.chain(routes).collect()
}

fn build_class_status(class: &GatewayClass) -> GatewayClassStatus {
    let conditions = ConditionBuilder { generation: class.metadata.generation };
    let accepted = if gateway_classes::is_accepted(class) {
        conditions.true_(
            ConditionType::ACCEPTED,
            Reason::ACCEPTED,
            "Gateways of this class are served.",
        )
    } else {
        conditions.false_(
            ConditionType::ACCEPTED,
            Reason::INVALID_PARAMETERS,
            "spec.parametersRef is set, but this controller supports no parameters; remove it.",
        )
    };
    let feature = |name: &str| SupportedFeature { name: name.to_owned() };
    GatewayClassStatus {
        conditions: vec![accepted],
        supported_features: SUPPORTED_FEATURES.into_iter().map(feature).collect(),
    }
}

fn build_gateway_status(gateway: &EvaluatedGateway<'_>) -> GatewayStatus {
    let conditions = ConditionBuilder { generation: gateway.gateway.metadata.generation };
    GatewayStatus {
        addresses: Vec::new(),
        conditions: vec![build_gateway_accepted(&conditions, gateway)],
        listeners: gateway
            .listeners
            .iter()
            .map(|listener| build_listener_status(&conditions, listener))
            .collect(),
    }
}

fn build_gateway_accepted(
    conditions: &ConditionBuilder,
    gateway: &EvaluatedGateway<'_>,
) -> Condition {
    let accepted = ConditionType::ACCEPTED;
    if let Err(refusal) = &gateway.placement {
        return conditions.false_(accepted, refusal.reason(), refusal.to_string());
    }
    let names = |is_refused: bool| {
        let listeners = gateway.listeners.iter();
        let found = listeners.filter(move |listener| listener.refusal.is_some() == is_refused);
        found.map(|listener| listener.listener.name.as_str())
    };
    let class = (!gateway_classes::is_accepted(gateway.class)).then(|| {
        let class = &gateway.class.metadata.name;
        format!(
            " GatewayClass {class} is not accepted, so its parameters have no effect on this Gateway; the Accepted condition of the class contains the reason."
        )
    });
    let class_message = class.as_deref().unwrap_or_default();
    let refused = list(names(true));
    if refused.is_empty() {
        let message = format!("All listeners are valid.{class_message}");
        let caveat = class.map(|_| Caveat::ClassNotAccepted);
        return conditions.true_with(accepted, Reason::ACCEPTED, message, caveat);
    }
    let valid = list(names(false));
    let message = format!("Invalid listeners: {refused}. Their conditions contain the reasons.");
    let reason = Reason::LISTENERS_NOT_VALID;
    if valid.is_empty() {
        conditions.false_(accepted, reason, format!("{message}{class_message}"))
    } else {
        let message = format!("{message} Accepted listeners: {valid}.{class_message}");
        conditions.true_with(accepted, reason, message, Some(Caveat::ListenersNotValid))
    }
}

fn build_listener_status(
    conditions: &ConditionBuilder,
    listener: &EvaluatedListener<'_>,
) -> ListenerStatus {
    let refusal = listener.refusal.as_ref();
    let accepted = match refusal {
        None => build_listener_accepted(conditions, listener.listener),
        Some(refusal) => {
            conditions.false_(ConditionType::ACCEPTED, refusal.reason(), refusal.to_string())
        }
    };
    let conflicted = refusal.filter(|refusal| refusal.is_conflict()).map(|refusal| {
        conditions.true_(ConditionType::CONFLICTED, refusal.reason(), refusal.to_string())
    });
    let resolved_refs = build_listener_resolved_refs(conditions, listener);
    ListenerStatus {
        name: listener.listener.name.clone(),
        supported_kinds: listener.supported_kinds.clone(),
        attached_routes: listener.attached_routes,
        conditions: [Some(accepted), resolved_refs, conflicted].into_iter().flatten().collect(),
    }
}

/// Builds the condition Accepted of a listener that is accepted. Gateway API's schema does not
/// check selectors, and has no reason for an invalid one.
fn build_listener_accepted(conditions: &ConditionBuilder, listener: &Listener) -> Condition {
    let (accepted, reason) = (ConditionType::ACCEPTED, Reason::ACCEPTED);
    let namespaces = &listener.allowed_routes.namespaces;
    let selector =
        namespaces.selector.as_ref().filter(|_| namespaces.from == FromNamespaces::Selector);
    match selector.map(LabelSelector::check) {
        Some(Err(error)) => {
            let message = format!(
                "The listener is valid, but allows no routes: allowedRoutes.namespaces.selector is not valid: {error}."
            );
            conditions.true_with(accepted, reason, message, Some(Caveat::InvalidSelector))
        }
        Some(Ok(())) | None => conditions.true_(accepted, reason, "The listener is valid."),
    }
}

/// Returns `None` if there are references that have not been checked.
fn build_listener_resolved_refs(
    conditions: &ConditionBuilder,
    listener: &EvaluatedListener<'_>,
) -> Option<Condition> {
    let resolved_refs = ConditionType::RESOLVED_REFS;
    if listener.invalid_kinds.is_empty() {
        let condition = || conditions.true_(resolved_refs, Reason::RESOLVED_REFS, ALL_RESOLVED);
        return listener.refs_are_checked.then(condition);
    }
    let kinds = listener.invalid_kinds.iter().map(|kind| match kind.group.as_str() {
        GATEWAY_GROUP => kind.kind.to_string(),
        "" => format!("{} of the core group", kind.kind),
        group => format!("{} of group {group}", kind.kind),
    });
    let kinds = list(kinds);
    let message = match &listener.listener.protocol {
        Protocol::Tcp => format!("A TCP listener supports only TCPRoute, not {kinds}."),
        other => format!(
            "A listener with protocol {other} accepts no kind of route, but allows {kinds}; use TCP and TCPRoute."
        ),
    };
    Some(conditions.false_(resolved_refs, Reason::INVALID_ROUTE_KINDS, message))
}

/// Builds the route's whole `status.parents`. Returns `None` if this controller
/// neither reports an entry nor has an old one in the object.
fn build_route_status(
    index: &Index<'_>,
    backends: &mut Backends<'_>,
    classes: &Classes<'_>,
    gateways: &[EvaluatedGateway<'_>],
    route: &AttachedRoute<'_>,
) -> Option<RouteStatus> {
    let previous = route.route.status.as_ref().map_or(&[][..], |status| &status.parents);
    let foreign = previous.iter().filter(|parent| !classes.is_ours(&parent.controller_name));
    let mut parents: Vec<_> = foreign.cloned().collect();
    if route.parents.is_empty() {
        return (parents.len() < previous.len()).then_some(RouteStatus { parents });
    }
    let conditions = ConditionBuilder { generation: route.route.metadata.generation };
    let resolved_refs = match &route.resolved {
        Some(resolved) => {
            build_route_resolved_refs(&conditions, &resolved.errors, &resolved.sticky)
        }
        None => {
            let errors = backends.check(index, route.name, route.route);
            build_route_resolved_refs(&conditions, &errors, &BTreeSet::new())
        }
    };
    parents.extend(route.parents.iter().map(|parent: &Parent<'_>| {
        let gateway = &gateways[parent.gateway];
        RouteParentStatus {
            parent_ref: parent.parent_ref.clone(),
            controller_name: gateway.class.spec.controller_name.clone(),
            conditions: vec![
                build_accepted(&conditions, parent, route, gateway),
                resolved_refs.clone(),
            ],
        }
    }));
    Some(RouteStatus { parents })
}

fn build_route_resolved_refs(
    conditions: &ConditionBuilder,
    errors: &[BackendError],
    sticky: &BTreeSet<NamespacedName>,
) -> Condition {
    let resolved_refs = ConditionType::RESOLVED_REFS;
    if errors.is_empty() && sticky.is_empty() {
        return conditions.true_(resolved_refs, Reason::RESOLVED_REFS, ALL_RESOLVED);
    }
    let mut messages = sentences(errors);
    if let Some(reason) = errors.iter().find_map(BackendError::unresolved_reason) {
        return conditions.false_(resolved_refs, reason, messages);
    }
    if !sticky.is_empty() {
        let space = if messages.is_empty() { "" } else { " " };
        let services = list(sticky.iter().map(ToString::to_string));
        messages = format!(
            "{messages}{space}The connections of a client go to different endpoints: sessionAffinity ClientIP is not supported (Service {services})."
        );
    }
    let caveat = errors.iter().map(BackendError::caveat).min();
    let caveat = Some(caveat.unwrap_or(Caveat::SessionAffinity));
    conditions.true_with(resolved_refs, Reason::RESOLVED_REFS, messages, caveat)
}
