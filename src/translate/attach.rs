//! The listeners to which routes attach, and the route that carries a listener's traffic.
//!
//! Each parentRef selects listeners by `sectionName` and `port` (none: NoMatchingParent). The route
//! attaches to those that allow its kind and namespace (none: NotAllowedByListeners). Attachment
//! depends on the listener's spec alone, as
//! [`attachedRoutes`](https://gateway-api.sigs.k8s.io/reference/spec/#listenerstatus) requires: a
//! route on a conflicted listener is accepted and counted, although no traffic flows.

use std::fmt;
use std::sync::Arc;

use super::backends::ResolvedRefs;
use super::gateway_classes::Classes;
use super::gateways::EvaluatedGateway;
use super::index::Index;
use super::listeners::{Candidate, allows_tcp_routes};
use super::precedence::Precedence;
use super::unmanaged::Unmanaged;
use crate::model::{
    FromNamespaces, InvalidSelector, Listener, NamespaceName, NamespacedName, ParentRef, Protocol,
    SectionName, TcpRoute,
};

/// A route, and the results of its parentRefs that refer to Gateways of this controller.
#[derive(Debug)]
pub(super) struct AttachedRoute<'a> {
    pub(super) name: &'a NamespacedName,
    pub(super) route: &'a TcpRoute,
    pub(super) parents: Vec<Parent<'a>>,
    /// The reason why this controller does not manage the Gateway of the last other parentRef.
    pub(super) unmanaged: Option<Unmanaged>,
    /// The targets of its backendRefs, if they have been resolved already.
    pub(super) resolved: Option<ResolvedRefs>,
}

/// The result of one parentRef.
#[derive(Debug)]
pub(super) struct Parent<'a> {
    pub(super) parent_ref: &'a ParentRef,
    /// The index of the Gateway among the evaluated ones.
    pub(super) gateway: usize,
    pub(super) attachment: Attachment<'a>,
}

/// The listeners that a parentRef selects.
#[derive(Debug)]
pub(super) enum Attachment<'a> {
    /// The indices of the listeners, at least one.
    Attached(Vec<usize>),
    /// The Gateway has no such listener.
    NoMatch,
    /// No such listener allows the route; the reason of each.
    NotAllowed(Vec<NotAllowed<'a>>),
}

/// Reason why a listener does not allow a route.
#[derive(Debug)]
pub(super) struct NotAllowed<'a> {
    listener: &'a SectionName,
    rule: Rule<'a>,
}

/// The rule of a listener that a route does not meet.
#[derive(Debug)]
enum Rule<'a> {
    /// `allowedRoutes.kinds` does not contain TCPRoute.
    Kinds,
    /// The protocol is not TCP.
    Protocol(&'a Protocol),
    /// Only routes of the Gateway's namespace are allowed.
    SameNamespace(&'a NamespaceName),
    /// `from: Selector` without a selector.
    NoSelector,
    /// The selector is not valid, so it selects no namespace.
    InvalidSelector(InvalidSelector),
    /// The selector does not match the route's namespace.
    Selector(&'a NamespaceName),
}

impl fmt::Display for NotAllowed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener {} ", self.listener)?;
        match &self.rule {
            Rule::Kinds => f.write_str("does not allow kind TCPRoute (allowedRoutes.kinds)."),
            Rule::Protocol(protocol) => {
                write!(f, "has protocol {protocol}; a TCPRoute needs a TCP listener.")
            }
            Rule::SameNamespace(namespace) => write!(
                f,
                "allows only routes of namespace {namespace} (allowedRoutes.namespaces.from: Same)."
            ),
            Rule::NoSelector => f.write_str(
                "allows no routes: allowedRoutes.namespaces.from is Selector, but there is no selector.",
            ),
            Rule::InvalidSelector(error) => write!(
                f,
                "allows no routes: allowedRoutes.namespaces.selector is not valid: {error}."
            ),
            Rule::Selector(namespace) => write!(
                f,
                "does not allow namespace {namespace} (allowedRoutes.namespaces.selector)."
            ),
        }
    }
}

