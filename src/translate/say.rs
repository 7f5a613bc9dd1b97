//! Putting a finding into a condition.

use std::borrow::Cow;

use crate::model::{Condition, ConditionStatus, ConditionType, Reason};

/// Says conditions of one object.
pub(super) struct Sayer {
    pub(super) generation: Option<i64>,
}

impl Sayer {
    pub(super) fn yes(
        &self,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<Cow<'static, str>>,
    ) -> Condition {
        self.is(true, condition_type, reason, message)
    }

    pub(super) fn no(
        &self,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<Cow<'static, str>>,
    ) -> Condition {
        self.is(false, condition_type, reason, message)
    }

    pub(super) fn is(
        &self,
        holds: bool,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<Cow<'static, str>>,
    ) -> Condition {
        let status = if holds { ConditionStatus::True } else { ConditionStatus::False };
        Condition::new(condition_type, status, reason, message, self.generation)
    }
}
