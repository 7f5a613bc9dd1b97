//! Noticing that files may have changed.
//!
//! Directories are watched, not files: a file that is replaced is another file. What exactly
//! happened is not asked, for it is told differently by every system and editor; everything is
//! looked at again once a burst of events is over.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// A burst is over when nothing has happened for so long…
const QUIET: Duration = Duration::from_millis(10);
/// …or when it has lasted so long.
const LONGEST_BURST: Duration = Duration::from_millis(200);
/// How often to look for a path that has gone away, which cannot be watched.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    directories: BTreeSet<PathBuf>,
    tally: watch::Receiver<Tally>,
    /// The changes that have been answered for.
    seen: u64,
    look_again: bool,
}

/// What has happened so far.
#[derive(Debug, Default)]
struct Tally {
    /// Things that are complete: reason to look.
    changes: u64,
    /// All that has happened, complete or not: reason to wait a little.
    events: u64,
}

impl Watch {
    pub(super) fn new(paths: Vec<PathBuf>) -> notify::Result<Self> {
        let (sender, tally) = watch::channel(Tally::default());
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error is something like too many events, of which some are lost.
            let happened = event.map_or(Some(Happened::Change), |event| interpret(&event.kind));
            if let Some(happened) = happened {
                sender.send_modify(|tally| {
                    tally.events += 1;
                    tally.changes += u64::from(happened == Happened::Change);
                });
            }
        })?;
        let directories = paths.iter().map(|path| directory_of(path)).collect();
        let mut watch = Self { watcher, directories, tally, seen: 0, look_again: false };
        for directory in &watch.directories {
            watch.watcher.watch(directory, RecursiveMode::NonRecursive)?;
        }
        Ok(watch)
    }

    /// Waits until something has changed and the burst is over.
    pub(super) async fn changed(&mut self) {
        let seen = self.seen;
        let change = self.tally.wait_for(|tally| tally.changes != seen);
        if self.look_again {
            // Late or not, it is time to look.
            let _ = timeout(LOOK_AGAIN, change).await;
        } else {
            // It cannot fail: the watcher has the other end.
            let _ = change.await;
        }
        let end = Instant::now() + LONGEST_BURST;
        while Instant::now() < end {
            let events = self.tally.borrow_and_update().events;
            if timeout(QUIET, self.tally.wait_for(|tally| tally.events != events)).await.is_err() {
                break;
            }
        }
        self.seen = self.tally.borrow_and_update().changes;
    }

    /// Watches again directories that have come back; while something is missing, changes are
    /// also looked for from time to time.
    pub(super) fn renew(&mut self, missing: bool) {
        if missing || self.look_again {
            for directory in &self.directories {
                // What is not there yet is found later.
                let _ = self.watcher.watch(directory, RecursiveMode::NonRecursive);
            }
        }
        self.look_again = missing;
    }
}

/// The directory to watch for a path.
fn directory_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happened {
    /// Something that is complete.
    Change,
    /// Something that goes on.
    Activity,
}

/// Reading a file is no change, or our own would be one. Where the system tells that a file has
/// been closed after writing, writing itself is not a change yet: the file may be half written.
fn interpret(kind: &EventKind) -> Option<Happened> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Happened::Change),
        EventKind::Access(_) => None,
        EventKind::Modify(ModifyKind::Data(_)) if cfg!(target_os = "linux") => {
            Some(Happened::Activity)
        }
        _ => Some(Happened::Change),
    }
}
