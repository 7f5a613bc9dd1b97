//! What a person should know of the objects, where no cluster keeps their status.

use std::collections::BTreeMap;

use sluicegate::Report;
use sluicegate::model::{Condition, ConditionStatus, ConditionType};

/// What has been said already.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    said: BTreeMap<Place, String>,
}

/// An object, or a part of it, and the type of a condition.
type Place = (String, ConditionType);

impl Notes {
    /// Says what is new, and what is over.
    pub(crate) fn tell(&mut self, report: &Report) {
        let mut now = BTreeMap::new();
        for (key, why) in &report.unmanaged {
            now.insert((key.to_string(), ConditionType::ACCEPTED), format!("unmanaged: {why}"));
        }
        for (object, condition) in conditions(report) {
            if is_noteworthy(condition) {
                let Condition { condition_type, status, reason, message, .. } = condition;
                let text = format!("{condition_type} is {status} ({reason}): {message}");
                now.insert((object, condition_type.clone()), text);
            }
        }
        for (place, text) in &now {
            if self.said.get(place) != Some(text) {
                tracing::warn!(object = place.0, "{text}");
            }
        }
        for (object, condition_type) in self.said.keys().filter(|place| !now.contains_key(place)) {
            tracing::info!(object, "nothing more to say of {condition_type}");
        }
        self.said = now;
    }
}

/// Every condition, with what it is about.
fn conditions<'a>(report: &'a Report) -> Vec<(String, &'a Condition)> {
    let mut all = Vec::new();
    let mut add = |object: String, conditions: &'a [Condition]| {
        for condition in conditions {
            all.push((object.clone(), condition));
        }
    };
    for (name, class) in &report.status.gateway_classes {
        add(format!("GatewayClass {name}"), &class.conditions);
    }
    for (name, gateway) in &report.status.gateways {
        add(format!("Gateway {name}"), &gateway.conditions);
        for listener in &gateway.listeners {
            add(format!("listener {name}/{}", listener.name), &listener.conditions);
        }
    }
    for (name, route) in &report.status.tcp_routes {
        for parent in &route.parents {
            let parent_ref = &parent.parent_ref;
            let section = parent_ref.section_name.as_ref().map(|section| format!("/{section}"));
            let port = parent_ref.port.map(|port| format!(":{port}"));
            let (section, port) = (section.unwrap_or_default(), port.unwrap_or_default());
            let parent_name = format!("{}{section}{port}", parent_ref.name);
            add(format!("TCPRoute {name} at {parent_name}"), &parent.conditions);
        }
    }
    all
}

/// Whether a condition does not hold, or holds with a caveat: its message then goes on after the
/// first sentence.
fn is_noteworthy(condition: &Condition) -> bool {
    condition.status != ConditionStatus::True || condition.message.contains(". ")
}
