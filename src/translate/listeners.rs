//! Which listeners are valid.
//!
//! In this order: the protocol must be one we speak; no other listener of the Gateway may want the
//! same port ([distinctness](https://gateway-api.sigs.k8s.io/reference/spec/#listener)); no older
//! Gateway may have it on an overlapping address.

use std::collections::HashMap;
use std::net::IpAddr;

use super::addresses::{self, Home};
use super::class::Classes;
use super::homes::{self, Seeker};
use super::index::Index;
use super::ports::Claims;
use super::precedence::Precedence;
use super::settings::Settings;
use crate::model::{
    Gateway, GatewayController, Listener, NamespacedName, PortNumber, Protocol, Reason,
    RouteGroupKind, SectionName,
};

/// A Gateway of ours and what has been found out about it.
#[derive(Debug)]
pub(super) struct EvaluatedGateway<'a> {
    pub(super) name: &'a NamespacedName,
    pub(super) gateway: &'a Gateway,
    pub(super) controller: &'a GatewayController,
    /// Where it lives, or why it cannot be accepted.
    pub(super) home: Result<Home, Refusal>,
    pub(super) listeners: Vec<EvaluatedListener<'a>>,
    /// Which of the listeners a `sectionName` selects, by position; without one, all of them.
    pub(super) sections: HashMap<Option<&'a SectionName>, Vec<usize>>,
}

/// A listener and what has been found out about it.
#[derive(Debug)]
pub(super) struct EvaluatedListener<'a> {
    pub(super) listener: &'a Listener,
    /// Why the listener is not accepted, where it is not.
    pub(super) refusal: Option<Refusal>,
    /// The kinds of route it can take; none where it is not accepted.
    pub(super) supported_kinds: Vec<RouteGroupKind>,
    /// The allowed kinds that it cannot take.
    pub(super) invalid_kinds: Vec<&'a RouteGroupKind>,
    /// How many accepted routes are attached.
    pub(super) attached_routes: i32,
    /// The attached route that carries the traffic: the first of them in precedence.
    pub(super) winner: Option<Contender<'a>>,
    /// The route that was attached last.
    latest: Option<usize>,
}

/// A route that would carry a listener's traffic, by its place among all routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Contender<'a> {
    pub(super) precedence: Precedence<'a>,
    pub(super) place: usize,
}

impl<'a> EvaluatedListener<'a> {
    /// Attaches a route. One that does it several times in a row counts once.
    pub(super) fn attach(&mut self, route: Contender<'a>) {
        if self.latest.replace(route.place) != Some(route.place) {
            self.attached_routes += 1;
        }
        self.winner = Some(self.winner.map_or(route, |winner| winner.min(route)));
    }
}

/// Why something is not as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// Evaluates every Gateway of ours, the oldest first: a port goes to the first that wants it. They
/// are returned in the order of their names.
pub(super) fn evaluate<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    settings: &Settings,
) -> Vec<EvaluatedGateway<'a>> {
    let mut ours: Vec<_> = index
        .resources
        .gateways
        .iter()
        .filter_map(|(name, gateway)| {
            classes
                .controller_of(gateway, index)
                .ok()
                .map(|controller| (name, &**gateway, controller))
        })
        .collect();
    ours.sort_by_cached_key(|(name, gateway, _)| Precedence::of(name, &gateway.metadata));

    let listeners: Vec<_> =
        ours.iter().map(|(_, gateway, _)| evaluate_listeners(gateway)).collect();
    let seekers = ours.iter().zip(&listeners).map(|((name, gateway, _), listeners)| {
        let valid = listeners.iter().filter(|listener| listener.refusal.is_none());
        let ports = valid.map(|listener| listener.listener.port).collect();
        accept(gateway).map(|wishes| Seeker { name, gateway, wishes, ports })
    });
    let homes = homes::find(index, settings, &seekers.collect::<Vec<_>>());

    let mut claims = Claims::default();
    let mut evaluated: Vec<_> = ours
        .into_iter()
        .zip(listeners)
        .zip(homes)
        .map(|(((name, gateway, controller), mut listeners), home)| {
            if let Ok(home) = &home {
                claims.take(name, home, &mut listeners);
            }
            let sections = sections(gateway);
            EvaluatedGateway { name, gateway, controller, home, listeners, sections }
        })
        .collect();
    evaluated.sort_unstable_by_key(|gateway| gateway.name);
    evaluated
}

