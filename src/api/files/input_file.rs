//! Reading of configuration files and secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;

use crate::store::owner_text;

/// Permissions that only the owner may have on a secret. Reading by the group is not among them: a
/// service manager or Kubernetes gives a file to a service by its group.
const EXPOSED: u32 = 0o037;

/// File to read.
#[derive(Debug, Clone)]
pub(in crate::api) struct InputFile {
    path: PathBuf,
    is_secret: bool,
    max_bytes: u64,
    /// User whose secrets are accepted, besides those of root.
    owner: u32,
}

/// Error of a file that cannot be read, or that is not secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputFileError {
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The user of the process has no access to the file.
    #[error(
        "this process, of the user with ID {user}, may not read {}{}; change the owner or the mode \
         of the file, or run the command as its owner", .path.display(), owner_text(*.owner, *.user)
    )]
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
    /// The path leads to a folder or a device.
    #[error("{} is not a regular file", .path.display())]
    NotAFile {
        /// Path of the file.
        path: PathBuf,
    },
    /// Other users can read or change the file.
    #[error(
        "{} has mode {mode:04o}, so that other users can read or change the secret in it; set its \
         mode to 0600, or to 0640 if the group must read it", .path.display()
    )]
    Exposed {
        /// Path of the file.
        path: PathBuf,
        /// Permissions of the file.
        mode: u32,
    },
    /// The file belongs to another user.
    #[error(
        "{} belongs to the user with ID {uid}, who can change it; it must belong to the user of \
         this process or to root", .path.display()
    )]
    Owner {
        /// Path of the file.
        path: PathBuf,
        /// Owner of the file.
        uid: u32,
    },
    /// The file is larger than such a file can be.
    #[error("{} has more than the allowed {limit} bytes", .path.display())]
    TooLarge {
        /// Path of the file.
        path: PathBuf,
        /// Largest file.
        limit: u64,
    },
}

impl InputFile {
    /// Creates a file of any mode and owner.
    pub(in crate::api) fn public(path: impl Into<PathBuf>, max_bytes: u64) -> Self {
        Self { path: path.into(), is_secret: false, max_bytes, owner: geteuid().as_raw() }
    }

    /// Creates a file that only its owner, or root, may change, and that other users must not read.
    pub(in crate::api) fn secret(path: impl Into<PathBuf>, max_bytes: u64) -> Self {
        Self { is_secret: true, ..Self::public(path, max_bytes) }
    }

    /// Accepts a secret of another user instead of this one.
    pub(in crate::api) fn with_owner(self, owner: u32) -> Self {
        Self { owner, ..self }
    }

    /// Reads the file. Links are followed, since Kubernetes mounts Secrets as links.
    pub(in crate::api) fn read(&self) -> Result<Vec<u8>, InputFileError> {
        let path = || self.path.clone();
        let error = |source| InputFileError::of_read(&self.path, source);
        // Without NONBLOCK, opening a FIFO would wait for a writer.
        let flags = (OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&self.path);
        let file = file.map_err(error)?;
        // The open file is checked, so that it cannot be replaced after the check.
        self.check(&file)?;
        let mut bytes = Vec::new();
        file.take(self.max_bytes + 1).read_to_end(&mut bytes).map_err(error)?;
        match bytes.len() as u64 {
            length if length > self.max_bytes => {
                Err(InputFileError::TooLarge { path: path(), limit: self.max_bytes })
            }
            _ => Ok(bytes),
        }
    }

    fn check(&self, file: &File) -> Result<(), InputFileError> {
        let path = || self.path.clone();
        let metadata =
            file.metadata().map_err(|source| InputFileError::Read { path: path(), source })?;
        let (mode, uid) = (metadata.mode() & 0o7777, metadata.uid());
        if !metadata.is_file() {
            return Err(InputFileError::NotAFile { path: path() });
        }
        if self.is_secret && mode & EXPOSED != 0 {
            return Err(InputFileError::Exposed { path: path(), mode });
        }
        if self.is_secret && uid != 0 && uid != self.owner {
            return Err(InputFileError::Owner { path: path(), uid });
        }
        Ok(())
    }
}

impl InputFileError {
    fn of_read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if source.kind() != ErrorKind::PermissionDenied {
            return Self::Read { path, source };
        }
        let owner = fs::metadata(&path).ok().map(|metadata| metadata.uid());
        Self::Denied { path, owner, user: geteuid().as_raw(), source }
    }

    /// Returns the kind of the operating system's error, if there is one.
    pub(super) fn io_kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Read { source, .. } => Some(source.kind()),
            Self::Denied { .. }
            | Self::NotAFile { .. }
            | Self::Exposed { .. }
            | Self::Owner { .. }
            | Self::TooLarge { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use tempfile::tempdir;

    use super::*;

    #[test]
    fn secret_must_be_closed_to_others() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "text").unwrap();
        for (mode, is_secret) in [
            (0o600, true),
            (0o400, true),
            (0o640, true),
            (0o440, true),
            (0o660, false),
            (0o604, false),
            (0o644, false),
            (0o602, false),
            (0o610, false),
        ] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            match InputFile::secret(&path, 10).read() {
                Ok(bytes) => assert!(is_secret && bytes == b"text", "{mode:o}"),
                Err(InputFileError::Exposed { mode: found, .. }) => {
                    assert!(!is_secret && found == mode, "{mode:o}");
                }
                Err(error) => panic!("{error}"),
            }
            assert!(InputFile::public(&path, 10).read().is_ok());
        }
    }

    #[test]
    fn size_is_limited() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "1234").unwrap();
        assert_eq!(InputFile::public(&path, 4).read().unwrap(), b"1234");
        let error = InputFile::public(&path, 3).read().unwrap_err();
        assert!(matches!(error, InputFileError::TooLarge { limit: 3, .. }));
    }

    #[test]
    fn only_regular_files_are_read() {
        let folder = tempdir().unwrap();
        let error = InputFile::public(folder.path(), 10).read().unwrap_err();
        assert!(matches!(error, InputFileError::NotAFile { .. }));
        let fifo = folder.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::from(0o600), 0).unwrap();
        let error = InputFile::public(&fifo, 10).read().unwrap_err();
        assert!(matches!(error, InputFileError::NotAFile { .. }));
        let link = folder.path().join("link");
        symlink("missing", &link).unwrap();
        let error = InputFile::public(&link, 10).read().unwrap_err();
        assert_eq!(error.io_kind(), Some(ErrorKind::NotFound));
    }

    #[test]
    fn denied_file_is_reported_with_its_owner() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (path, uid) = (file.path(), geteuid().as_raw());
        let error = InputFileError::of_read(path, ErrorKind::PermissionDenied.into());
        let InputFileError::Denied { owner, user, .. } = error else { panic!("{error}") };
        assert_eq!((owner, user), (Some(uid), uid));
    }

    #[test]
    fn file_that_no_user_may_read_is_denied() {
        // Root may read each file.
        if geteuid().is_root() {
            return;
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
        let error = InputFile::public(file.path(), 10).read().unwrap_err().to_string();
        let expected =
            format!("may not read {}; change the owner or the mode", file.path().display());
        assert!(error.contains(&expected), "{error}");
    }
}
