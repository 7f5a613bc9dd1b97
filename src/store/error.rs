//! Errors of reads and writes.

use std::sync::Arc;

use super::disk::{DiskError, PlaceError};
use super::key::Key;
use super::revision::{InvalidRevision, Revision};

/// Reason why a write changed nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The object does not exist.
    #[error("{0} not found")]
    NotFound(Key),
    /// An object of the name exists.
    #[error("{key} already exists{}", if *is_being_deleted { " and is being deleted" } else { "" })]
    AlreadyExists {
        /// Key of the object.
        key: Key,
        /// `true` if the object waits for finalizers.
        is_being_deleted: bool,
    },
    /// A precondition does not hold: the object was changed, or replaced by another one.
    #[error("{key}: {conflict}")]
    Conflict {
        /// Key of the object.
        key: Key,
        /// The precondition.
        conflict: Conflict,
    },
    /// The namespace of a new object does not exist.
    #[error("namespace {0:?} not found; create it first")]
    NamespaceNotFound(String),
    /// The namespace of a new object is being deleted.
    #[error("namespace {0:?} is being deleted, so no object can be created in it")]
    NamespaceTerminating(String),
    /// The namespace cannot be deleted.
    #[error("namespace {0:?} cannot be deleted, because it always exists")]
    NamespaceProtected(String),
    /// A field of the object's metadata is invalid.
    #[error("{field}: {reason}")]
    Invalid {
        /// Path of the field.
        field: &'static str,
        /// Expected value.
        reason: String,
    },
    /// The object is larger than the limit of an object.
    #[error("the object has {len} bytes of JSON; the limit is {limit}")]
    TooLarge {
        /// Bytes of the object.
        len: usize,
        /// Limit in bytes.
        limit: usize,
    },
    /// All objects together would be larger than the limit of the store.
    #[error(
        "all objects have {len} bytes; the limit is {limit}. Delete objects that are not needed"
    )]
    LimitReached {
        /// Bytes of all objects with this write.
        len: u64,
        /// Limit in bytes.
        limit: u64,
    },
    /// The file system is full. A deletion may be refused too: the file is copy-on-write.
    #[error("the file system of the data folder is full; free space on it")]
    StorageFull(#[source] Arc<DiskError>),
    /// The data folder cannot be written. The store retries with exponential backoff.
    #[error("the data folder cannot be written; the store retries, and the log contains the cause")]
    StorageUnavailable(#[source] Arc<DiskError>),
    /// The data folder or the file in it was removed, moved or replaced. The store does not recover
    /// from it by itself.
    #[error("writes are refused: {0}")]
    StorageMisplaced(PlaceError),
    /// An internal error of the store interrupted the write, which may have succeeded. The store
    /// continues.
    #[error(
        "an internal error of the store interrupted the write, and its outcome is unknown; read \
         the object, and repeat the write if it had no effect"
    )]
    Interrupted,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl WriteError {
    pub(super) fn of_disk(error: &Arc<DiskError>) -> Self {
        match error.place() {
            Some(place) => Self::StorageMisplaced(place),
            None if error.is_full() => Self::StorageFull(error.clone()),
            None => Self::StorageUnavailable(error.clone()),
        }
    }

    pub(super) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }
}

/// Precondition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The object was changed.
    #[error("resourceVersion is {found}, not {expected}; read the object again")]
    Revision {
        /// Revision that the writer expects.
        expected: Revision,
        /// Revision of the object.
        found: Revision,
    },
    /// The object was deleted and created again.
    #[error("uid is {found}, not {expected}; read the object again")]
    Uid {
        /// UID that the writer expects.
        expected: String,
        /// UID of the object.
        found: String,
    },
}

/// Reason why a read has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The history no longer reaches back to the revision.
    #[error("resourceVersion {requested} is too old; the oldest is {oldest}. List again")]
    Gone {
        /// Revision of the request.
        requested: Revision,
        /// Oldest revision that can be read.
        oldest: Revision,
    },
    /// The store has not reached the revision.
    #[error("resourceVersion {requested} is too large; the newest is {newest}")]
    TooNew {
        /// Revision of the request.
        requested: Revision,
        /// Newest revision of the store.
        newest: Revision,
    },
}

impl From<InvalidRevision> for WriteError {
    fn from(error: InvalidRevision) -> Self {
        Self::invalid("metadata.resourceVersion", error.to_string())
    }
}
