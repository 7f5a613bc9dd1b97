//! Reported parts of a status that are not written, because other controllers leave no room.

use std::collections::BTreeMap;

use crate::model::{MergedStatus, ObjectKey};

/// The objects whose status is incomplete, each with the numbers of parents and conditions that are
/// left out. Each change is logged once.
#[derive(Debug, Default)]
pub(super) struct Omissions(BTreeMap<ObjectKey, (usize, usize)>);

impl Omissions {
    /// Records the latest merge of an object's status.
    pub(super) fn record(&mut self, key: &ObjectKey, merged: &MergedStatus) {
        let omitted = (merged.omitted_parents, merged.omitted_conditions);
        if omitted == (0, 0) {
            if self.0.remove(key).is_some() {
                tracing::info!(object = %key, "the status is complete again");
            }
        } else if self.0.insert(key.clone(), omitted) != Some(omitted) {
            tracing::warn!(
                object = %key,
                "the status is incomplete: {} parents and {} conditions of this controller are left out, \
                 because other controllers use the rest of the 32 parents or 8 conditions that are allowed; \
                 remove their outdated entries from the status",
                omitted.0,
                omitted.1,
            );
        }
    }

    /// Forgets an object that no longer exists.
    pub(super) fn forget(&mut self, key: &ObjectKey) {
        self.0.remove(key);
    }
}
