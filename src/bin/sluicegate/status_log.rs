//! What a person should know of the objects, where no cluster keeps their status.

use std::collections::BTreeMap;

use sluicegate::Report;
use sluicegate::model::{Condition, ConditionType};

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
        for (subject, condition) in report.status.conditions() {
            if condition.needs_attention() {
                let Condition { condition_type, status, reason, message, .. } = condition;
                let text = format!("{condition_type} is {status} ({reason}): {message}");
                now.insert((subject.to_string(), condition_type.clone()), text);
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
