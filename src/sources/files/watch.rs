//! Detecting changes of files.
//!
//! Directories are watched, not files: a file that is replaced is another inode, and a watch on the
//! old one would miss it. Operating systems and editors report the same change as different events.
//! Therefore the events are debounced, and all files are read again when a burst of events is over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::discover::{directories_to_watch, parent_directory};
use super::error::FileError;

/// A burst of events is over after this time without an event.
const BURST_QUIET_PERIOD: Duration = Duration::from_millis(10);
/// A burst that lasts longer than this is treated as over.
const MAX_BURST: Duration = Duration::from_millis(200);
/// Interval of polling while something cannot be watched, is missing or is being written.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Time after the last write to a file after which the file is read, even if it has not been
/// closed.
const MAX_WRITE: Duration = Duration::from_secs(5);

/// Watch on all paths of a source.
#[derive(Debug)]
pub(super) struct FileWatch {
    watcher: RecommendedWatcher,
    paths: Vec<PathBuf>,
    watched: BTreeSet<PathBuf>,
    state: watch::Sender<EventState>,
    /// The value of [`EventState::changes`] when [`FileWatch::wait_for_change`] last returned.
    seen_changes: u64,
    /// `true` if a directory cannot be watched.
    needs_polling: bool,
}

/// The events so far.
#[derive(Debug, Default)]
struct EventState {
    /// Number of complete changes: the files have to be read again.
    changes: u64,
    /// Number of events, including those of writes that are not complete: the burst goes on.
    events: u64,
    /// Files that have been written to and not been closed, with the time of the last write.
    being_written: BTreeMap<PathBuf, Instant>,
    /// Directories of which every entry is relevant.
    directories: BTreeSet<PathBuf>,
    /// The relevant entries of the other watched directories.
    entries: BTreeSet<PathBuf>,
}

impl FileWatch {
    /// Creates a watch that is not armed yet.
    pub(super) fn new(paths: Vec<PathBuf>) -> Result<Self, FileError> {
        let state = watch::Sender::new(EventState::default());
        let sender = state.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            sender.send_if_modified(|state| match event {
                Ok(event) => state.handle_event(&event),
                // For example a queue overflow, after which events are missing.
                Err(_) => state.record_change(),
            });
        })
        .map_err(|error| FileError::Watch { source: error.into() })?;
        let watched = BTreeSet::new();
        Ok(Self { watcher, paths, watched, state, seen_changes: 0, needs_polling: false })
    }

    /// Watches the directories that exist now.
    ///
    /// It must be called before the files are read, so that later changes are noticed, and again
    /// after each change: a directory that has been replaced needs a new watch.
    pub(super) fn rearm(&mut self) {
        let directories: BTreeSet<_> =
            self.paths.iter().flat_map(|path| directories_to_watch(path)).collect();
        let parents = self.paths.iter().map(|path| parent_directory(path));
        let wanted: BTreeSet<_> = directories.iter().cloned().chain(parents).collect();
        self.state.send_modify(|state| {
            state.directories = directories;
            state.entries = self.paths.iter().cloned().collect();
        });
        for removed in &self.watched - &wanted {
            // An error means that the directory does not exist any more.
            let _ = self.watcher.unwatch(&removed);
        }
        self.needs_polling = false;
        for directory in &wanted {
            let result = self.watcher.watch(directory, RecursiveMode::NonRecursive);
            self.needs_polling |= result.is_err();
        }
        self.watched = wanted;
    }

    /// Returns the canonical paths of the files that are being written.
    pub(super) fn files_being_written(&self) -> BTreeSet<PathBuf> {
        let state = self.state.borrow();
        state.being_written.keys().filter_map(|file| fs::canonicalize(file).ok()).collect()
    }

    /// Waits until a change is complete and its burst of events is over.
    ///
    /// Returns after [`POLL_INTERVAL`] without a change if a file `is_missing`, a directory cannot
    /// be watched or a file is being written.
    pub(super) async fn wait_for_change(&mut self, is_missing: bool) {
        let mut state = self.state.subscribe();
        let seen_changes = self.seen_changes;
        let is_being_written = !state.borrow().being_written.is_empty();
        let change = state.wait_for(|state| state.changes != seen_changes);
        if is_missing || is_being_written || self.needs_polling {
            // The files are read again after a timeout too.
            let _ = timeout(POLL_INTERVAL, change).await;
        } else {
            // An error is not possible: `self` holds the sender.
            let _ = change.await;
        }
        let end = Instant::now() + MAX_BURST;
        while Instant::now() < end {
            let events = state.borrow_and_update().events;
            let next_event = state.wait_for(|state| state.events != events);
            if timeout(BURST_QUIET_PERIOD, next_event).await.is_err() {
                break;
            }
        }
        self.state.send_modify(|state| {
            self.seen_changes = state.changes;
            state.being_written.retain(|_, since| since.elapsed() < MAX_WRITE);
        });
    }
}

impl EventState {
    /// Records an event. Returns `true` if it is relevant.
    fn handle_event(&mut self, event: &notify::Event) -> bool {
        if !event.paths.is_empty() && !event.paths.iter().any(|path| self.is_relevant(path)) {
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

    fn record_change(&mut self) -> bool {
        self.events += 1;
        self.changes += 1;
        true
    }

    fn is_relevant(&self, path: &Path) -> bool {
        self.entries.contains(path)
            || self.directories.contains(path)
            || path.parent().is_some_and(|parent| self.directories.contains(parent))
    }
}
