//! Which routes attach to which listeners, and which of several carries the traffic.
//!
//! For each parentRef: the listeners it names by `sectionName` and `port` (none:
//! NoMatchingParent), of these the ones that allow the route's kind and namespace (none:
//! NotAllowedByListeners); to all that remain it attaches. Attachment is judged by the listener's
//! spec alone, as [`attachedRoutes`](https://gateway-api.sigs.k8s.io/reference/spec/#listenerstatus)
//! demands: a route on a conflicted listener is accepted and counted, though nothing flows.

use super::class::{self, Classes};
use super::index::Index;
use super::listeners::{EvaluatedGateway, EvaluatedGateways, EvaluatedListener, allows_tcp_routes};
use super::precedence;
use crate::model::{
    FromNamespaces, GatewayController, Listener, NamespaceName, NamespacedName, ParentRef,
    Protocol, Reason, TcpRoute,
};

/// A route with at least one parent of ours, or none: then why.
pub(super) struct AttachedRoute<'a> {
    pub(super) name: &'a NamespacedName,
    pub(super) route: &'a TcpRoute,
    pub(super) parents: Vec<Parent<'a>>,
    /// Why the route has no parent of ours, where it has none.
    pub(super) orphaned: Option<String>,
}

/// What became of one parentRef.
pub(super) struct Parent<'a> {
    pub(super) parent_ref: &'a ParentRef,
    pub(super) controller: &'a GatewayController,
    pub(super) accepted: bool,
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// Attaches every route, the oldest first: a listener's traffic goes to the first that attaches.
pub(super) fn attach<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    gateways: &mut EvaluatedGateways<'a>,
) -> Vec<AttachedRoute<'a>> {
    let mut routes: Vec<_> =
        index.resources.tcp_routes.iter().map(|(name, route)| (name, &**route)).collect();
    routes.sort_by_cached_key(|(name, route)| precedence::key(name, &route.metadata));
    routes
        .into_iter()
        .map(|(name, route)| {
            let mut attached = AttachedRoute { name, route, parents: Vec::new(), orphaned: None };
            for parent_ref in route.spec.parent_refs.iter().filter(|parent| parent.is_gateway()) {
                let gateway_name = NamespacedName {
                    namespace: parent_ref
                        .namespace
                        .clone()
                        .unwrap_or_else(|| name.namespace.clone()),
                    name: parent_ref.name.clone(),
                };
                match gateways.get_mut(&gateway_name) {
                    Some(gateway) => attached.parents.push(attach_to(
                        index,
                        &attached,
                        parent_ref,
                        &gateway_name,
                        gateway,
                    )),
                    None => attached.orphaned = class::unserved(classes, index, &gateway_name),
                }
            }
            attached
        })
        .collect()
}

fn attach_to<'a>(
    index: &Index<'a>,
    route: &AttachedRoute<'a>,
    parent_ref: &'a ParentRef,
    gateway_name: &NamespacedName,
    gateway: &mut EvaluatedGateway<'a>,
) -> Parent<'a> {
    let mut refusals = Vec::new();
    let mut attached = Vec::new();
    for listener in gateway.listeners.iter_mut() {
        if !selects(parent_ref, listener.listener) {
            continue;
        }
        match allow(index, &route.name.namespace, listener.listener, gateway_name) {
            Err(refusal) => refusals.push(refusal),
            Ok(()) => {
                listener.attach(route.name);
                attached.push(&*listener);
            }
        }
    }
    let (accepted, reason, message) = if !attached.is_empty() {
        let mut message = describe(route, &attached);
        if gateway.addresses.is_err() {
            message += &format!(" No traffic: Gateway {gateway_name} is not accepted.");
        }
        (true, Reason::ACCEPTED, message)
    } else if refusals.is_empty() {
        (false, Reason::NO_MATCHING_PARENT, no_match(parent_ref, gateway_name))
    } else {
        (false, Reason::NOT_ALLOWED_BY_LISTENERS, refusals.join(" "))
    };
    Parent { parent_ref, controller: gateway.controller, accepted, reason, message }
}

fn selects(parent_ref: &ParentRef, listener: &Listener) -> bool {
    parent_ref.section_name.as_ref().is_none_or(|name| *name == listener.name)
        && parent_ref.port.is_none_or(|port| port == listener.port)
}

/// Whether the listener's `allowedRoutes` admit a TCPRoute of namespace `from`.
///
/// # Errors
/// Why they do not.
fn allow(
    index: &Index<'_>,
    from: &NamespaceName,
    listener: &Listener,
    gateway: &NamespacedName,
) -> Result<(), String> {
    let name = &listener.name;
    if !allows_tcp_routes(listener) {
        return Err(match &listener.protocol {
            Protocol::Tcp => format!("Listener {name} does not have TCPRoute among its kinds."),
            other => format!("Listener {name} speaks {other}; a TCPRoute needs TCP."),
        });
    }
    let namespaces = &listener.allowed_routes.namespaces;
    match (namespaces.from, &namespaces.selector) {
        (FromNamespaces::All, _) => Ok(()),
        (FromNamespaces::Same, _) if *from == gateway.namespace => Ok(()),
        (FromNamespaces::Same, _) => {
            Err(format!("Listener {name} takes routes from namespace {} only.", gateway.namespace))
        }
        (FromNamespaces::Selector, None) => Err(format!(
            "Listener {name} takes routes from selected namespaces, but has no selector."
        )),
        (FromNamespaces::Selector, Some(selector)) => {
            if selector.matches(&index.namespace_labels(from)) {
                Ok(())
            } else {
                Err(format!(
                    "Listener {name} has a selector that does not select namespace {from}."
                ))
            }
        }
    }
}

/// Says where an accepted route is attached, and why it may get no traffic all the same.
fn describe(route: &AttachedRoute<'_>, attached: &[&EvaluatedListener<'_>]) -> String {
    let names: Vec<_> = attached.iter().map(|listener| listener.listener.name.as_str()).collect();
    let plural = if names.len() > 1 { "s" } else { "" };
    let mut message = format!("Attached to listener{plural} {}.", names.join(", "));
    for listener in attached {
        let name = &listener.listener.name;
        if listener.refusal.is_some() {
            message += &format!(" No traffic from listener {name}: it is not accepted.");
        } else if let Some(winner) = listener.winner.filter(|winner| *winner != route.name) {
            message += &format!(" No traffic from listener {name}: TCPRoute {winner} comes first.");
        }
    }
    if route.route.spec.rules.len() > 1 {
        message +=
            " Only the first rule is used: a TCPRoute has nothing to choose between rules by.";
    }
    let mut backends = route.route.rule().into_iter().flat_map(|rule| &rule.backend_refs);
    if backends.all(|backend| backend.weight.get() == 0) {
        message += " Every connection is rejected: no backend has a weight over 0.";
    }
    message
}

fn no_match(parent_ref: &ParentRef, gateway: &NamespacedName) -> String {
    let wanted = match (&parent_ref.section_name, parent_ref.port) {
        (Some(name), Some(port)) => format!("listener {name} on port {port}"),
        (Some(name), None) => format!("listener {name}"),
        (None, Some(port)) => format!("listener on port {port}"),
        (None, None) => "listener".to_owned(),
    };
    format!("Gateway {gateway} has no {wanted}.")
}
