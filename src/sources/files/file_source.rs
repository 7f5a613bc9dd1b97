//! The file source and its loop.

use std::collections::BTreeSet;
use std::mem;
use std::path::PathBuf;

use async_trait::async_trait;

use super::error::FileError;
use super::file_set::FileSet;
use super::watch::FileWatch;
use crate::sources::{Feed, Snapshot, Source, SourceError};

/// Source of objects from manifests: files, and directories of files.
///
/// A directory is read without its subdirectories: the files `*.yaml`, `*.yml` and `*.json` that
/// are not hidden. A path to a file is read whatever its name is. The source watches the
/// directories, not the files. Therefore it also notices an editor that replaces a file, and a
/// Kubernetes ConfigMap volume that swaps its `..data` symbolic link.
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
}

impl FileSource {
    /// Creates a source that reads these files and directories.
    pub fn new<P: Into<PathBuf>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect() }
    }

    /// Reads all objects once, without setting creation timestamps and generations.
    ///
    /// # Errors
    /// [`FileError`] if a path does not exist or cannot be read. An error in a single file of a
    /// directory is a problem of the snapshot instead.
    pub fn read(&self) -> Result<Snapshot, FileError> {
        let mut files = FileSet::new(self.paths.clone());
        files.check_paths()?;
        files.reload(&BTreeSet::new());
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
        let mut files = FileSet::new(self.paths.clone()).with_server_metadata();
        files.check_paths()?;
        let mut watch = FileWatch::new(self.paths)?;
        let mut is_first = true;
        loop {
            // The watch is armed before the files are read, so that no change is missed.
            watch.rearm();
            let (reloaded, is_changed) = reload(files, watch.files_being_written()).await?;
            files = reloaded;
            // The gateway waits for a first snapshot, even for an empty one.
            if is_changed || mem::take(&mut is_first) {
                feed.publish(files.snapshot());
            }
            watch.wait_for_change(files.is_incomplete()).await;
        }
    }
}

/// Reloads the files on a thread for blocking work. Returns the files and `true` if anything
/// changed.
async fn reload(
    mut files: FileSet,
    being_written: BTreeSet<PathBuf>,
) -> Result<(FileSet, bool), FileError> {
    tokio::task::spawn_blocking(move || {
        let is_changed = files.reload(&being_written);
        (files, is_changed)
    })
    .await
    .map_err(FileError::from)
}
