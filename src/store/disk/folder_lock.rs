//! The lock of a data folder.

use std::fs::TryLockError;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::error::OpenError;
use super::pinned_file::PinnedFile;
use super::place::PlaceError;

/// Name of the lock file, which contains the ID of the process.
pub(super) const LOCK: &str = "lock";

/// Lock of a data folder. The kernel releases it when the process ends, also after a crash.
#[derive(Debug)]
pub(super) struct FolderLock {
    path: PathBuf,
    /// The lock ends when the file is closed.
    file: PinnedFile,
    existed: bool,
}

impl FolderLock {
    /// Locks a folder.
    ///
    /// # Errors
    /// Returns an error if another process uses the folder.
    pub(super) fn acquire(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(LOCK);
        let existed = path.exists();
        let (mut writable, file) = PinnedFile::open_or_create(&path)
            .map_err(|source| OpenError::of_file(&path, source))?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let read = file.file().read_to_string(&mut text);
                let pid = read.ok().and_then(|_| text.trim().parse().ok());
                return Err(OpenError::InUse { folder: folder.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => {
                return Err(OpenError::Folder { operation: "lock", path, source });
            }
        }
        // The ID is only for the error message of another process, so a full disk is not an error.
        _ = writable.set_len(0).and_then(|()| writeln!(writable, "{}", std::process::id()));
        Ok(Self { path, file, existed })
    }

    /// Returns `true` if the file was in the folder: a process has used the folder before.
    pub(super) fn existed(&self) -> bool {
        self.existed
    }

    /// Checks that the folder is still the one that is locked: it may have been removed or
    /// replaced, or its file system is no longer mounted.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.file.is_at(&self.path)? {
            Some(true) => Ok(()),
            Some(false) => Err(PlaceError::FolderReplaced.into()),
            None => Err(PlaceError::FolderMissing.into()),
        }
    }
}
