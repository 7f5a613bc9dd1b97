//! The listeners of a Gateway that are valid.
//!
//! A listener is valid if its protocol is supported, and if no other listener of the Gateway has
//! the same port ([distinctness](https://gateway-api.sigs.k8s.io/reference/spec/#listener)) or an
//! earlier one the same name.

use std::collections::HashMap;

use super::precedence::Precedence;
use super::refusal::ListenerRefusal;
use crate::model::{Gateway, Listener, PortNumber, Protocol, RouteGroupKind};

/// A listener, with the findings about it.
#[derive(Debug)]
pub(super) struct EvaluatedListener<'a> {
    pub(super) listener: &'a Listener,
    /// The reason why the listener is not accepted; `None` if it is.
    pub(super) refusal: Option<ListenerRefusal<'a>>,
    /// The kinds of route that it accepts; none if it is not accepted itself.
    pub(super) supported_kinds: Vec<RouteGroupKind>,
    /// The allowed kinds that it cannot accept.
    pub(super) invalid_kinds: Vec<&'a RouteGroupKind>,
    /// `true` if all references of the listener have been checked.
    pub(super) refs_are_checked: bool,
    /// The number of attached routes.
    pub(super) attached_routes: i32,
    /// The attached route that carries the traffic: the first of them in precedence.
    pub(super) winner: Option<Candidate<'a>>,
    /// The index of the route that was attached last.
    latest: Option<usize>,
}

/// A route that may carry the traffic of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate<'a> {
    pub(super) precedence: Precedence<'a>,
    /// The index of the route among all routes.
    pub(super) route_index: usize,
}

impl<'a> EvaluatedListener<'a> {
    /// Refuses the listener, which then accepts no kind of route.
    pub(super) fn refuse(&mut self, refusal: ListenerRefusal<'a>) {
        self.refusal = Some(refusal);
        self.supported_kinds.clear();
    }

    /// Attaches a route. A route that attaches several times in a row counts once.
    pub(super) fn attach(&mut self, route: Candidate<'a>) {
        if self.latest.replace(route.route_index) != Some(route.route_index) {
            self.attached_routes += 1;
        }
        self.winner = Some(self.winner.map_or(route, |winner| winner.min(route)));
    }
}

/// Evaluates the listeners of one Gateway by its spec alone.
pub(super) fn evaluate(gateway: &Gateway) -> Vec<EvaluatedListener<'_>> {
    let listeners = &gateway.spec.listeners;
    let conflicts = PortConflicts::among(listeners);
    listeners
        .iter()
        .enumerate()
        .map(|(index, listener)| {
            let refusal = check_alone(listener)
                .or_else(|| conflicts.check(listener))
                .or_else(|| check_name(listener, &listeners[..index]));
            let (supported_kinds, invalid_kinds) = sort_kinds(listener, refusal.is_none());
            EvaluatedListener {
                listener,
                refusal,
                supported_kinds,
                invalid_kinds,
                refs_are_checked: !has_certificates(listener),
                attached_routes: 0,
                winner: None,
                latest: None,
            }
        })
        .collect()
}

/// Checks a listener by itself.
fn check_alone(listener: &Listener) -> Option<ListenerRefusal<'_>> {
    if listener.protocol != Protocol::Tcp {
        return Some(ListenerRefusal::Protocol(&listener.protocol));
    }
    match (&listener.hostname, &listener.tls) {
        (Some(_), _) => Some(ListenerRefusal::Field("hostname")),
        (None, Some(_)) => Some(ListenerRefusal::Field("tls")),
        (None, None) => None,
    }
}

/// Checks that no earlier listener has the same name. An API server keeps names unique; objects of
/// other sources may violate this.
fn check_name<'a>(listener: &'a Listener, earlier: &[Listener]) -> Option<ListenerRefusal<'a>> {
    let is_taken = earlier.iter().any(|other| other.name == listener.name);
    is_taken.then_some(ListenerRefusal::DuplicateName(&listener.name))
}

/// The listeners of one Gateway, by port. If several have the same port, all of them are refused.
struct PortConflicts<'a>(HashMap<PortNumber, Vec<&'a Listener>>);

impl<'a> PortConflicts<'a> {
    /// Collects the listeners that could be opened: one of an unsupported protocol does not affect
    /// the others.
    fn among(listeners: &'a [Listener]) -> Self {
        let mut by_port = HashMap::<_, Vec<_>>::new();
        for listener in listeners.iter().filter(|listener| check_alone(listener).is_none()) {
            by_port.entry(listener.port).or_default().push(listener);
        }
        Self(by_port)
    }

    fn check(&self, listener: &Listener) -> Option<ListenerRefusal<'a>> {
        let listeners = self.0.get(&listener.port).filter(|listeners| listeners.len() > 1)?;
        let listeners = listeners.iter().map(|listener| &listener.name).collect();
        Some(ListenerRefusal::PortConflict { listeners, port: listener.port })
    }
}

/// Returns `true` if the listener refers to certificates. Such a listener is refused, and nothing
/// checks that the certificates exist.
fn has_certificates(listener: &Listener) -> bool {
    listener.tls.as_ref().is_some_and(|tls| !tls.certificate_refs.is_empty())
}

/// Returns the kinds that a listener accepts, and those of its allowed kinds that it cannot accept.
fn sort_kinds(listener: &Listener, accepted: bool) -> (Vec<RouteGroupKind>, Vec<&RouteGroupKind>) {
    // A listener of another protocol is refused, and accepts no kind at all.
    let is_tcp = listener.protocol == Protocol::Tcp;
    let is_invalid = |kind: &&RouteGroupKind| !is_tcp || !kind.is_tcp_route();
    let invalid: Vec<_> = listener.allowed_routes.kinds.iter().filter(is_invalid).collect();
    let supported = if accepted && allows_tcp_routes(listener) {
        vec![RouteGroupKind::tcp_route()]
    } else {
        Vec::new()
    };
    (supported, invalid)
}

/// Returns `true` if the spec of a listener allows TCPRoutes, even if the listener is refused.
pub(super) fn allows_tcp_routes(listener: &Listener) -> bool {
    let kinds = &listener.allowed_routes.kinds;
    listener.protocol == Protocol::Tcp
        && (kinds.is_empty() || kinds.iter().any(RouteGroupKind::is_tcp_route))
}
