//! What is to be said of a parentRef, once every route has had its turn.

use super::attach::{AttachedRoute, Attachment, Parent};
use super::listeners::{EvaluatedGateway, EvaluatedListener};
use crate::model::{NamespacedName, ParentRef, Reason, TcpRoute};

/// As long as most messages to a route get, so that they are written in one go.
const LENGTH: usize = 128;

/// How the message on a route ends that gets no traffic since another one comes first: nothing else
/// in its status tells of it.
pub(crate) const IS_SHADOWED: &str = " comes first.";

/// Whether a parentRef is accepted, and why.
pub(super) fn verdict(
    parent: &Parent<'_>,
    route: &AttachedRoute<'_>,
    gateway: &EvaluatedGateway<'_>,
) -> (bool, Reason, String) {
    match &parent.attachment {
        Attachment::Attached(positions) => {
            let listeners = positions.iter().map(|position| &gateway.listeners[*position]);
            (true, Reason::ACCEPTED, accepted(route, gateway, listeners))
        }
        Attachment::NoMatch => {
            let message = no_match(parent.parent_ref, gateway.name);
            (false, Reason::NO_MATCHING_PARENT, message)
        }
        Attachment::NotAllowed(message) => {
            (false, Reason::NOT_ALLOWED_BY_LISTENERS, message.clone())
        }
    }
}

/// Where the route is attached, and why it may get no traffic all the same. Written piece by piece,
/// since there is one for each of thousands of routes.
fn accepted<'a>(
    route: &AttachedRoute<'_>,
    gateway: &EvaluatedGateway<'_>,
    listeners: impl ExactSizeIterator<Item = &'a EvaluatedListener<'a>> + Clone,
) -> String {
    let mut message = String::with_capacity(LENGTH);
    message += "Attached to listener";
    message += if listeners.len() > 1 { "s " } else { " " };
    for (place, listener) in listeners.clone().enumerate() {
        message += if place > 0 { ", " } else { "" };
        message += listener.listener.name.as_str();
    }
    message += ".";
    for listener in listeners {
        let name = listener.listener.name.as_str();
        let winner = listener.winner.map(|winner| winner.precedence.name());
        if listener.refusal.is_some() {
            message.extend([" No traffic from listener ", name, ": it is not accepted."]);
        } else if let Some(winner) = winner.filter(|winner| *winner != route.name) {
            let NamespacedName { namespace, name: winner } = winner;
            message.extend([" No traffic from listener ", name, ": TCPRoute "]);
            message.extend([namespace.as_str(), "/", winner.as_str(), IS_SHADOWED]);
        }
    }
    if gateway.home.is_err() {
        message += " No traffic: the Gateway is not accepted.";
    }
    message.extend(caveat(route.route));
    message
}

/// Why a route passes less traffic on than its author may think, where it does.
fn caveat(route: &TcpRoute) -> Option<&'static str> {
    let mut backends = route.rule().into_iter().flat_map(|rule| &rule.backend_refs);
    if backends.all(|backend| backend.weight.get() == 0) {
        return Some(" Every connection is rejected: no backend has a weight over 0.");
    }
    (route.spec.rules.len() > 1).then_some(
        " Only the first rule is used: a TCPRoute has nothing to choose between rules by.",
    )
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
