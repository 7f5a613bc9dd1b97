//! Noticing that files may have changed.
//!
//! Directories are watched, not files: a file that is replaced is another file. What exactly
//! happened is hardly asked, for it is told differently by every system and editor; everything is
//! looked at again once a burst of events is over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::discover::{directories_of, parent_of};
use super::error::FileError;

/// A burst is over when nothing has happened for so long…
const QUIET: Duration = Duration::from_millis(10);
/// …or when it has lasted so long.
const LONGEST_BURST: Duration = Duration::from_millis(200);
/// How often to look at what cannot be watched, or is not finished.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a writer may take before its file is read as it is.
const LONGEST_WRITE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    paths: Vec<PathBuf>,
    watched: BTreeSet<PathBuf>,
    tally: watch::Sender<EventState>,
    /// The changes that have been answered for.
    seen: u64,
    look_again: bool,
}

/// What has happened so far.
#[derive(Debug, Default)]
struct EventState {
    /// Things that are complete: reason to look.
    changes: u64,
    /// All that has happened, complete or not: reason to wait a little.
    events: u64,
    /// Files that have been written to and not been closed, and since when.
    being_written: BTreeMap<PathBuf, Instant>,
    /// Directories in which everything is of interest.
    directories: BTreeSet<PathBuf>,
    /// Of other directories that are watched, the entries of interest.
    entries: BTreeSet<PathBuf>,
}

impl Watch {
    pub(super) fn new(paths: Vec<PathBuf>) -> Result<Self, FileError> {
        let tally = watch::Sender::new(EventState::default());
        let teller = tally.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            teller.send_if_modified(|tally| match event {
                Ok(event) => tally.take(&event),
                // Such as too many events, of which some are lost.
                Err(_) => tally.change(),
            });
        })
        .map_err(|error| FileError::Watch { source: error.into() })?;
        let watched = BTreeSet::new();
        Ok(Self { watcher, paths, watched, tally, seen: 0, look_again: false })
    }

    /// Watches what there is to watch now. To be called before each reading: what happens after is
    /// then noticed, and a directory that has been replaced is watched in place of the old one.
    pub(super) fn renew(&mut self) {
        let directories: BTreeSet<_> =
            self.paths.iter().flat_map(|path| directories_of(path)).collect();
        let parents = self.paths.iter().map(|path| parent_of(path));
        let wanted: BTreeSet<_> = directories.iter().cloned().chain(parents).collect();
        self.tally.send_modify(|tally| {
            tally.directories = directories;
            tally.entries = self.paths.iter().cloned().collect();
        });
        for gone in &self.watched - &wanted {
            // It may be gone from the system, too.
            let _ = self.watcher.unwatch(&gone);
        }
        self.look_again = false;
        for directory in &wanted {
            // What cannot be watched, or is not there yet, is looked at from time to time.
            self.look_again |= self.watcher.watch(directory, RecursiveMode::NonRecursive).is_err();
        }
        self.watched = wanted;
    }

    /// The files that are just being written, by their canonical paths.
    pub(super) fn being_written(&self) -> BTreeSet<PathBuf> {
        let tally = self.tally.borrow();
        tally.being_written.keys().filter_map(|file| fs::canonicalize(file).ok()).collect()
    }

    /// Waits until something has changed and the burst is over, or until it is time to look again,
    /// as it is while something is `missing`.
    pub(super) async fn changed(&mut self, missing: bool) {
        let mut tally = self.tally.subscribe();
        let seen = self.seen;
        let unfinished = !tally.borrow().being_written.is_empty();
        let change = tally.wait_for(|tally| tally.changes != seen);
        if missing || unfinished || self.look_again {
            // Late or not, it is time to look.
            let _ = timeout(LOOK_AGAIN, change).await;
        } else {
            // It cannot fail: the other end is ours.
            let _ = change.await;
        }
        let end = Instant::now() + LONGEST_BURST;
        while Instant::now() < end {
            let events = tally.borrow_and_update().events;
            if timeout(QUIET, tally.wait_for(|tally| tally.events != events)).await.is_err() {
                break;
            }
        }
        self.tally.send_modify(|tally| {
            self.seen = tally.changes;
            tally.being_written.retain(|_, since| since.elapsed() < LONGEST_WRITE);
        });
    }
}

impl EventState {
    /// Takes note of an event; whether it is of interest.
    fn take(&mut self, event: &notify::Event) -> bool {
        if !event.paths.is_empty() && !event.paths.iter().any(|path| self.concerns(path)) {
            return false;
        }
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                for path in &event.paths {
                    self.being_written.remove(path);
                }
                self.change()
            }
            // Reading a file is no change, or our own would be one.
            EventKind::Access(_) => false,
            // Linux tells when the file is closed; until then it may be half written.
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
                self.change()
            }
        }
    }

    fn change(&mut self) -> bool {
        self.events += 1;
        self.changes += 1;
        true
    }

    fn concerns(&self, path: &Path) -> bool {
        self.entries.contains(path)
            || self.directories.contains(path)
            || path.parent().is_some_and(|parent| self.directories.contains(parent))
    }
}
