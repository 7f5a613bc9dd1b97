//! The problems that cause an Event.

use std::borrow::Cow;

use serde_json::Value;

use crate::model::{
    Caveat, Condition, ConditionStatus, ConditionType, MAX_MESSAGE_LEN, ObjectStatus, Reason,
    SectionName, truncate,
};

/// The reasons of `False` conditions that cause an Event, each with the action that failed; a
/// condition ResolvedRefs always has the same action. `AddressNotAssigned` and `Pending` are left
/// out, because every new Gateway has no address at first, and so are the reasons that follow from
/// other conditions.
const WARNING_REASONS: [(Reason, &str); 14] = [
    (Reason::ADDRESS_NOT_USABLE, "AssignAddress"),
    (Reason::BACKEND_NOT_FOUND, RESOLVE_REFERENCE),
    (Reason::INVALID_KIND, RESOLVE_REFERENCE),
    (Reason::INVALID_PARAMETERS, "ReadParameters"),
    (Reason::INVALID_ROUTE_KINDS, RESOLVE_REFERENCE),
    (Reason::NO_MATCHING_PARENT, "AttachRoute"),
    (Reason::NOT_ALLOWED_BY_LISTENERS, "AttachRoute"),
    (Reason::PORT_UNAVAILABLE, "OpenListener"),
    (Reason::PROTOCOL_CONFLICT, "OpenListener"),
    (Reason::REF_NOT_PERMITTED, RESOLVE_REFERENCE),
    (Reason::TOO_MANY_LISTENERS, "OpenListener"),
    (Reason::UNSUPPORTED_ADDRESS, "AssignAddress"),
    (Reason::UNSUPPORTED_PROTOCOL, "OpenListener"),
    (Reason::UNSUPPORTED_VALUE, "OpenListener"),
];

const RESOLVE_REFERENCE: &str = "ResolveReference";

/// Origin of the objects. It decides about conditions that are temporary in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(all(feature = "api", feature = "kube")), allow(dead_code))]
pub(in crate::sources) enum Origin {
    /// A cluster, in which controllers create EndpointSlices.
    Cluster,
    /// A store without other controllers.
    Store,
}

/// The part of an object that a warning is about, and the problem. The message may vary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    listener: Option<SectionName>,
    reason: Cow<'static, str>,
}

/// The content of an Event about a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources) struct Warning {
    listener: Option<SectionName>,
    pub(in crate::sources) action: &'static str,
    pub(in crate::sources) reason: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl Warning {
    /// Creates a warning about an object for tests.
    #[cfg(test)]
    pub(super) fn example(reason: &'static str) -> Self {
        Self { listener: None, action: "Test", reason: reason.into(), message: "".into() }
    }

    /// Creates a warning about an object that has no condition about the problem.
    #[cfg(feature = "api")]
    pub(in crate::sources) fn new(
        action: &'static str,
        reason: &'static str,
        message: String,
    ) -> Self {
        Self { listener: None, action, reason: reason.into(), message: message.into() }
    }

    pub(super) fn subject(&self) -> Subject {
        Subject { listener: self.listener.clone(), reason: self.reason.clone() }
    }

    /// Returns the text of the Event, whose length an API server limits.
    pub(in crate::sources) fn note(&self) -> String {
        let mut note = match &self.listener {
            Some(listener) => format!("Listener {listener}: {}", self.message),
            None => self.message.to_string(),
        };
        truncate(&mut note, MAX_MESSAGE_LEN);
        note
    }
}

