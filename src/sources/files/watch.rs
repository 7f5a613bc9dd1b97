//! Detecting changes of files.
//!
//! Directories are watched, not files: a file that is replaced is another inode, and a watch on the
//! old one would miss it. Every directory on the way to a file is watched, because a symbolic link
//! or a directory there can be replaced too. Operating systems and editors report the same change
//! as different events. Therefore the events are debounced, and all paths are listed again when a
//! burst of events is over.
//!
//! Some file systems send no events: network file systems, FUSE, the lower layer of an overlay. The
//! kernel also limits the number of watches. Therefore the files are polled as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::identity::device_and_inode;
use super::path_trace::PathTrace;
use super::watch_events::EventState;
use super::watch_failures::WatchFailures;

/// A burst of events is over after this time without an event.
const BURST_QUIET_PERIOD: Duration = Duration::from_millis(10);
/// A burst that lasts longer than this is treated as over.
const MAX_BURST: Duration = Duration::from_millis(200);
/// Interval of checks for writes that have lasted too long.
const WRITE_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// A directory that is watched for the first time may have changed before the watch began. The
/// paths are therefore traced again, at most this many times.
const MAX_TRACES: usize = 8;

/// Watch on all paths of a source.
#[derive(Debug)]
pub(super) struct FileWatch {
    paths: Vec<PathBuf>,
    /// Absent before the first [`FileWatch::rearm`], and if the kernel has no instance left.
    watcher: Option<RecommendedWatcher>,
    /// The watched directories, with their device and inode.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    failures: WatchFailures,
    state: watch::Sender<EventState>,
    /// The value of [`EventState::changes`] when [`FileWatch::wait`] last returned.
    seen_changes: u64,
    poll_interval: Option<Duration>,
    poll_at: Option<Instant>,
}

/// Reason to check the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WakeReason {
    /// An event reported a change.
    Change,
    /// The poll interval is over.
    Poll,
}

impl FileWatch {
    /// Creates a watch that is not armed yet. Without an interval, the files are not polled.
    pub(super) fn new(paths: Vec<PathBuf>, poll_interval: Option<Duration>) -> Self {
        Self {
            paths,
            watcher: None,
            watched: BTreeMap::new(),
            failures: WatchFailures::default(),
            state: watch::Sender::new(EventState::default()),
            seen_changes: 0,
            poll_interval,
            poll_at: None,
        }
    }

    /// Returns `true` if changes in some directories send no event, because they are not watched.
    pub(super) fn has_failures(&self) -> bool {
        self.failures != WatchFailures::default()
    }

    /// Returns the real paths of the files that are being written.
    pub(super) fn files_being_written(&self) -> BTreeSet<PathBuf> {
        self.state.borrow().being_written.keys().cloned().collect()
    }

    /// Watches the directories that exist now. It blocks.
    ///
    /// It must be called before the files are listed, so that later changes are noticed, and again
    /// after each change: a directory that has been replaced needs a new watch.
    pub(super) fn rearm(&mut self) {
        let mut failures = WatchFailures::default();
        if self.watcher.is_none() {
            match self.create_watcher() {
                Ok(watcher) => self.watcher = Some(watcher),
                Err(error) => failures.add_instance(&error),
            }
        }
        if self.watcher.is_some() {
            let mut wanted = BTreeSet::new();
            for _ in 0..MAX_TRACES {
                let trace = PathTrace::of(&self.paths);
                let directories = trace.directories();
                let is_known = directories.is_subset(&wanted);
                wanted = directories;
                self.state.send_modify(|state| {
                    state.listed = trace.listed;
                    state.entries = trace.entries;
                });
                failures = WatchFailures::default();
                let is_same = self.watch(&wanted, &mut failures);
                if is_known || is_same {
                    break;
                }
            }
            self.unwatch_others(&wanted);
        }
        failures.log_changes(&self.failures, self.poll_interval);
        self.failures = failures;
        self.poll_at = self.next_poll();
    }

    /// Returns the time of the next poll; `None` if polling is off, or if the interval ends later
    /// than the clock can represent.
    fn next_poll(&self) -> Option<Instant> {
        self.poll_interval.and_then(|interval| Instant::now().checked_add(interval))
    }

    fn create_watcher(&self) -> notify::Result<RecommendedWatcher> {
        let sender = self.state.clone();
        notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            sender.send_if_modified(|state| match event {
                Ok(event) => state.handle_event(&event),
                // Events may be missing.
                Err(_) => state.record_change(),
            });
        })
    }

    /// Watches these directories. Returns `true` if the same ones were watched before, so that no
    /// change in them was missed.
    fn watch(&mut self, directories: &BTreeSet<PathBuf>, failures: &mut WatchFailures) -> bool {
        let Some(watcher) = &mut self.watcher else { return true };
        let mut is_same = true;
        for directory in directories {
            let Ok(metadata) = fs::metadata(directory) else { continue };
            let identity = device_and_inode(&metadata);
            let previous = self.watched.get(directory).copied();
            if previous.is_some_and(|previous| previous != identity) {
                // The watch belongs to the directory that had this name before.
                let _ = watcher.unwatch(directory);
                self.watched.remove(directory);
            }
            is_same &= previous == Some(identity);
            // Repeated for a known directory too: another one may have got the same inode number.
            match watcher.watch(directory, RecursiveMode::NonRecursive) {
                Ok(()) => _ = self.watched.insert(directory.clone(), identity),
                Err(error) => failures.add_directory(directory, &error),
            }
        }
        is_same
    }

    fn unwatch_others(&mut self, wanted: &BTreeSet<PathBuf>) {
        let Some(watcher) = &mut self.watcher else { return };
        self.watched.retain(|directory, _| {
            let is_wanted = wanted.contains(directory);
            if !is_wanted {
                // An error means that the directory does not exist any more.
                let _ = watcher.unwatch(directory);
            }
            is_wanted
        });
    }

    /// Waits until a change is complete and its burst of events is over, or until the poll interval
    /// is over.
    ///
    /// # Cancel safety
    /// Cancel safe: no change is lost.
    pub(super) async fn wait(&mut self) -> WakeReason {
        let mut state = self.state.subscribe();
        let seen_changes = self.seen_changes;
        let is_being_written = !state.borrow().being_written.is_empty();
        let check_at = is_being_written.then(|| Instant::now() + WRITE_CHECK_INTERVAL);
        let wake_at = [self.poll_at, check_at].into_iter().flatten().min();
        tokio::select! {
            // An error is not possible: `self` holds the sender.
            _ = state.wait_for(|state| state.changes != seen_changes) => {}
            // `select!` evaluates the future even if the guard is false.
            () = sleep_until(wake_at.unwrap_or_else(Instant::now)), if wake_at.is_some() => {
                if !is_being_written {
                    self.poll_at = self.next_poll();
                    return WakeReason::Poll;
                }
            }
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
            state.forget_long_writes();
        });
        WakeReason::Change
    }
}
