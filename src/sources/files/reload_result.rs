//! The result of reading all files again on request.

use std::collections::HashSet;

use super::file_set::{Changes, FileSet};

/// Maximum number of remaining problems that are logged again.
const MAX_REPEATED: usize = 20;

/// A request to read all files again, until its result is logged.
#[derive(Debug)]
pub(super) struct ReloadRequest {
    /// The problems before the request. They were logged when they were found.
    known_problems: HashSet<String>,
    /// The changes since the request.
    changes: Changes,
}

impl ReloadRequest {
    /// Starts a request, and logs it.
    pub(super) fn start(files: &FileSet) -> Self {
        tracing::info!("reading all files again on request");
        Self {
            known_problems: files.problems().texts().into_iter().collect(),
            changes: Changes::default(),
        }
    }

    /// Adds changes since the request.
    pub(super) fn add(&mut self, changes: Changes) {
        let total = &mut self.changes;
        total.added += changes.added;
        total.changed += changes.changed;
        total.removed += changes.removed;
    }

    /// Logs what was read and what changed, and again the problems that remain.
    pub(super) fn log_result(&self, files: &FileSet) {
        let (read, objects) = (files.file_count(), files.object_count());
        let (errors, changes) = (files.problems().error_count(), self.changes);
        let result =
            format!("files read again: {read}, objects: {objects} ({changes}); errors: {errors}");
        if errors == 0 {
            tracing::info!(files = read, objects, errors, "{result}");
        } else {
            tracing::warn!(files = read, objects, errors, "{result}, described in other warnings");
        }
        // New problems are logged with the report that contains them.
        let problems = files.problems().texts();
        let remaining: Vec<_> =
            problems.iter().filter(|problem| self.known_problems.contains(*problem)).collect();
        for problem in remaining.iter().take(MAX_REPEATED) {
            tracing::warn!("{problem}");
        }
        if remaining.len() > MAX_REPEATED {
            let more = remaining.len() - MAX_REPEATED;
            tracing::warn!(
                "and {more} more problems remain, as logged before; correct these first"
            );
        }
    }
}
