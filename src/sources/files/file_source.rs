//! The file source.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::time::Instant;

use super::error::FileError;
use super::file_loop::FileLoop;
use super::file_set::FileSet;
use super::listing::Listing;
use super::load_queue::LoadJob;
use super::reload_handle::ReloadHandle;
use super::watch::FileWatch;
use crate::sources::{Feed, Snapshot, Source, SourceError};

/// The default of [`FileSource::poll_interval`].
const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Source of objects from manifests: files, and directories of files.
///
/// A directory is read without its subdirectories: the files `*.yaml`, `*.yml` and `*.json` that
/// are not hidden. A path to a file is read whatever its name is. The source watches every
/// directory and symbolic link on the way to a file. Therefore it also notices an editor that
/// replaces a file, a Kubernetes ConfigMap volume that swaps its `..data` symbolic link, and a
/// release that replaces the link `current` in `current/routes`. File systems that send no events
/// are [polled](Self::poll_interval).
///
/// Files are read independently of each other: a change of one file takes effect even if another
/// one takes long to read.
///
/// The source does what an API server would do with the objects: it sets defaults, validates,
/// counts `metadata.generation` up when the spec changes, and sets `metadata.creationTimestamp` to
/// the time at which it first read the object. Objects that are read at the same time have the same
/// age. To keep the age of an object over a restart, set `metadata.creationTimestamp` in its
/// manifest.
///
/// ```no_run
/// use sluicegate::Server;
/// use sluicegate::sources::FileSource;
///
/// # async fn example() -> Result<(), sluicegate::StartError> {
/// let gateway = Server::builder().source(FileSource::new(["manifests/"])).start().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FileSource {
    paths: Vec<PathBuf>,
    poll_interval: Option<Duration>,
    reload: ReloadHandle,
}

impl FileSource {
    /// Creates a source that reads these files and directories.
    pub fn new<P: Into<PathBuf>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self {
            paths: paths.into_iter().map(Into::into).collect(),
            poll_interval: Some(DEFAULT_POLL_INTERVAL),
            reload: ReloadHandle::new(),
        }
    }

    /// Sets the interval at which the source polls the metadata of all files, and reads those that
    /// changed. Default: 5 seconds. `None` turns polling off.
    ///
    /// Local changes are noticed by events, without polling. Polling is for file systems that send
    /// no events, such as NFS and FUSE, and for directories that cannot be watched.
    #[must_use]
    pub fn poll_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.poll_interval = interval.into().filter(|interval| !interval.is_zero());
        self
    }

    /// Returns a handle that makes this source and its clones read all files again.
    pub fn reload_handle(&self) -> ReloadHandle {
        self.reload.clone()
    }

    /// Reads all objects once, without setting creation timestamps and generations.
    ///
    /// # Errors
    /// Returns [`FileError`] if a path does not exist or cannot be read. An error in a single file
    /// of a directory is a problem of the snapshot instead.
    pub fn read(&self) -> Result<Snapshot, FileError> {
        let now = SystemTime::now();
        let mut listing = Listing::of(&self.paths);
        listing.check_paths(&self.paths)?;
        let mut files = FileSet::default();
        let jobs = files.update(listing, &BTreeSet::new(), true, now);
        files.finish(jobs.into_iter().map(LoadJob::run).collect());
        files.resolve(Instant::now());
        Ok(files.snapshot())
    }
}

#[async_trait]
impl Source for FileSource {
    fn name(&self) -> String {
        let paths: Vec<_> = self.paths.iter().map(|path| path.display().to_string()).collect();
        format!("files {}", paths.join(", "))
    }

    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
        let watch = FileWatch::new(self.paths.clone(), self.poll_interval);
        let files = FileLoop::new(self.paths.clone(), self.reload.requests(), feed);
        // `self` keeps the sender of requests for as long as the source runs.
        Ok(files.run(watch).await?)
    }
}
