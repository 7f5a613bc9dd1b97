//! Limit of listeners per namespace: the Gateways of one namespace cannot take all ports.

use std::collections::HashMap;
use std::num::NonZeroU32;

use super::listeners::EvaluatedListener;
use super::refusal::ListenerRefusal;
use crate::model::NamespaceName;

/// The listeners that count towards the limit, by namespace.
pub(super) struct ListenerQuota<'a> {
    limit: Option<NonZeroU32>,
    used: HashMap<&'a NamespaceName, u32>,
}

impl<'a> ListenerQuota<'a> {
    pub(super) fn new(limit: Option<NonZeroU32>) -> Self {
        Self { limit, used: HashMap::new() }
    }

    /// Counts the valid listeners of a Gateway, and refuses those beyond the limit. Gateways with
    /// precedence come first.
    pub(super) fn apply(
        &mut self,
        namespace: &'a NamespaceName,
        listeners: &mut [EvaluatedListener<'_>],
    ) {
        let Some(limit) = self.limit else { return };
        let used = self.used.entry(namespace).or_default();
        for listener in listeners.iter_mut().filter(|listener| listener.refusal.is_none()) {
            if *used < limit.get() {
                *used += 1;
            } else {
                let namespace = namespace.clone();
                listener.refuse(ListenerRefusal::TooManyListeners { namespace, limit });
            }
        }
    }
}
