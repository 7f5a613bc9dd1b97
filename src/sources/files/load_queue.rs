//! Reading and parsing files on threads for blocking work.
//!
//! Files are read independently of each other: a file that is large, or on a slow device, does not
//! delay the others. Large files have threads of their own, because they would occupy all threads
//! of the small ones.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::task::{JoinError, JoinSet};

use super::error::FileError;
use super::parsed_file::ParsedFile;
use super::read_text::{check_size, read_text};

/// A larger file is read on a thread of its own.
const MAX_SMALL_FILE: u64 = 256 * 1024;
/// Maximum number of large files that are read at the same time.
const MAX_LARGE_THREADS: usize = 4;
/// Maximum number of threads for small files.
const MAX_SMALL_THREADS: usize = 4;
/// Maximum number of small files in a batch, which one thread reads.
const MAX_BATCH: usize = 32;

/// A file that is to be read and parsed.
#[derive(Debug)]
pub(super) struct LoadJob {
    /// Number of the job; later jobs have larger ones.
    pub(super) id: u64,
    pub(super) path: PathBuf,
    pub(super) size: u64,
    /// The earlier version, whose documents are used again.
    pub(super) previous: Option<Arc<ParsedFile>>,
}

/// Result of a [`LoadJob`].
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) id: u64,
    pub(super) path: PathBuf,
    pub(super) result: Result<Arc<ParsedFile>, FileError>,
    /// `true` if changes of other files did not wait for the job.
    pub(super) is_late: bool,
}

impl LoadJob {
    /// Reads and parses the file. It blocks.
    pub(super) fn run(self) -> Loaded {
        let Self { id, path, size, previous } = self;
        let text = check_size(&path, size).and_then(|()| read_text(&path));
        let result = text.map(|text| ParsedFile::parse(&path, text, previous.as_ref()));
        Loaded { id, path, result, is_late: false }
    }
}

/// Jobs that wait or run.
#[derive(Debug, Default)]
pub(super) struct LoadQueue {
    small: Lane,
    large: Lane,
    running: JoinSet<(Size, Vec<Loaded>)>,
    /// All jobs in the queue, and `true` for those that are late.
    jobs: HashMap<u64, bool>,
    /// Number of jobs that are not late.
    fresh: usize,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<LoadJob>,
    threads: usize,
}

#[derive(Debug, Clone, Copy)]
enum Size {
    Small,
    Large,
}

impl LoadQueue {
    /// Adds jobs and starts as many as there are threads.
    pub(super) fn push(&mut self, jobs: impl IntoIterator<Item = LoadJob>) {
        self.add(jobs, false);
    }

    /// Adds jobs that are late from the beginning.
    pub(super) fn push_late(&mut self, jobs: impl IntoIterator<Item = LoadJob>) {
        self.add(jobs, true);
    }

    fn add(&mut self, jobs: impl IntoIterator<Item = LoadJob>, is_late: bool) {
        for job in jobs {
            self.jobs.insert(job.id, is_late);
            self.fresh += usize::from(!is_late);
            let lane = if job.size > MAX_SMALL_FILE { &mut self.large } else { &mut self.small };
            lane.waiting.push_back(job);
        }
        self.start();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Marks all jobs as late: changes of other files no longer wait for them.
    pub(super) fn mark_late(&mut self) {
        self.jobs.values_mut().for_each(|is_late| *is_late = true);
        self.fresh = 0;
    }

    /// Returns `true` if the queue contains jobs that are not late.
    pub(super) fn has_fresh(&self) -> bool {
        self.fresh > 0
    }

    /// Waits for the next results.
    ///
    /// # Errors
    /// Returns [`JoinError`] if a job panicked.
    ///
    /// # Cancel safety
    /// Cancel safe: no result is lost.
    pub(super) async fn next(&mut self) -> Result<Vec<Loaded>, JoinError> {
        let Some(finished) = self.running.join_next().await else { return Ok(Vec::new()) };
        let (size, mut loaded) = finished?;
        match size {
            Size::Small => self.small.threads -= 1,
            Size::Large => self.large.threads -= 1,
        }
        for loaded in &mut loaded {
            loaded.is_late = self.jobs.remove(&loaded.id).unwrap_or(true);
            self.fresh -= usize::from(!loaded.is_late);
        }
        self.start();
        Ok(loaded)
    }

    fn start(&mut self) {
        let small_threads =
            available_parallelism().map_or(1, NonZeroUsize::get).min(MAX_SMALL_THREADS);
        while self.small.threads < small_threads && !self.small.waiting.is_empty() {
            let batch = self.small.waiting.len().div_ceil(small_threads).min(MAX_BATCH);
            self.small.threads += 1;
            let jobs = self.small.waiting.drain(..batch).collect();
            self.spawn(Size::Small, jobs);
        }
        while self.large.threads < MAX_LARGE_THREADS
            && let Some(job) = self.large.waiting.pop_front()
        {
            self.large.threads += 1;
            self.spawn(Size::Large, vec![job]);
        }
    }

    fn spawn(&mut self, size: Size, jobs: Vec<LoadJob>) {
        self.running.spawn_blocking(move || (size, jobs.into_iter().map(LoadJob::run).collect()));
    }
}
