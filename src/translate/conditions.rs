//! Conditions of one object.

use std::borrow::Cow;

use crate::model::{Caveat, Condition, ConditionStatus, ConditionType, Reason};

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
        Condition::new(condition_type, ConditionStatus::True, reason, message, self.generation)
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
        Condition::new(condition_type, ConditionStatus::False, reason, message, self.generation)
    }
}
