//! Log of the conditions that need attention, for gateways whose status is written nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use sluicegate::Report;
use sluicegate::model::{Attention, Condition, ConditionType};

/// Maximum number of lines of one kind for one report. More lines would take the place of others in
/// a log with limited space.
const MAX_LINES: usize = 1_000;

/// Logger of conditions. It logs a condition again only if its text changes.
#[derive(Debug, Default)]
pub(crate) struct StatusLogger {
    logged: BTreeMap<ConditionKey, Finding>,
}

/// Subject and type of a condition.
type ConditionKey = (String, ConditionType);

/// A condition that needs attention.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// The condition is not fine.
    Fault(String),
    /// The condition is fine, but its message describes a limitation.
    Remark(String),
}

impl StatusLogger {
    /// Logs the conditions that need attention since this report, and those that no longer do.
    pub(crate) fn log_changes(&mut self, report: &Report) {
        let mut current = BTreeMap::new();
        let mut fine = BTreeSet::new();
        for (key, reason) in &report.unmanaged {
            let text = format!("unmanaged: {reason}");
            let finding = match reason.is_of_other_controller() {
                true => Finding::Remark(text),
                false => Finding::Fault(text),
            };
            current.insert((key.to_string(), ConditionType::ACCEPTED), finding);
        }
        for (subject, condition) in report.status.conditions() {
            match Finding::new(condition) {
                Some(finding) => {
                    current
                        .insert((subject.to_string(), condition.condition_type.clone()), finding);
                }
                // Only conditions that were logged can recover.
                None if self.logged.is_empty() => {}
                None => {
                    fine.insert((subject.to_string(), condition.condition_type.clone()));
                }
            }
        }
        let new = current.iter().filter(|(key, finding)| self.logged.get(*key) != Some(*finding));
        for_each_limited("conditions that need attention", new, |(key, finding)| finding.log(key));
        let gone = self.logged.keys().filter(|key| !current.contains_key(*key));
        for_each_limited("conditions that need no attention", gone, |key| {
            let (object, condition) = key;
            if fine.contains(key) {
                tracing::info!(object, "{condition} condition recovered");
            } else {
                tracing::info!(
                    object,
                    "{condition} condition no longer exists: the object was removed or changed"
                );
            }
        });
        self.logged = current;
    }
}

impl Finding {
    /// Returns `None` if the condition needs no attention.
    fn new(condition: &Condition) -> Option<Self> {
        let Condition { condition_type, status, reason, message, .. } = condition;
        match condition.attention() {
            Attention::None => None,
            Attention::Remark(_) => Some(Self::Remark(message.to_string())),
            Attention::Fault => {
                Some(Self::Fault(format!("{condition_type} is {status} ({reason}): {message}")))
            }
        }
    }

    fn log(&self, (object, condition): &ConditionKey) {
        match self {
            Self::Fault(text) => tracing::warn!(object, %condition, "{text}"),
            Self::Remark(text) => tracing::info!(object, %condition, "{text}"),
        }
    }
}

/// Calls `log` for at most [`MAX_LINES`] items, and logs the number of the others.
fn for_each_limited<T>(name: &str, items: impl Iterator<Item = T>, log: impl Fn(T)) {
    let mut items = items;
    items.by_ref().take(MAX_LINES).for_each(log);
    let others = items.count();
    if others > 0 {
        tracing::info!("and {others} more {name}");
    }
}