/// Attaches every route, in the order of their names.
pub(super) fn attach<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    gateways: &mut [EvaluatedGateway<'a>],
) -> Vec<AttachedRoute<'a>> {
    let routes = index.resources.tcp_routes.iter().enumerate();
    routes
        .map(|(route_index, (name, route))| {
            attach_route(index, classes, gateways, route_index, name, route)
        })
        .collect()
}

fn attach_route<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    gateways: &mut [EvaluatedGateway<'a>],
    route_index: usize,
    name: &'a NamespacedName,
    route: &'a Arc<TcpRoute>,
) -> AttachedRoute<'a> {
    let parent_refs = || route.spec.parent_refs.iter().filter(|parent| parent.is_gateway());
    let candidate = Candidate { precedence: Precedence::of(name, &route.metadata), route_index };
    let mut parents = Vec::with_capacity(parent_refs().count());
    let mut unmanaged = None;
    for parent_ref in parent_refs() {
        let namespace = parent_ref.namespace.as_ref().unwrap_or(&name.namespace);
        let key = (namespace, &parent_ref.name);
        let compare = |gateway: &EvaluatedGateway<'a>| {
            (&gateway.name.namespace, &gateway.name.name).cmp(&key)
        };
        if let Ok(gateway) = gateways.binary_search_by(compare) {
            let attachment =
                attach_to_gateway(index, candidate, parent_ref, &mut gateways[gateway]);
            parents.push(Parent { parent_ref, gateway, attachment });
        } else {
            let (namespace, name) = (namespace.clone(), parent_ref.name.clone());
            unmanaged = classes.find_unmanaged_parent(index, NamespacedName { namespace, name });
        }
    }
    AttachedRoute { name, route, parents, unmanaged, resolved: None }
}

fn attach_to_gateway<'a>(
    index: &Index<'a>,
    route: Candidate<'a>,
    parent_ref: &'a ParentRef,
    gateway: &mut EvaluatedGateway<'a>,
) -> Attachment<'a> {
    let mut attached = Vec::new();
    let mut not_allowed = Vec::new();
    let section = gateway.sections.get(&parent_ref.section_name.as_ref());
    for &listener_index in section.map_or(&[][..], Vec::as_slice) {
        let listener = &mut gateway.listeners[listener_index];
        let spec = listener.listener;
        if parent_ref.port.is_some_and(|port| port != spec.port) {
            continue;
        }
        match check_allowed(index, &route.precedence.name().namespace, spec, gateway.name) {
            Ok(()) => {
                listener.attach(route);
                attached.push(listener_index);
            }
            Err(rule) => not_allowed.push(NotAllowed { listener: &spec.name, rule }),
        }
    }
    match (&attached[..], &not_allowed[..]) {
        ([], []) => Attachment::NoMatch,
        ([], _) => Attachment::NotAllowed(not_allowed),
        (_, _) => Attachment::Attached(attached),
    }
}

/// Checks the listener's `allowedRoutes` for a TCPRoute of namespace `from`.
fn check_allowed<'a>(
    index: &Index<'_>,
    from: &'a NamespaceName,
    listener: &'a Listener,
    gateway: &'a NamespacedName,
) -> Result<(), Rule<'a>> {
    if !allows_tcp_routes(listener) {
        return Err(match &listener.protocol {
            Protocol::Tcp => Rule::Kinds,
            other => Rule::Protocol(other),
        });
    }
    let namespaces = &listener.allowed_routes.namespaces;
    let (is_allowed, rule) = match (namespaces.from, &namespaces.selector) {
        (FromNamespaces::All, _) => return Ok(()),
        (FromNamespaces::Same, _) => {
            (*from == gateway.namespace, Rule::SameNamespace(&gateway.namespace))
        }
        (FromNamespaces::Selector, None) => (false, Rule::NoSelector),
        (FromNamespaces::Selector, Some(selector)) => {
            if selector.matches(&index.namespace_labels(from)) {
                return Ok(());
            }
            return Err(match selector.check() {
                Ok(()) => Rule::Selector(from),
                Err(error) => Rule::InvalidSelector(error),
            });
        }
    };
    if is_allowed { Ok(()) } else { Err(rule) }
}
