//! The time of a condition's last transition.

use jiff::Timestamp;

use crate::model::{Condition, ConditionStatus};

/// The part of an existing condition on which a merge depends. A malformed condition has no values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LiveCondition<'a> {
    pub(super) condition_type: Option<&'a str>,
    pub(super) status: Option<ConditionStatus>,
    pub(super) last_transition_time: Option<Timestamp>,
}

impl<'a> LiveCondition<'a> {
    /// Returns `true` if the condition has the type of `other`.
    pub(super) fn is_of_type_of(&self, other: &Condition) -> bool {
        self.condition_type == Some(other.condition_type.as_str())
    }
}

impl<'a> From<&'a Condition> for LiveCondition<'a> {
    fn from(condition: &'a Condition) -> Self {
        Self {
            condition_type: Some(condition.condition_type.as_str()),
            status: Some(condition.status),
            last_transition_time: condition.last_transition_time,
        }
    }
}

/// Returns the time of the last transition of a reported condition: that of the existing condition
/// of its type while the status is the same, otherwise `now` with the precision of Kubernetes' API.
pub(super) fn last_transition_time(
    condition: &Condition,
    live: Option<&LiveCondition<'_>>,
    now: Timestamp,
) -> Timestamp {
    let unchanged = live.filter(|live| live.status == Some(condition.status));
    let kept = unchanged.and_then(|live| live.last_transition_time);
    kept.unwrap_or_else(|| Timestamp::from_second(now.as_second()).unwrap_or(now))
}
