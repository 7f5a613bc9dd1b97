//! The source, and its loop.

use std::collections::BTreeSet;
use std::mem;
use std::path::PathBuf;

use async_trait::async_trait;

use super::error::FileError;
use super::file_set::FileSet;
use super::watch::Watch;
use crate::sources::{Feed, Snapshot, Source, SourceError};

/// Objects from manifests: files, and directories of them.
///
/// A directory is read one level deep: `*.yaml`, `*.yml` and `*.json`, without hidden files. A file
/// that is named is read whatever it is called. Changes are followed by watching the directories,
/// so that editors which replace a file, and a Kubernetes ConfigMap that swaps its `..data` link,
/// are followed too.
///
/// What an API server would do for an object is done here: defaults, validation, a generation that
/// grows with each change of the spec, and a creation time. Objects that are found at the same
/// time are of the same age; `metadata.creationTimestamp` in the manifest says otherwise, and is
/// the way to keep an age over a restart.
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
    /// A source that reads these files and directories.
    pub fn new<P: Into<PathBuf>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect() }
    }

    /// Reads everything once, as it is written: without ages and generations.
    ///
    /// # Errors
    /// [`FileError`] if a path does not exist or cannot be read at all.
    pub fn read(&self) -> Result<Snapshot, FileError> {
        let mut library = FileSet::new(self.paths.clone());
        library.check_paths()?;
        library.reload(&BTreeSet::new());
        Ok(library.snapshot())
    }
}

#[async_trait]
impl Source for FileSource {
    fn name(&self) -> String {
        let paths: Vec<_> = self.paths.iter().map(|path| path.display().to_string()).collect();
        format!("files {}", paths.join(", "))
    }

    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
        let mut library = FileSet::new(self.paths.clone()).with_ages();
        library.check_paths()?;
        let mut watch = Watch::new(self.paths)?;
        let mut is_first = true;
        loop {
            // Watching comes first: a change during the reading is then not missed.
            watch.renew();
            let (read, changed) = reload(library, watch.being_written()).await?;
            library = read;
            // The first snapshot is waited for, though there be nothing in it.
            if changed || mem::take(&mut is_first) {
                feed.publish(library.snapshot());
            }
            watch.changed(library.is_incomplete()).await;
        }
    }
}

/// Reads anew, apart from the thread that must not be held up; whether anything changed.
async fn reload(
    mut library: FileSet,
    being_written: BTreeSet<PathBuf>,
) -> Result<(FileSet, bool), FileError> {
    tokio::task::spawn_blocking(move || {
        let changed = library.reload(&being_written);
        (library, changed)
    })
    .await
    .map_err(FileError::from)
}
