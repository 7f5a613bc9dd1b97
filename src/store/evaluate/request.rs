//! Writes of callers.

use super::staging::Staging;
use super::{create, delete, replace};
use crate::store::error::WriteError;
use crate::store::write::{Action, PreparedWrite, WriteResult};

impl Staging<'_> {
    /// Evaluates a write. After an error, nothing has changed.
    pub(in crate::store) fn write(
        &mut self,
        write: PreparedWrite,
    ) -> Result<WriteResult, WriteError> {
        let PreparedWrite { action, key, preconditions, is_dry_run } = write;
        self.begin(is_dry_run, !matches!(action, Action::Delete(_)));
        match action {
            Action::Create(draft) => create::create(self, key, draft),
            Action::Replace(draft) => {
                let current = self.expect(&key, &preconditions)?;
                replace::replace(self, &current, draft)
            }
            Action::ReplaceStatus(draft) => {
                let current = self.expect(&key, &preconditions)?;
                replace::replace_status(self, &current, &draft)
            }
            Action::Delete(propagation) => {
                let current = self.expect(&key, &preconditions)?;
                delete::delete(self, &current, propagation)
            }
        }
    }
}
