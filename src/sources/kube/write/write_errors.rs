//! The errors of writes, reported once for all objects that fail in the same way.

use std::collections::BTreeMap;
use std::error::Error;

use crate::model::ObjectKey;
use crate::sources::kube::active_errors::ActiveErrors;
use crate::sources::kube::operation::{Operation, WriteKind};

/// The errors of writes.
///
/// Many objects often fail for one reason, such as a missing permission. So of all objects on which
/// an operation fails, only the first is tracked: its errors are reported, and its success is the
/// end of the error.
#[derive(Debug, Default)]
pub(super) struct WriteErrors {
    errors: ActiveErrors,
    /// The object that is tracked for each operation that fails.
    tracked: BTreeMap<Operation, ObjectKey>,
}

impl WriteErrors {
    /// Records that a write failed. Returns the message to log, if the error is new.
    pub(super) fn report(
        &mut self,
        write: WriteKind,
        key: &ObjectKey,
        error: &(dyn Error + 'static),
    ) -> Option<String> {
        let operation = Operation::Write(write, key.kind);
        let tracked = self.tracked.entry(operation.clone()).or_insert_with(|| key.clone());
        if tracked != key {
            return None;
        }
        self.errors.report(operation, error)
    }

    /// Records that a write succeeded.
    pub(super) fn resolve(&mut self, write: WriteKind, key: &ObjectKey) {
        let operation = Operation::Write(write, key.kind);
        if self.tracked.get(&operation) == Some(key) {
            self.tracked.remove(&operation);
            self.errors.resolve(&operation);
        }
    }

    /// Stops tracking an object that needs no write any longer.
    pub(super) fn forget(&mut self, key: &ObjectKey) {
        self.tracked.retain(|_, tracked| tracked != key);
    }
}
