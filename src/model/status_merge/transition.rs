//! The time of a condition's last transition.

use jiff::Timestamp;

use crate::model::{Condition, ConditionStatus};

/// The state of an existing condition on which the transition time depends. Malformed values are
/// absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiveState {
    pub(super) status: Option<ConditionStatus>,
    pub(super) last_transition_time: Option<Timestamp>,
}

impl From<&Condition> for LiveState {
    fn from(condition: &Condition) -> Self {
        Self {
            status: Some(condition.status),
            last_transition_time: condition.last_transition_time,
        }
    }
}

/// Returns the time of the last transition of a reported condition: that of the existing condition
/// of its type while the status is the same, otherwise `now` with the precision of Kubernetes' API.
pub(super) fn last_transition_time(
    condition: &Condition,
    live: Option<LiveState>,
    now: Timestamp,
) -> Timestamp {
    let unchanged = live.filter(|live| live.status == Some(condition.status));
    let kept = unchanged.and_then(|live| live.last_transition_time);
    kept.unwrap_or_else(|| Timestamp::from_second(now.as_second()).unwrap_or(now))
}
