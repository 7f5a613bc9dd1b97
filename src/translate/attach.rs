//! Which routes attach to which listeners, and which of several carries the traffic.
//!
//! For each parentRef: the listeners it names by `sectionName` and `port` (none:
//! NoMatchingParent), of these the ones that allow the route's kind and namespace (none:
//! NotAllowedByListeners); to all that remain it attaches. Attachment is judged by the listener's
//! spec alone, as [`attachedRoutes`](https://gateway-api.sigs.k8s.io/reference/spec/#listenerstatus)
//! demands: a route on a conflicted listener is accepted and counted, though nothing flows.

use std::sync::Arc;

use super::backends::ResolvedRoute;
use super::class::{self, Classes};
use super::index::Index;
use super::listeners::{Contender, EvaluatedGateway, allows_tcp_routes};
use super::precedence::Precedence;
use crate::model::{
    FromNamespaces, Listener, NamespaceName, NamespacedName, ParentRef, Protocol, TcpRoute,
};

/// A route, and what became of each of its parentRefs that names a Gateway of ours.
#[derive(Debug)]
pub(super) struct AttachedRoute<'a> {
    pub(super) name: &'a NamespacedName,
    pub(super) route: &'a TcpRoute,
    pub(super) parents: Vec<Parent<'a>>,
    /// Why the route has no parent of ours, where it has none.
    pub(super) orphaned: Option<String>,
    /// Where its backendRefs lead, where somebody has looked already.
    pub(super) resolved: Option<ResolvedRoute>,
}

/// What became of one parentRef.
#[derive(Debug)]
pub(super) struct Parent<'a> {
    pub(super) parent_ref: &'a ParentRef,
    /// The Gateway's place among all of ours.
    pub(super) gateway: usize,
    pub(super) attachment: Attachment,
}

/// Whether a parentRef led to a listener.
#[derive(Debug)]
pub(super) enum Attachment {
    /// To these listeners, by position; at least one.
    Attached(Vec<usize>),
    /// The Gateway has no such listener.
    NoMatch,
    /// No such listener allows the route; why.
    NotAllowed(String),
}

/// Attaches every route, in the order of their names.
pub(super) fn attach<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    gateways: &mut [EvaluatedGateway<'a>],
) -> Vec<AttachedRoute<'a>> {
    let attach_route =
        |(place, (name, route)): (usize, (&'a NamespacedName, &'a Arc<TcpRoute>))| {
            let parent_refs = || route.spec.parent_refs.iter().filter(|parent| parent.is_gateway());
            let contender = Contender { precedence: Precedence::of(name, &route.metadata), place };
            let mut parents = Vec::with_capacity(parent_refs().count());
            let mut orphaned = None;
            for parent_ref in parent_refs() {
                let namespace = parent_ref.namespace.as_ref().unwrap_or(&name.namespace);
                let wanted = (namespace, &parent_ref.name);
                let named = |gateway: &EvaluatedGateway<'a>| {
                    (&gateway.name.namespace, &gateway.name.name).cmp(&wanted)
                };
                if let Ok(gateway) = gateways.binary_search_by(named) {
                    let attachment =
                        attach_to(index, contender, parent_ref, &mut gateways[gateway]);
                    parents.push(Parent { parent_ref, gateway, attachment });
                } else {
                    let (namespace, name) = (namespace.clone(), parent_ref.name.clone());
                    orphaned = class::unserved(classes, index, &NamespacedName { namespace, name });
                }
            }
            AttachedRoute { name, route, parents, orphaned, resolved: None }
        };
    index.resources.tcp_routes.iter().enumerate().map(attach_route).collect()
}

fn attach_to<'a>(
    index: &Index<'a>,
    route: Contender<'a>,
    parent_ref: &'a ParentRef,
    gateway: &mut EvaluatedGateway<'a>,
) -> Attachment {
    let mut attached = Vec::new();
    let mut refusals = Vec::new();
    let section = gateway.sections.get(&parent_ref.section_name.as_ref());
    for position in section.map_or(&[][..], Vec::as_slice) {
        let listener = &mut gateway.listeners[*position];
        if parent_ref.port.is_some_and(|port| port != listener.listener.port) {
            continue;
        }
        match allow(index, &route.precedence.name().namespace, listener.listener, gateway.name) {
            Ok(()) => {
                listener.attach(route);
                attached.push(*position);
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    match (&attached[..], &refusals[..]) {
        ([], []) => Attachment::NoMatch,
        ([], _) => Attachment::NotAllowed(refusals.join(" ")),
        (_, _) => Attachment::Attached(attached),
    }
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
