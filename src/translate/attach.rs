//! Which routes attach to which listeners, and which of several carries the traffic.
//!
//! For each parentRef: the listeners it names by `sectionName` and `port` (none:
//! NoMatchingParent), of these the ones that allow the route's kind and namespace (none:
//! NotAllowedByListeners); to all that remain it attaches. Attachment is judged by the listener's
//! spec alone, as [`attachedRoutes`](https://gateway-api.sigs.k8s.io/reference/spec/#listenerstatus)
//! demands: a route on a conflicted listener is accepted and counted, though nothing flows.

use std::fmt::Write as _;

use super::class::{self, Classes};
use super::index::Index;
use super::listeners::{EvaluatedGateway, EvaluatedGateways, EvaluatedListener, allows_tcp_routes};
use super::precedence;
use crate::model::{
    FromNamespaces, GatewayController, NamespaceName, NamespacedName, ParentRef, Reason, TcpRoute,
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
            // Several references to one listener count once.
            let mut counted = Vec::new();
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
                        &mut counted,
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
    counted: &mut Vec<(NamespacedName, usize)>,
) -> Parent<'a> {
    let controller = gateway.controller;
    let mut matched = 0;
    let mut refusals = Vec::new();
    let mut message = String::new();
    for (position, listener) in gateway.listeners.iter_mut().enumerate() {
        if !selects(parent_ref, listener) {
            continue;
        }
        matched += 1;
        if let Err(refusal) = allow(index, &route.name.namespace, listener, gateway_name) {
            refusals.push(refusal);
            continue;
        }
        let key = (gateway_name.clone(), position);
        if !counted.contains(&key) {
            counted.push(key);
            listener.attached_routes += 1;
        }
        describe(&mut message, route, listener);
        listener.winner.get_or_insert((route.name, route.route));
    }
    let (accepted, reason) = if matched == 0 {
        message = no_match(parent_ref, gateway_name);
        (false, Reason::NO_MATCHING_PARENT)
    } else if refusals.len() == matched {
        message = refusals.join(" ");
        (false, Reason::NOT_ALLOWED_BY_LISTENERS)
    } else {
        if route.route.spec.rules.len() > 1 {
            message.push_str(
                " Only the first rule is used: a TCPRoute has nothing to choose between rules by.",
            );
        }
        (true, Reason::ACCEPTED)
    };
    Parent { parent_ref, controller, accepted, reason, message }
}

fn selects(parent_ref: &ParentRef, listener: &EvaluatedListener<'_>) -> bool {
    let listener = listener.listener;
    parent_ref.section_name.as_ref().is_none_or(|name| *name == listener.name)
        && parent_ref.port.is_none_or(|port| port == listener.port)
}

/// Whether the listener's `allowedRoutes` admit a TCPRoute of namespace `from`.
fn allow(
    index: &Index<'_>,
    from: &NamespaceName,
    listener: &EvaluatedListener<'_>,
    gateway: &NamespacedName,
) -> Result<(), String> {
    let listener = listener.listener;
    if !allows_tcp_routes(listener) {
        return Err(format!(
            "Listener {} ({}) does not take TCPRoutes.",
            listener.name, listener.protocol
        ));
    }
    let namespaces = &listener.allowed_routes.namespaces;
    let allowed = match namespaces.from {
        FromNamespaces::All => true,
        FromNamespaces::Same => *from == gateway.namespace,
        FromNamespaces::Selector => namespaces
            .selector
            .as_ref()
            .is_some_and(|selector| selector.matches(&index.namespace_labels(from))),
    };
    if allowed {
        return Ok(());
    }
    Err(match namespaces.from {
        FromNamespaces::Selector => format!(
            "Listener {} takes routes from namespaces chosen by labels, which do not choose {from}.",
            listener.name
        ),
        FromNamespaces::Same | FromNamespaces::All => format!(
            "Listener {} takes routes from namespace {} only.",
            listener.name, gateway.namespace
        ),
    })
}

/// Says that the route is attached to the listener, and whether it carries the traffic there.
fn describe(message: &mut String, route: &AttachedRoute<'_>, listener: &EvaluatedListener<'_>) {
    if !message.is_empty() {
        message.push(' ');
    }
    let name = &listener.listener.name;
    let written = match listener.winner {
        Some((winner, _)) if winner != route.name => write!(
            message,
            "Attached to listener {name}, but gets no traffic there: TCPRoute {winner} comes first."
        ),
        _ => write!(message, "Attached to listener {name}."),
    };
    written.expect("a String takes every text");
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