/// The addresses that the Gateway asks for, where as a whole it asks for nothing we cannot do.
fn accept(gateway: &Gateway) -> Result<Vec<Option<IpAddr>>, Refusal> {
    let infrastructure = gateway.spec.infrastructure.as_ref();
    if let Some(parameters) =
        infrastructure.and_then(|infrastructure| infrastructure.parameters_ref.as_ref())
    {
        return Err(Refusal {
            reason: Reason::INVALID_PARAMETERS,
            message: format!(
                "spec.infrastructure.parametersRef names {} {}, but this controller takes no parameters.",
                parameters.kind, parameters.name
            ),
        });
    }
    addresses::wishes(gateway)
}

fn sections(gateway: &Gateway) -> HashMap<Option<&SectionName>, Vec<usize>> {
    let mut sections = HashMap::<_, Vec<_>>::new();
    for (position, listener) in gateway.spec.listeners.iter().enumerate() {
        for section in [None, Some(&listener.name)] {
            sections.entry(section).or_default().push(position);
        }
    }
    sections
}

fn evaluate_listeners(gateway: &Gateway) -> Vec<EvaluatedListener<'_>> {
    let listeners = &gateway.spec.listeners;
    let conflicts = Conflicts::among(listeners);
    listeners
        .iter()
        .enumerate()
        .map(|(position, listener)| {
            let refusal = check_alone(listener)
                .or_else(|| conflicts.refuse(listener))
                .or_else(|| refuse_repeated_name(listener, &listeners[..position]));
            let (supported_kinds, invalid_kinds) = kinds(listener, refusal.is_none());
            EvaluatedListener {
                listener,
                refusal,
                supported_kinds,
                invalid_kinds,
                attached_routes: 0,
                winner: None,
                latest: None,
            }
        })
        .collect()
}

/// What is wrong with a listener by itself.
fn check_alone(listener: &Listener) -> Option<Refusal> {
    if listener.protocol != Protocol::Tcp {
        return Some(Refusal {
            reason: Reason::UNSUPPORTED_PROTOCOL,
            message: format!("Protocol {} is not supported; use TCP.", listener.protocol),
        });
    }
    let field = match (&listener.hostname, &listener.tls) {
        (Some(_), _) => "hostname",
        (None, Some(_)) => "tls",
        (None, None) => return None,
    };
    Some(Refusal {
        reason: Reason::UNSUPPORTED_VALUE,
        message: format!("A TCP listener cannot have `{field}`; remove it."),
    })
}

/// An API server keeps names unique; objects from elsewhere may not.
fn refuse_repeated_name(listener: &Listener, earlier: &[Listener]) -> Option<Refusal> {
    earlier.iter().any(|other| other.name == listener.name).then(|| Refusal {
        reason: Reason::UNSUPPORTED_VALUE,
        message: format!("An earlier listener has the name `{}` already.", listener.name),
    })
}

/// The listeners of one Gateway that want the same port. Within a Gateway nobody wins.
struct Conflicts<'a>(HashMap<PortNumber, Vec<&'a Listener>>);

impl<'a> Conflicts<'a> {
    /// Only listeners that could be opened take part: one of an unsupported protocol does not
    /// disturb its neighbours.
    fn among(listeners: &'a [Listener]) -> Self {
        let mut by_port = HashMap::<_, Vec<_>>::new();
        for listener in listeners.iter().filter(|listener| check_alone(listener).is_none()) {
            by_port.entry(listener.port).or_default().push(listener);
        }
        Self(by_port)
    }

    fn refuse(&self, listener: &Listener) -> Option<Refusal> {
        let rivals = self.0.get(&listener.port).filter(|rivals| rivals.len() > 1)?;
        let names: Vec<_> = rivals.iter().map(|rival| rival.name.as_str()).collect();
        Some(Refusal {
            reason: Reason::PROTOCOL_CONFLICT,
            message: format!(
                "Listeners {} all want TCP port {}; a port can have one TCP listener.",
                names.join(", "),
                listener.port
            ),
        })
    }
}

/// The kinds a listener can take, and those of its allowed kinds that it cannot.
fn kinds(listener: &Listener, accepted: bool) -> (Vec<RouteGroupKind>, Vec<&RouteGroupKind>) {
    if listener.protocol != Protocol::Tcp {
        // What such a listener may allow is not ours to judge.
        return (Vec::new(), Vec::new());
    }
    let invalid: Vec<_> =
        listener.allowed_routes.kinds.iter().filter(|kind| !kind.is_tcp_route()).collect();
    let supported = if accepted && allows_tcp_routes(listener) {
        vec![RouteGroupKind::tcp_route()]
    } else {
        Vec::new()
    };
    (supported, invalid)
}

/// Whether a listener's spec admits TCPRoutes, whatever became of the listener.
pub(super) fn allows_tcp_routes(listener: &Listener) -> bool {
    let kinds = &listener.allowed_routes.kinds;
    listener.protocol == Protocol::Tcp
        && (kinds.is_empty() || kinds.iter().any(RouteGroupKind::is_tcp_route))
}
