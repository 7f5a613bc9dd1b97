//! The loop of the file source.

use std::mem;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::error::FileError;
use super::file_set::FileSet;
use super::listing::Listing;
use super::load_queue::{LoadQueue, Loaded};
use super::read_log::ReadLog;
use super::watch::{FileWatch, WakeReason};
use crate::sources::Feed;

/// Files that change together are published together, unless some take longer to read than this.
const READ_GRACE: Duration = Duration::from_millis(500);
/// The first snapshot, with which the gateway starts, waits this long for all files.
const FIRST_READ_LIMIT: Duration = Duration::from_secs(30);

/// The state of a running source.
pub(super) struct FileLoop {
    paths: Vec<PathBuf>,
    feed: Feed,
    /// Requests to read all files again.
    requests: watch::Receiver<u64>,
    files: FileSet,
    queue: LoadQueue,
    /// Time at which changes are published even if files are still being read, or at which an
    /// object is removed.
    publish_at: Option<Instant>,
    is_published: bool,
    log: ReadLog,
}

impl FileLoop {
    pub(super) fn new(paths: Vec<PathBuf>, requests: watch::Receiver<u64>, feed: Feed) -> Self {
        Self {
            paths,
            feed,
            requests,
            files: FileSet::default().with_server_metadata(),
            queue: LoadQueue::default(),
            publish_at: Some(Instant::now() + FIRST_READ_LIMIT),
            is_published: false,
            log: ReadLog::default(),
        }
    }

    /// Reads the files and follows their changes.
    ///
    /// # Errors
    /// Returns [`FileError`] if reading panics, or if a path cannot be listed at the start: a
    /// misspelt path is not treated like an empty directory.
    pub(super) async fn run(mut self, watch: FileWatch) -> Result<(), FileError> {
        let mut watch = self.check_files(watch, false).await?;
        loop {
            tokio::select! {
                // The source holds the sender, so the channel is open.
                _ = self.requests.changed() => {
                    self.log.request(&self.files);
                    watch = self.check_files(watch, true).await?;
                }
                loaded = self.queue.next(), if !self.queue.is_empty() => self.finish(loaded?),
                // `select!` evaluates the future even if the guard is false.
                () = sleep_until(self.publish_at.unwrap_or_else(Instant::now)),
                    if self.publish_at.is_some() => self.publish(),
                reason = watch.wait() => watch = match reason {
                    WakeReason::Change => self.check_files(watch, false).await?,
                    WakeReason::Poll => self.poll(watch).await?,
                },
            }
        }
    }

    /// Checks the files if the listing shows a change, or if some directories are not watched.
    async fn poll(&mut self, watch: FileWatch) -> Result<FileWatch, FileError> {
        if !watch.has_failures() {
            let paths = self.paths.clone();
            let listing = spawn_blocking(move || Listing::of(&paths)).await?;
            if self.files.is_current(&listing) {
                return Ok(watch);
            }
        }
        self.check_files(watch, false).await
    }

    /// Lists the files, and starts to read those that changed, or all of them if `is_forced`.
    async fn check_files(
        &mut self,
        mut watch: FileWatch,
        is_forced: bool,
    ) -> Result<FileWatch, FileError> {
        let now = SystemTime::now();
        let paths = self.paths.clone();
        let list = move || {
            // The watch is armed before the files are listed, so that no change is missed.
            watch.rearm();
            (watch, Listing::of(&paths))
        };
        let (watch, mut listing) = spawn_blocking(list).await?;
        if !self.is_published {
            listing.check_paths(&self.paths)?;
        }
        let jobs = self.files.update(listing, &watch.files_being_written(), is_forced, now);
        self.queue.push(jobs);
        if self.queue.has_fresh() {
            self.publish_within(READ_GRACE);
        } else if self.files.is_stale() || is_forced || !self.is_published {
            self.publish();
        }
        Ok(watch)
    }

    /// Stores files that have been read. Publishes the changes if no other file delays them.
    fn finish(&mut self, loaded: Vec<Loaded>) {
        let was_waiting = loaded.iter().any(|loaded| !loaded.is_late);
        let jobs = self.files.finish(loaded);
        self.queue.push_late(jobs);
        if self.queue.is_empty() || was_waiting && !self.queue.has_fresh() {
            self.publish();
        } else {
            self.publish_within(READ_GRACE);
        }
    }

    /// Publishes the changes at the end of this time, if not earlier. The first snapshot waits for
    /// all files.
    fn publish_within(&mut self, grace: Duration) {
        if !self.is_published {
            return;
        }
        let end = Instant::now() + grace;
        self.publish_at = Some(self.publish_at.map_or(end, |earlier| earlier.min(end)));
    }

    /// Publishes the changes of the files that have been read. Later changes do not wait for the
    /// files that are still being read.
    fn publish(&mut self) {
        self.queue.mark_late();
        let changes = self.files.resolve(Instant::now());
        self.publish_at = self.files.next_removal();
        let is_first = !mem::replace(&mut self.is_published, true);
        // The gateway waits for a first snapshot, even for an empty one.
        if changes.is_changed || is_first {
            self.feed.publish(self.files.snapshot());
        }
        self.log.log_changes(&self.files, changes);
    }
}
