//! The operations that the source retries until they succeed.

use std::fmt;

use super::scope::Scope;
use crate::model::ObjectKind;

/// An operation on the API server that is retried until it succeeds.
///
/// Its text completes "cannot …" and "can … again".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// Finding the kinds that the API server serves.
    Discover,
    /// Listing and watching objects.
    Watch(Scope),
    /// Writing objects of a kind.
    Write(WriteKind, ObjectKind),
}

/// The change that a write makes to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WriteKind {
    Status,
    Finalizers,
    Claim,
    Create,
    Update,
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discover => f.write_str("discover the kinds that the API server serves"),
            Self::Watch(scope) => write!(f, "watch {scope}"),
            Self::Write(write, kind) => match write {
                WriteKind::Status => write!(f, "write the status of {kind} objects"),
                WriteKind::Finalizers => write!(f, "set finalizers of {kind} objects"),
                WriteKind::Claim => write!(f, "claim {kind} objects"),
                WriteKind::Create => write!(f, "create {kind} objects"),
                WriteKind::Update => write!(f, "update {kind} objects"),
                WriteKind::Delete => write!(f, "delete {kind} objects"),
            },
        }
    }
}
