//! A file source without a gateway: its snapshots as sets of names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sluicegate::sources::{Feed, FileSource, Snapshot, Snapshots, Source};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::support::WAIT_TIMEOUT;

/// A running source, and its newest snapshot.
pub(crate) struct Followed {
    snapshots: Snapshots,
    pub(crate) latest: Arc<Snapshot>,
    source: JoinHandle<()>,
    /// Time to wait for the next snapshot.
    pub(crate) timeout: Duration,
}

impl Followed {
    /// Runs a source that reads only after events.
    pub(crate) async fn start(path: impl Into<PathBuf>) -> Self {
        Self::run(FileSource::new([path.into()]).poll_interval(None)).await
    }

    pub(crate) async fn run(source: FileSource) -> Self {
        let (feed, receiver) = Feed::channel();
        let (snapshots, _) = receiver.into_parts();
        let source = tokio::spawn(async move {
            let error = Box::new(source).run(feed).await;
            panic!("the source ended: {error:?}");
        });
        let mut followed =
            Self { snapshots, latest: Arc::default(), source, timeout: WAIT_TIMEOUT };
        followed.next().await;
        followed
    }

    pub(crate) async fn next(&mut self) {
        self.latest = timeout(self.timeout, self.snapshots.next())
            .await
            .unwrap_or_else(|_| panic!("no further snapshot, last {:?}", self.latest))
            .expect("the source runs");
    }

    /// Returns the names of the Namespaces.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.latest.resources.namespaces.keys().map(ToString::to_string).collect()
    }

    /// Waits until the snapshot contains exactly these Namespaces.
    pub(crate) async fn expect(&mut self, names: &[&str]) {
        let names: BTreeSet<_> = names.iter().map(ToString::to_string).collect();
        while self.names() != names {
            self.next().await;
        }
    }

    /// Waits until a Namespace has this value of the label `version`.
    pub(crate) async fn expect_version(&mut self, value: &str) {
        let has_version = |snapshot: &Snapshot| {
            let mut namespaces = snapshot.resources.namespaces.values();
            namespaces.any(|namespace| {
                namespace.metadata.labels.get("version").is_some_and(|version| version == value)
            })
        };
        while !has_version(&self.latest) {
            self.next().await;
        }
    }

    /// Waits until a problem contains `text`.
    pub(crate) async fn expect_problem(&mut self, text: &str) {
        while !self.latest.problems.iter().any(|problem| problem.contains(text)) {
            self.next().await;
        }
    }

    /// Returns the newest snapshot after `duration` without another one.
    pub(crate) async fn settle(&mut self, duration: Duration) -> &Snapshot {
        while let Ok(Some(snapshot)) = timeout(duration, self.snapshots.next()).await {
            self.latest = snapshot;
        }
        sleep(Duration::ZERO).await;
        &self.latest
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.source.abort();
    }
}

/// Returns a directory with its real path.
pub(crate) fn root() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let root = fs::canonicalize(directory.path()).unwrap();
    (directory, root)
}

pub(crate) fn namespace(name: &str) -> String {
    format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
}

/// Writes a manifest with one Namespace, and the directories of the path.
pub(crate) fn write(path: impl AsRef<Path>, name: &str) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, namespace(name)).unwrap();
}

/// Replaces a link, or creates it.
pub(crate) fn link(target: impl AsRef<Path>, path: impl AsRef<Path>) {
    let path = path.as_ref();
    let new = path.with_file_name(".new-link");
    let _ = fs::remove_file(&new);
    std::os::unix::fs::symlink(target, &new).unwrap();
    fs::rename(new, path).unwrap();
}
