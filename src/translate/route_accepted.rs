//! The Accepted condition of a parentRef.

use std::fmt::{self, Write as _};

use super::attach::{AttachedRoute, Attachment, Parent};
use super::conditions::ConditionBuilder;
use super::gateways::EvaluatedGateway;
use super::listeners::EvaluatedListener;
use crate::model::{
    Caveat, Condition, ConditionType, NamespacedName, ParentRef, Reason, SectionName, TcpRoute,
};

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
            let limitations = collect_limitations(route, gateway, listeners.clone());
            let message = describe_attached(listeners, &limitations);
            let caveat = limitations.iter().map(Limitation::caveat).min();
            conditions.true_with(accepted, Reason::ACCEPTED, message, caveat)
        }
        Attachment::NoMatch => {
            let message = describe_no_match(parent.parent_ref, gateway.name);
            conditions.false_(accepted, Reason::NO_MATCHING_PARENT, message)
        }
        Attachment::NotAllowed(rules) => {
            let messages: Vec<_> = rules.iter().map(ToString::to_string).collect();
            conditions.false_(accepted, Reason::NOT_ALLOWED_BY_LISTENERS, messages.join(" "))
        }
    }
}

/// Reason why an attached route gets or forwards less traffic than its author may expect.
enum Limitation<'a> {
    ListenerNotAccepted(&'a SectionName),
    /// Another route takes precedence on the listener.
    Shadowed {
        listener: &'a SectionName,
        by: &'a NamespacedName,
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

impl fmt::Display for Limitation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListenerNotAccepted(listener) => {
                write!(f, "No traffic from listener {listener}: the listener is not accepted.")
            }
            Self::Shadowed { listener, by } => {
                write!(f, "No traffic from listener {listener}: TCPRoute {by} takes precedence.")
            }
            Self::GatewayNotAccepted => f.write_str("No traffic: the Gateway is not accepted."),
            Self::NoWeight => {
                f.write_str("All connections are rejected: no backend has a weight greater than 0.")
            }
            Self::ExtraRules => f.write_str(
                "Only the first rule is used, because a TCPRoute has no match conditions; remove the others.",
            ),
        }
    }
}

fn collect_limitations<'a>(
    route: &AttachedRoute<'a>,
    gateway: &EvaluatedGateway<'a>,
    listeners: impl Iterator<Item = &'a EvaluatedListener<'a>>,
) -> Vec<Limitation<'a>> {
    let mut limitations = Vec::new();
    for listener in listeners {
        let name = &listener.listener.name;
        let winner = listener.winner.map(|winner| winner.precedence.name());
        if listener.refusal.is_some() {
            limitations.push(Limitation::ListenerNotAccepted(name));
        } else if let Some(by) = winner.filter(|winner| *winner != route.name) {
            limitations.push(Limitation::Shadowed { listener: name, by });
        }
    }
    if gateway.placement.is_err() {
        limitations.push(Limitation::GatewayNotAccepted);
    }
    limitations.extend(find_rule_limitation(route.route));
    limitations
}

fn find_rule_limitation(route: &TcpRoute) -> Option<Limitation<'static>> {
    let mut backends = route.rule().into_iter().flat_map(|rule| &rule.backend_refs);
    if backends.all(|backend| backend.weight.get() == 0) {
        return Some(Limitation::NoWeight);
    }
    (route.spec.rules.len() > 1).then_some(Limitation::ExtraRules)
}

fn describe_attached<'a>(
    listeners: impl ExactSizeIterator<Item = &'a EvaluatedListener<'a>>,
    limitations: &[Limitation<'_>],
) -> String {
    let mut message = String::from(match listeners.len() {
        1 => "Attached to listener ",
        _ => "Attached to listeners ",
    });
    for (index, listener) in listeners.enumerate() {
        message.push_str(if index > 0 { ", " } else { "" });
        message.push_str(listener.listener.name.as_str());
    }
    message.push('.');
    for limitation in limitations {
        write!(message, " {limitation}").expect("writing to a String cannot fail");
    }
    message
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
