//! Which listeners are valid.
//!
//! In this order: the protocol must be one we speak; no other listener of the Gateway may want the
//! same port ([distinctness](https://gateway-api.sigs.k8s.io/reference/spec/#listener)); no older
//! Gateway may have it on an overlapping address.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::addresses::{self, Address};
use super::class::Classes;
use super::index::Index;
use super::precedence;
use super::settings::Host;
use crate::model::{
    Gateway, GatewayController, Listener, NamespacedName, PortNumber, Protocol, Reason,
    RouteGroupKind,
};

/// A Gateway of ours and what has been found out about it.
pub(super) struct EvaluatedGateway<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) controller: &'a GatewayController,
    /// Where it lives, or why it cannot be accepted.
    pub(super) addresses: Result<Vec<Address>, Refusal>,
    pub(super) listeners: Vec<EvaluatedListener<'a>>,
}

/// A listener and what has been found out about it.
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
    /// The attached route that carries the traffic.
    pub(super) winner: Option<&'a NamespacedName>,
    /// The route that was attached last.
    latest: Option<&'a NamespacedName>,
}

impl<'a> EvaluatedListener<'a> {
    /// Attaches a route; they come in the order of precedence. One that refers to the listener
    /// several times counts once.
    pub(super) fn attach(&mut self, route: &'a NamespacedName) {
        if self.latest.replace(route) != Some(route) {
            self.attached_routes += 1;
        }
        self.winner.get_or_insert(route);
    }
}

/// Why something is not accepted.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) message: String,
}

pub(super) type EvaluatedGateways<'a> = BTreeMap<&'a NamespacedName, EvaluatedGateway<'a>>;

/// Evaluates every Gateway of ours, the oldest first: a port goes to the first that wants it.
pub(super) fn evaluate<'a>(
    index: &Index<'a>,
    classes: &Classes<'a>,
    host: &Host,
) -> EvaluatedGateways<'a> {
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
    ours.sort_by_cached_key(|(name, gateway, _)| precedence::key(name, &gateway.metadata));

    let mut claims = Claims::default();
    ours.into_iter()
        .map(|(name, gateway, controller)| {
            let addresses = accept(gateway, host);
            let mut listeners = evaluate_listeners(gateway);
            if let Ok(addresses) = &addresses {
                claims.take(name, addresses, &mut listeners);
            }
            (name, EvaluatedGateway { gateway, controller, addresses, listeners })
        })
        .collect()
}

/// Whether the Gateway as a whole asks for nothing we cannot do.
fn accept(gateway: &Gateway, host: &Host) -> Result<Vec<Address>, Refusal> {
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
    addresses::resolve(gateway, host)
        .map_err(|message| Refusal { reason: Reason::UNSUPPORTED_ADDRESS, message })
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

/// Which Gateway has which port, by port.
#[derive(Default)]
struct Claims<'a>(HashMap<PortNumber, Vec<(IpAddr, &'a NamespacedName)>>);

impl<'a> Claims<'a> {
    /// Takes the ports of a Gateway's listeners; those that an earlier Gateway has are refused.
    fn take(
        &mut self,
        gateway: &'a NamespacedName,
        addresses: &[Address],
        listeners: &mut [EvaluatedListener<'_>],
    ) {
        for listener in listeners.iter_mut().filter(|listener| listener.refusal.is_none()) {
            let port = listener.listener.port;
            let claims = self.0.entry(port).or_default();
            let holder = claims.iter().find(|(claimed, _)| {
                addresses.iter().any(|address| addresses::overlap(address.bind, *claimed))
            });
            if let Some((address, holder)) = holder {
                listener.refusal = Some(Refusal {
                    reason: Reason::PORT_UNAVAILABLE,
                    message: format!(
                        "Gateway {holder} has port {port} on {}; a port goes to the oldest Gateway that wants it, among those of one age to the first by name.",
                        if address.is_unspecified() {
                            "all addresses".to_owned()
                        } else {
                            address.to_string()
                        }
                    ),
                });
                listener.supported_kinds.clear();
            } else {
                claims.extend(addresses.iter().map(|address| (address.bind, gateway)));
            }
        }
    }
}
