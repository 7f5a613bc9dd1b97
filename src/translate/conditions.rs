//! Conditions of one object.

use std::borrow::Cow;

use crate::model::{
    Caveat, Condition, ConditionStatus, ConditionType, MAX_MESSAGE_LEN, Reason, truncate,
};

/// Builds conditions of an object of this generation.
pub(super) struct ConditionBuilder {
    pub(super) generation: Option<i64>,
}

impl ConditionBuilder {
    /// Builds a condition whose status is `True`.
    pub(super) fn true_(
        &self,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<Cow<'static, str>>,
    ) -> Condition {
        self.build(condition_type, ConditionStatus::True, reason, message.into())
    }

    /// Builds a condition whose status is `True`, with the limitation that its message describes.
    pub(super) fn true_with(
        &self,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<Cow<'static, str>>,
        caveat: Option<Caveat>,
    ) -> Condition {
        Condition { caveat, ..self.true_(condition_type, reason, message) }
    }

    /// Builds a condition whose status is `False`.
    pub(super) fn false_(
        &self,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<Cow<'static, str>>,
    ) -> Condition {
        self.build(condition_type, ConditionStatus::False, reason, message.into())
    }

    /// Builds a condition whose status is `Unknown`.
    pub(super) fn unknown(
        &self,
        condition_type: ConditionType,
        reason: Reason,
        message: impl Into<Cow<'static, str>>,
    ) -> Condition {
        self.build(condition_type, ConditionStatus::Unknown, reason, message.into())
    }

    /// Builds a condition. The message is truncated if it is too long in spite of `enumerate`, for
    /// example if a program creates an object with a name that no API server would accept.
    fn build(
        &self,
        condition_type: ConditionType,
        status: ConditionStatus,
        reason: Reason,
        mut message: Cow<'static, str>,
    ) -> Condition {
        if message.len() > MAX_MESSAGE_LEN {
            truncate(message.to_mut(), MAX_MESSAGE_LEN);
        }
        Condition::new(condition_type, status, reason, message, self.generation)
    }
}
