//! Settings of a store.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use super::history::HistoryLimits;
use crate::model::Timestamp;

/// Settings of a store.
#[derive(Clone)]
pub struct Settings {
    pub(super) max_object_bytes: usize,
    pub(super) max_bytes: u64,
    pub(super) history: HistoryLimits,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) reopen_backoff: (Duration, Duration),
    pub(super) close_timeout: Duration,
    pub(super) is_used_folder: bool,
}

pub(super) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
pub(super) type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

impl Settings {
    /// Creates the default settings.
    pub fn new() -> Self {
        Self {
            max_object_bytes: 3 << 19,
            max_bytes: 256 << 20,
            history: HistoryLimits { changes: 16_384, bytes: 32 << 20 },
            clock: Arc::new(Timestamp::now),
            // The keys of a `RandomState` come from the operating system.
            random: Arc::new(|| RandomState::new().build_hasher().finish()),
            reopen_backoff: (Duration::from_millis(100), Duration::from_secs(10)),
            close_timeout: Duration::from_secs(10),
            is_used_folder: false,
        }
    }

    /// Limits the JSON text of an object; 1.5 MiB by default, as in etcd.
    #[must_use]
    pub fn with_max_object_bytes(self, bytes: usize) -> Self {
        Self { max_object_bytes: bytes, ..self }
    }

    /// Limits all objects together; 256 MiB by default. An object counts with its JSON text and 512
    /// bytes.
    #[must_use]
    pub fn with_max_bytes(self, bytes: u64) -> Self {
        Self { max_bytes: bytes, ..self }
    }

    /// Limits the changes that are kept for watches, continued lists and lists at an older
    /// revision, by number and by bytes; 16,384 and 32 MiB by default. A change counts with the
    /// object before it and after it.
    #[must_use]
    pub fn with_history(self, changes: usize, bytes: usize) -> Self {
        Self { history: HistoryLimits { changes, bytes }, ..self }
    }

    /// Sets the clock of timestamps and epochs; that of the operating system by default.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Sets the source of random numbers for UIDs and generated names; that of the operating system
    /// by default.
    #[must_use]
    pub fn with_random(self, random: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// Sets the first and the longest delay before the store opens its file again after an I/O
    /// error; 100 ms and 10 s by default. The delay doubles each time.
    #[must_use]
    pub fn with_reopen_backoff(self, first: Duration, longest: Duration) -> Self {
        Self { reopen_backoff: (first, longest), ..self }
    }

    /// Limits the time for which [`Store::close`](super::Store::close) and the drop of the last
    /// handle wait for a disk that hangs; 10 s by default.
    #[must_use]
    pub fn with_close_timeout(self, timeout: Duration) -> Self {
        Self { close_timeout: timeout, ..self }
    }

    /// Sets `true` if a store was in the folder before, as other files of its owner show. The store
    /// then logs a warning if the folder or the file of the objects does not exist. By itself it
    /// recognizes only a folder from which the file was removed.
    #[must_use]
    pub fn with_used_folder(self, is_used: bool) -> Self {
        Self { is_used_folder: is_used, ..self }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("max_object_bytes", &self.max_object_bytes)
            .field("max_bytes", &self.max_bytes)
            .field("history", &self.history)
            .field("reopen_backoff", &self.reopen_backoff)
            .field("close_timeout", &self.close_timeout)
            .field("is_used_folder", &self.is_used_folder)
            .finish_non_exhaustive()
    }
}
