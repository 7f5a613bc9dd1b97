//! Log of the conditions that need attention, for gateways whose status is written nowhere else.

use std::collections::BTreeMap;

use sluicegate::Report;
use sluicegate::model::{Condition, ConditionType};

/// Logger of conditions. It logs a condition again only if its text changes.
#[derive(Debug, Default)]
pub(crate) struct StatusLogger {
    logged: BTreeMap<ConditionKey, String>,
}

/// Subject and type of a condition.
type ConditionKey = (String, ConditionType);

impl StatusLogger {
    /// Logs the conditions that need attention since this report, and those that no longer do.
    pub(crate) fn log_changes(&mut self, report: &Report) {
        let mut current = BTreeMap::new();
        for (key, reason) in &report.unmanaged {
            let text = format!("unmanaged: {reason}");
            current.insert((key.to_string(), ConditionType::ACCEPTED), text);
        }
        for (subject, condition) in report.status.conditions() {
            if condition.needs_attention() {
                let Condition { condition_type, status, reason, message, .. } = condition;
                let text = format!("{condition_type} is {status} ({reason}): {message}");
                current.insert((subject.to_string(), condition_type.clone()), text);
            }
        }
        for (key, text) in &current {
            if self.logged.get(key) != Some(text) {
                tracing::warn!(object = key.0, "{text}");
            }
        }
        for (object, condition_type) in self.logged.keys().filter(|key| !current.contains_key(key))
        {
            tracing::info!(object, "{condition_type} condition recovered or removed");
        }
        self.logged = current;
    }
}
