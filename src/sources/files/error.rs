//! Errors of the file source.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use tokio::task::JoinError;

use crate::model::manifest::DecodeError;

/// Error of a [`FileSource`](crate::sources::FileSource).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refuses to list or read a path.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The target of a symbolic link is missing.
    #[error(
        "cannot read {}: it is a symbolic link to {}, which does not exist; create it or remove the \
         link",
        path.display(),
        target.display()
    )]
    BrokenLink {
        /// The symbolic link.
        path: PathBuf,
        /// The target, as the link contains it.
        target: PathBuf,
    },
    /// A path leads to something that cannot be read twice, such as a pipe or a terminal.
    #[error("cannot read {}: it is neither a regular file nor a directory", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A file is too large to be a manifest.
    #[error("cannot read {}: it is larger than {} MiB; split the file", path.display(), limit >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read, in bytes.
        limit: u64,
    },
    /// A file is not text.
    #[error("cannot read {}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// Error of decoding the bytes.
        source: DecodeError,
    },
    /// The task that reads the files was cancelled or panicked.
    #[error("internal error: the task that reads the files failed")]
    Task(#[from] JoinError),
}

impl FileError {
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Returns `true` if the content of the file is the cause: the error remains until the file
    /// changes.
    pub(super) fn is_of_content(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::Decode { .. })
    }

    /// Returns the error and its source on one line, for a snapshot's problems.
    pub(super) fn problem(&self) -> String {
        match self.source() {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}
