//! Errors of the disk, and the times of the next attempts.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::backoff::Backoff;
use super::disk::DiskError;

/// Errors since the last write that succeeded.
#[derive(Debug)]
pub(super) struct Outage {
    path: PathBuf,
    backoff: Backoff,
    failure: Option<Failure>,
    /// Kind of the error that was logged last, until a write succeeds.
    logged: Option<io::ErrorKind>,
}

/// Error because of which the file is closed.
#[derive(Debug)]
struct Failure {
    error: Arc<DiskError>,
    retry_at: Instant,
}

impl Outage {
    /// Creates an outage that has not begun, of the file at `path`.
    pub(super) fn new(path: PathBuf, backoff: Backoff) -> Self {
        Self { path, backoff, failure: None, logged: None }
    }

    /// Returns the error because of which the file is closed.
    pub(super) fn error(&self) -> Option<&Arc<DiskError>> {
        self.failure.as_ref().map(|failure| &failure.error)
    }

    /// Returns `true` if the file is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.failure.is_some()
    }

    /// Returns the time of the next attempt to open the file, if it is closed.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.failure.as_ref().map(|failure| failure.retry_at)
    }

    /// Records an error, and logs it unless the last attempt has failed in the same way.
    pub(super) fn record(&mut self, error: DiskError) -> Arc<DiskError> {
        let delay = self.backoff.next_delay();
        let path = self.path.display();
        let is_known = self.logged.replace(error.kind()) == Some(error.kind());
        let source = &error as &dyn std::error::Error;
        if is_known {
            tracing::debug!(%path, error = source, retry_in = ?delay, "the store still cannot write its file");
        } else if error.place().is_some() {
            tracing::error!(%path, error = source, "the store cannot write its file, because its place has changed; writes are refused until the old folder and file are back at the path, or until a restart");
        } else {
            tracing::error!(%path, error = source, "the store cannot write its file; writes are refused until it can. It retries with exponential backoff");
        }
        let error = Arc::new(error);
        self.failure = Some(Failure { error: error.clone(), retry_at: Instant::now() + delay });
        error
    }

    /// Records that the file is open again. The next write shows if it can be written.
    pub(super) fn reopened(&mut self) {
        self.failure = None;
    }

    /// Records that a write has succeeded.
    pub(super) fn end(&mut self) {
        self.backoff.reset();
        if self.logged.take().is_some() {
            let path = self.path.display();
            tracing::info!(%path, "the store can write its file again");
        }
    }
}
