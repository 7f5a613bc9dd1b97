//! The Accepted condition of a parentRef.

use super::attach::{AttachedRoute, Attachment, Parent};
use super::conditions::ConditionBuilder;
use super::enumerate::{Enumeration, append_names, sentences};
use super::gateways::EvaluatedGateway;
use super::listeners::EvaluatedListener;
use crate::model::{
    Caveat, Condition, ConditionType, NamespacedName, ParentRef, Reason, SectionName, TcpRoute,
};

/// The length of most messages, so that a message is allocated once.
const USUAL_MESSAGE_LEN: usize = 128;

/// Builds the condition, after every route has been attached.
pub(super) fn build_accepted(
    conditions: &ConditionBuilder,
    parent: &Parent<'_>,
    route: &AttachedRoute<'_>,
    gateway: &EvaluatedGateway<'_>,
) -> Condition {
    let accepted = ConditionType::ACCEPTED;
    match &parent.attachment {
        Attachment::Attached(indices) => {
            let listeners = indices.iter().map(|index| &gateway.listeners[*index]);
            let (message, caveat) = describe_attached(route, gateway, listeners);
            conditions.true_with(accepted, Reason::ACCEPTED, message, caveat)
        }
        Attachment::NoMatch => {
            let message = describe_no_match(parent.parent_ref, gateway.name);
            conditions.false_(accepted, Reason::NO_MATCHING_PARENT, message)
        }
        Attachment::NotAllowed(rules) => {
            conditions.false_(accepted, Reason::NOT_ALLOWED_BY_LISTENERS, sentences(rules))
        }
    }
}

/// Reason why an attached route gets or forwards less traffic than its author may expect.
enum Limitation<'a> {
    ListenerNotAccepted(&'a SectionName),
    /// Another route takes precedence on the listener. Its name is left out if it is in another
    /// namespace, as in `Holder`: a user may have access to the routes of one namespace only.
    Shadowed {
        listener: &'a SectionName,
        by: Option<&'a NamespacedName>,
    },
    GatewayNotAccepted,
    NoWeight,
    ExtraRules,
}

impl Limitation<'_> {
    fn caveat(&self) -> Caveat {
        match self {
            Self::Shadowed { .. } => Caveat::Shadowed,
            Self::ListenerNotAccepted(_) | Self::GatewayNotAccepted => Caveat::ParentNotAccepted,
            Self::NoWeight => Caveat::NoWeight,
            Self::ExtraRules => Caveat::ExtraRules,
        }
    }
}

impl Limitation<'_> {
    /// Appends the sentence of a message. Formatting would take several times as long, and there is
    /// a message for each of thousands of routes (`cargo bench --bench translate`).
    fn append_to(&self, message: &mut String) {
        match self {
            Self::ListenerNotAccepted(listener) => message.extend([
                " No traffic from listener ",
                listener.as_str(),
                ": the listener is not accepted.",
            ]),
            Self::Shadowed { listener, by: None } => message.extend([
                " No traffic from listener ",
                listener.as_str(),
                ": a TCPRoute of another namespace takes precedence.",
            ]),
            Self::Shadowed { listener, by: Some(by) } => message.extend([
                " No traffic from listener ",
                listener.as_str(),
                ": TCPRoute ",
                by.namespace.as_str(),
                "/",
                by.name.as_str(),
                " takes precedence.",
            ]),
            Self::GatewayNotAccepted => {
                message.push_str(" No traffic: the Gateway is not accepted.");
            }
            Self::NoWeight => message.push_str(
                " All connections are rejected: no backend has a weight greater than 0.",
            ),
            Self::ExtraRules => message.push_str(
                " Only the first rule is used, because a TCPRoute has no match conditions; remove the others.",
            ),
        }
    }
}

/// Returns the message of an attached route, and the most important limitation that it describes.
fn describe_attached<'a>(
    route: &AttachedRoute<'_>,
    gateway: &EvaluatedGateway<'_>,
    listeners: impl ExactSizeIterator<Item = &'a EvaluatedListener<'a>> + Clone,
) -> (String, Option<Caveat>) {
    let mut message = String::with_capacity(USUAL_MESSAGE_LEN);
    message.push_str(match listeners.len() {
        1 => "Attached to listener ",
        _ => "Attached to listeners ",
    });
    append_names(&mut message, listeners.clone().map(|listener| listener.listener.name.as_str()));
    message.push('.');
    let mut caveat = None;
    let mut add_caveat = |limitation: &Limitation<'_>| {
        let next = limitation.caveat();
        caveat = Some(caveat.map_or(next, |first: Caveat| first.min(next)));
    };
    let mut sentences = Enumeration::new(&mut message, "");
    for limitation in listeners.filter_map(|listener| find_listener_limitation(route, listener)) {
        sentences.add(|message| limitation.append_to(message));
        add_caveat(&limitation);
    }
    sentences.finish_sentences();
    let of_gateway = gateway.placement.is_err().then_some(Limitation::GatewayNotAccepted);
    for limitation in of_gateway.into_iter().chain(find_rule_limitation(route.route)) {
        limitation.append_to(&mut message);
        add_caveat(&limitation);
    }
    (message, caveat)
}

fn find_listener_limitation<'a>(
    route: &AttachedRoute<'_>,
    listener: &'a EvaluatedListener<'a>,
) -> Option<Limitation<'a>> {
    let name = &listener.listener.name;
    if listener.refusal.is_some() {
        return Some(Limitation::ListenerNotAccepted(name));
    }
    let winner = listener.winner?.precedence.name();
    let by = Some(winner).filter(|winner| winner.namespace == route.name.namespace);
    (winner != route.name).then_some(Limitation::Shadowed { listener: name, by })
}

fn find_rule_limitation(route: &TcpRoute) -> Option<Limitation<'static>> {
    let mut backends = route.rule().into_iter().flat_map(|rule| &rule.backend_refs);
    if backends.all(|backend| backend.weight.get() == 0) {
        return Some(Limitation::NoWeight);
    }
    (route.spec.rules.len() > 1).then_some(Limitation::ExtraRules)
}

fn describe_no_match(parent_ref: &ParentRef, gateway: &NamespacedName) -> String {
    let listener = match (&parent_ref.section_name, parent_ref.port) {
        (Some(name), Some(port)) => format!("listener {name} on port {port}"),
        (Some(name), None) => format!("listener {name}"),
        (None, Some(port)) => format!("listener on port {port}"),
        (None, None) => "listener".to_owned(),
    };
    format!("Gateway {gateway} has no {listener}.")
}
