//! The errors of operations that are retried, each reported once.

use std::collections::BTreeMap;
use std::error::Error;

use super::error_text::format_error;
use super::operation::Operation;

/// The operations that fail at present, each with its last error.
#[derive(Debug, Default)]
pub(super) struct ActiveErrors(BTreeMap<Operation, String>);

impl ActiveErrors {
    /// Records that an operation failed. Returns the message to report, unless the operation failed
    /// with the same error before.
    pub(super) fn report(
        &mut self,
        operation: Operation,
        error: &(dyn Error + 'static),
    ) -> Option<String> {
        let error = format_error(error);
        if self.0.get(&operation) == Some(&error) {
            return None;
        }
        let message = format_message(&operation, &error);
        self.0.insert(operation, error);
        Some(message)
    }

    /// Records that an operation succeeded. Returns `true` if it failed before.
    pub(super) fn resolve(&mut self, operation: &Operation) -> bool {
        let had_failed = self.0.remove(operation).is_some();
        if had_failed {
            tracing::info!("recovered: can {operation} again");
        }
        had_failed
    }

    /// Removes the error of an operation that is no longer tried.
    pub(super) fn forget(&mut self, operation: &Operation) {
        self.0.remove(operation);
    }

    /// Returns the messages of all errors.
    pub(super) fn messages(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(|(operation, error)| format_message(operation, error))
    }
}

fn format_message(operation: &Operation, error: &str) -> String {
    format!("cannot {operation}: {error}; trying again")
}
