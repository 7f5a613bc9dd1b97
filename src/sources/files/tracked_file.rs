//! A file of the source: its last version, and the version that is being read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::error::FileError;
use super::identity::FileIdentity;
use super::load_queue::LoadJob;
use super::parsed_file::ParsedFile;

/// A file that takes longer to read than this is reported.
const SLOW_READ: Duration = Duration::from_millis(400);

/// A file of the source.
#[derive(Debug)]
pub(super) struct TrackedFile {
    pub(super) path: PathBuf,
    pub(super) parsed: Option<Arc<ParsedFile>>,
    pub(super) error: Option<FileError>,
    /// The identity of the version that was read; absent if the file has to be read again.
    read: Option<FileIdentity>,
    reading: Option<Reading>,
}

/// The version that is being read.
#[derive(Debug)]
struct Reading {
    job: u64,
    since: Instant,
    identity: FileIdentity,
    is_settled: bool,
    /// The file has changed since the job was created.
    is_outdated: bool,
}

impl TrackedFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, parsed: None, error: None, read: None, reading: None }
    }

    /// Returns `true` if the file is being read.
    pub(super) fn is_pending(&self) -> bool {
        self.reading.is_some()
    }

    /// Returns the identity of the version that is being read, if that takes long.
    pub(super) fn slow_version(&self) -> Option<FileIdentity> {
        let reading = self.reading.as_ref()?;
        (reading.since.elapsed() >= SLOW_READ).then_some(reading.identity)
    }

    /// Returns `true` if the file has to be read again although its identity is unchanged.
    pub(super) fn is_unsettled(&self) -> bool {
        self.reading.is_none() && self.read.is_none()
    }

    /// Returns the job that reads the file, if this identity is that of another version. A file has
    /// at most one job at a time.
    pub(super) fn check(
        &mut self,
        identity: FileIdentity,
        is_forced: bool,
        now: SystemTime,
        last_job: &mut u64,
    ) -> Option<LoadJob> {
        match &mut self.reading {
            Some(reading) => {
                reading.is_outdated |= is_forced || reading.identity != identity;
                None
            }
            None if !is_forced && self.read == Some(identity) => None,
            None => Some(self.start(identity, identity.is_settled(now), last_job)),
        }
    }

    fn start(&mut self, identity: FileIdentity, is_settled: bool, last_job: &mut u64) -> LoadJob {
        *last_job += 1;
        let job = *last_job;
        self.reading =
            Some(Reading { job, since: Instant::now(), identity, is_settled, is_outdated: false });
        let (path, previous) = (self.path.clone(), self.parsed.clone());
        LoadJob { id: job, path, size: identity.size, previous }
    }

    /// Stores the result of a job. Returns `None` if it is not the job of this file, else `true` if
    /// the result differs from the last one, and the next job if the file has changed meanwhile.
    pub(super) fn finish(
        &mut self,
        job: u64,
        result: Result<Arc<ParsedFile>, FileError>,
        last_job: &mut u64,
    ) -> Option<(bool, Option<LoadJob>)> {
        let Reading { identity, is_settled, is_outdated, .. } =
            self.reading.take_if(|reading| reading.job == job)?;
        // A file that could not be opened may be readable later although its metadata are the same.
        let is_final = result.as_ref().map_or_else(FileError::is_of_content, |_| true);
        self.read = (is_final && is_settled && !is_outdated).then_some(identity);
        let is_changed = match result {
            Ok(parsed) => {
                let is_same = self.error.take().is_none() && self.parsed.as_ref() == Some(&parsed);
                self.parsed = Some(parsed);
                !is_same
            }
            Err(error) => {
                self.parsed = None;
                self.error.replace(error).is_none()
            }
        };
        let next = is_outdated.then(|| self.start(identity, false, last_job));
        Some((is_changed, next))
    }
}
