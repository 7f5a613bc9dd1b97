//! Errors of the data folder and of the file in it.

use std::error::Error;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::place::PlaceError;

/// Error of the file of a store.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} the file of the store")]
pub struct DiskError {
    operation: &'static str,
    kind: io::ErrorKind,
    place: Option<PlaceError>,
    source: Box<dyn Error + Send + Sync>,
}

impl DiskError {
    pub(super) fn new(operation: &'static str, error: impl Into<redb::Error>) -> Self {
        let error = error.into();
        let kind = match &error {
            redb::Error::Io(error) => error.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        Self { operation, kind, place: None, source: Box::new(error) }
    }

    pub(super) fn of_io(operation: &'static str, error: io::Error) -> Self {
        let place = error.get_ref().and_then(|error| error.downcast_ref()).copied();
        Self { operation, kind: error.kind(), place, source: Box::new(error) }
    }

    /// Creates the error of a thread that panicked while it used the file.
    pub(in crate::store) fn panicked() -> Self {
        let cause = "internal error: the thread of the store panicked; the log above has the cause";
        Self::of_io("write", io::Error::other(cause))
    }

    /// Returns `true` if the file system is full, or the quota of the user is used up.
    pub fn is_full(&self) -> bool {
        matches!(self.kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }

    /// Returns the change of the folder or file, if this is the cause.
    pub fn place(&self) -> Option<PlaceError> {
        self.place
    }

    /// Returns the kind of the cause, by which an error that repeats is recognized.
    pub(in crate::store) fn kind(&self) -> io::ErrorKind {
        self.kind
    }
}

/// Reason why a store was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The data folder cannot be used.
    #[error("cannot {operation} {}", path.display())]
    Folder {
        /// Operation that failed.
        operation: &'static str,
        /// Path of the folder or file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The user of the process has no access to a file.
    #[error("this process, of the user with ID {user}, may not read and write {}{}; change the owner or the mode of the data folder and its files, or run the program as their owner", path.display(), owner_text(*owner, *user))]
    Denied {
        /// Path of the file.
        path: PathBuf,
        /// Owner of the file, if it is known.
        owner: Option<u32>,
        /// User of the process.
        user: u32,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Another process uses the data folder.
    #[error("data folder {} is in use by {}; one process can use it at a time. Stop that process or choose another folder", folder.display(), process(*pid))]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// ID of the other process, if it is known.
        pid: Option<u32>,
    },
    /// The file has a format that this version does not know. It was not changed.
    #[error("{} has a format that this version does not know; the file was not changed. Use the version of sluicegate that wrote it", path.display())]
    UnknownFormat {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("{} is damaged; restore the data folder from a backup", path.display())]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// The damage.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file cannot be read.
    #[error("cannot open {}", path.display())]
    Disk {
        /// Path of the file.
        path: PathBuf,
        /// The error.
        source: DiskError,
    },
    /// The thread that writes cannot be started.
    #[error("cannot start the thread of the store")]
    Thread(#[source] io::Error),
}

impl OpenError {
    /// Creates the error of a file that cannot be opened.
    pub(super) fn of_file(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if source.kind() != io::ErrorKind::PermissionDenied {
            return Self::Folder { operation: "open", path, source };
        }
        let owner = fs::metadata(&path).ok().map(|metadata| metadata.uid());
        Self::Denied { path, owner, user: geteuid().as_raw(), source }
    }
}

/// Returns the text about the owner of a file to which `user` has no access. It is empty if the
/// owner is the user, whom the mode of the file excludes, or is not known.
pub(crate) fn owner_text(owner: Option<u32>, user: u32) -> String {
    match owner.filter(|owner| *owner != user) {
        Some(owner) => format!(", which belongs to the user with ID {owner}"),
        None => String::new(),
    }
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_file_is_reported_with_another_owner() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let denied = |path| OpenError::of_file(path, io::ErrorKind::PermissionDenied.into());
        let mut error = denied(file.path());
        let path = file.path().display();
        let expected = format!("may not read and write {path}; change the owner or the mode");
        assert!(error.to_string().contains(&expected), "{error}");
        let OpenError::Denied { owner, user, .. } = &mut error else { panic!("{error}") };
        assert_eq!((*owner, *user), (Some(geteuid().as_raw()), geteuid().as_raw()));
        *user += 1;
        let owner = owner.unwrap();
        let expected = format!("{path}, which belongs to the user with ID {owner}; change");
        assert!(error.to_string().contains(&expected), "{error}");
        let error = denied(Path::new("/missing/lock")).to_string();
        assert!(error.contains("may not read and write /missing/lock; change"), "{error}");
    }
}
