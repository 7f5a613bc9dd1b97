//! The file events so far.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use tokio::time::Instant;

use super::listing::has_manifest_name;

/// Time after the last write to a file after which the file is read, even if it has not been
/// closed.
const MAX_WRITE: Duration = Duration::from_secs(5);

/// The events so far, and the paths whose events are relevant.
#[derive(Debug, Default)]
pub(super) struct EventState {
    /// Number of complete changes: the files have to be listed again.
    pub(super) changes: u64,
    /// Number of events, including those of writes that are not complete: the burst goes on.
    pub(super) events: u64,
    /// Files that have been written to and not been closed, with the time of the last write.
    pub(super) being_written: BTreeMap<PathBuf, Instant>,
    /// Directories in which a new, renamed or removed entry is relevant.
    pub(super) listed: BTreeSet<PathBuf>,
    /// Relevant entries of any directory.
    pub(super) entries: BTreeSet<PathBuf>,
}

impl EventState {
    /// Records an event. Returns `true` if it is relevant.
    pub(super) fn handle_event(&mut self, event: &notify::Event) -> bool {
        let is_write = matches!(
            event.kind,
            EventKind::Access(AccessKind::Close(AccessMode::Write))
                | EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_))
        );
        // The kernel reports a queue overflow without a path.
        let is_relevant = event.paths.is_empty()
            || event.paths.iter().any(|path| self.is_relevant(path, is_write));
        if !is_relevant {
            return false;
        }
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                for path in &event.paths {
                    self.being_written.remove(path);
                }
                self.record_change()
            }
            // Reading a file is not a change. Otherwise the source would trigger itself.
            EventKind::Access(_) => false,
            // Linux reports the close after a write. Until then, the file may be incomplete.
            EventKind::Modify(ModifyKind::Data(_)) if cfg!(target_os = "linux") => {
                let now = Instant::now();
                self.being_written.extend(event.paths.iter().cloned().map(|path| (path, now)));
                self.events += 1;
                true
            }
            _ => {
                for path in &event.paths {
                    self.being_written.remove(path);
                }
                self.record_change()
            }
        }
    }

    /// Records that files changed. Returns `true`.
    pub(super) fn record_change(&mut self) -> bool {
        self.events += 1;
        self.changes += 1;
        true
    }

    /// Removes the files whose last write was too long ago to wait for the close.
    pub(super) fn forget_long_writes(&mut self) {
        self.being_written.retain(|_, since| since.elapsed() < MAX_WRITE);
    }

    /// Returns `true` if an event of the path is relevant. Writing to a file that is not read is
    /// irrelevant, but creating it is not: it is reported as not read.
    fn is_relevant(&self, path: &Path, is_write: bool) -> bool {
        self.entries.contains(path)
            || self.listed.contains(path)
            || path.parent().is_some_and(|parent| self.listed.contains(parent))
                && (!is_write || path.file_name().is_some_and(has_manifest_name))
    }
}