/// Returns the warnings of a status that the object's status did not contain `before`.
pub(in crate::sources) fn new_warnings(
    status: ObjectStatus<'_>,
    before: &Value,
    origin: Origin,
) -> Vec<Warning> {
    let mut found = Vec::new();
    for (listener, conditions) in conditions_by_listener(status) {
        for condition in conditions {
            found.extend(find_cause(condition, origin).map(|cause| (listener, condition, cause)));
        }
    }
    // Two conditions of one listener often have the same cause.
    found.dedup_by(|(listener, _, cause), (other_listener, _, other_cause)| {
        listener == other_listener && cause.reason == other_cause.reason
    });
    let is_new = |(listener, condition, _): &(Option<&SectionName>, &Condition, Cause)| {
        !contains(before, *listener, condition)
    };
    let warning =
        |(listener, condition, cause): (Option<&SectionName>, &Condition, Cause)| Warning {
            listener: listener.cloned(),
            action: cause.action,
            reason: cause.reason,
            message: condition.message.clone(),
        };
    let mut warnings = Vec::new();
    for warning in found.into_iter().filter(is_new).map(warning) {
        // The parents of a route have the same condition ResolvedRefs.
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    warnings
}

/// The reason for an Event.
struct Cause {
    action: &'static str,
    reason: Cow<'static, str>,
}

/// Returns the reason why a condition causes an Event, or `None` if it causes none.
fn find_cause(condition: &Condition, origin: Origin) -> Option<Cause> {
    let cause = |action, reason: &'static str| Some(Cause { action, reason: reason.into() });
    match condition.caveat {
        Some(Caveat::Shadowed) => return cause("AttachRoute", "Shadowed"),
        Some(Caveat::ServiceRefused) => return cause("WriteService", "ServiceRefused"),
        Some(Caveat::NoEndpointSlice) if origin == Origin::Store => {
            return cause(RESOLVE_REFERENCE, "NoEndpoints");
        }
        _ => {}
    }
    if condition.status == ConditionStatus::False {
        let (reason, action) =
            WARNING_REASONS.into_iter().find(|(reason, _)| *reason == condition.reason)?;
        let is_reference = condition.condition_type == ConditionType::RESOLVED_REFS;
        let action = if is_reference { RESOLVE_REFERENCE } else { action };
        return Some(Cause { action, reason: reason.as_str().to_owned().into() });
    }
    None
}

/// Returns all conditions of a status, those of a listener with its name.
fn conditions_by_listener(status: ObjectStatus<'_>) -> Vec<(Option<&SectionName>, &[Condition])> {
    match status {
        ObjectStatus::GatewayClass(class) => vec![(None, &class.conditions)],
        ObjectStatus::Gateway(gateway) => {
            let listeners = gateway.listeners.iter();
            let listeners = listeners.map(|status| (Some(&status.name), &*status.conditions));
            std::iter::once((None, &*gateway.conditions)).chain(listeners).collect()
        }
        ObjectStatus::TcpRoute(parents) => {
            parents.iter().map(|parent| (None, &*parent.conditions)).collect()
        }
    }
}

/// Returns `true` if a status contains a condition of the same listener or object.
fn contains(status: &Value, listener: Option<&SectionName>, condition: &Condition) -> bool {
    let items = |field: &str| status[field].as_array().into_iter().flatten();
    let places: Vec<_> = match listener {
        Some(name) => items("listeners").filter(|known| known["name"] == name.as_str()).collect(),
        None => std::iter::once(status).chain(items("parents")).collect(),
    };
    let mut known =
        places.into_iter().flat_map(|place| place["conditions"].as_array().into_iter().flatten());
    known.any(|known| {
        known["status"] == *condition.status.to_string()
            && known["reason"] == condition.reason.as_str()
            && known["message"] == *condition.message
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{GatewayStatus, ListenerStatus, ParentRef, RouteParentStatus};

    fn condition(status: ConditionStatus, reason: Reason) -> Condition {
        Condition::new(ConditionType::ACCEPTED, status, reason, "A message.", None)
    }

    fn is_false(reason: Reason) -> Condition {
        condition(ConditionStatus::False, reason)
    }

    fn gateway(conditions: Vec<Condition>) -> GatewayStatus {
        GatewayStatus { conditions, ..GatewayStatus::default() }
    }

    fn parent(conditions: Vec<Condition>) -> RouteParentStatus {
        RouteParentStatus {
            parent_ref: ParentRef::gateway("g".parse().unwrap()),
            controller_name: "example.com/ours".parse().unwrap(),
            conditions,
        }
    }

    /// The texts and reasons of the new warnings.
    fn warnings(status: ObjectStatus<'_>, before: &Value) -> Vec<(String, String)> {
        let warnings = new_warnings(status, before, Origin::Cluster).into_iter();
        warnings.map(|warning| (warning.note(), warning.reason.into_owned())).collect()
    }

    #[test]
    fn warnings_are_conditions_that_need_action() {
        let status = gateway(vec![
            condition(ConditionStatus::True, Reason::ACCEPTED),
            is_false(Reason::PENDING),
            condition(ConditionStatus::True, Reason::BACKEND_NOT_FOUND),
            is_false(Reason::BACKEND_NOT_FOUND),
        ]);
        assert_eq!(
            warnings(ObjectStatus::Gateway(&status), &Value::Null),
            [("A message.".to_owned(), "BackendNotFound".to_owned())]
        );
    }

    #[test]
    fn warnings_cover_listeners_and_parents() {
        let mut status = gateway(Vec::new());
        status.listeners = vec![ListenerStatus {
            name: "l".parse().unwrap(),
            supported_kinds: Vec::new(),
            attached_routes: 0,
            conditions: vec![is_false(Reason::PORT_UNAVAILABLE); 2],
        }];
        assert_eq!(
            warnings(ObjectStatus::Gateway(&status), &Value::Null),
            [("Listener l: A message.".to_owned(), "PortUnavailable".to_owned())]
        );
        let mut shadowed = condition(ConditionStatus::True, Reason::ACCEPTED);
        shadowed.caveat = Some(Caveat::Shadowed);
        assert_eq!(
            warnings(ObjectStatus::TcpRoute(&[parent(vec![shadowed])]), &Value::Null),
            [("A message.".to_owned(), "Shadowed".to_owned())]
        );
    }

    #[test]
    fn note_is_truncated() {
        let message = "m".repeat(MAX_MESSAGE_LEN + 1);
        let warning = Warning { message: message.into(), ..Warning::example("Test") };
        assert_eq!(warning.note().len(), MAX_MESSAGE_LEN);
    }

    #[test]
    fn missing_slice_is_a_problem_without_a_cluster_only() {
        let mut condition = condition(ConditionStatus::True, Reason::RESOLVED_REFS);
        condition.caveat = Some(Caveat::NoEndpointSlice);
        // The parents of a route have the same condition.
        let parents = vec![parent(vec![condition]); 2];
        for (origin, expected) in [(Origin::Cluster, 0), (Origin::Store, 1)] {
            let warnings = new_warnings(ObjectStatus::TcpRoute(&parents), &Value::Null, origin);
            assert_eq!(warnings.len(), expected, "{warnings:?}");
        }
    }

    #[test]
    fn action_depends_on_the_condition() {
        for (condition_type, expected) in [
            (ConditionType::ACCEPTED, "OpenListener"),
            (ConditionType::RESOLVED_REFS, RESOLVE_REFERENCE),
        ] {
            let mut condition = is_false(Reason::UNSUPPORTED_PROTOCOL);
            condition.condition_type = condition_type;
            let cause = find_cause(&condition, Origin::Cluster).unwrap();
            assert_eq!(cause.action, expected);
        }
    }

    #[test]
    fn warnings_are_new_unless_status_contained_them() {
        let conditions = vec![is_false(Reason::PROTOCOL_CONFLICT)];
        let status = gateway(conditions.clone());
        let status = ObjectStatus::Gateway(&status);
        let of_listener = json!({ "listeners": [{ "name": "l", "conditions": conditions }] });
        assert_eq!(warnings(status, &of_listener).len(), 1);
        let mut of_gateway = json!({ "conditions": conditions });
        assert_eq!(warnings(status, &of_gateway).len(), 0);
        of_gateway["conditions"][0]["message"] = "Another message.".into();
        assert_eq!(warnings(status, &of_gateway).len(), 1);
    }
}
