//! Creation and checks of a folder with secrets.

use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::error::FolderError;

/// Permissions with which others could replace the files of a folder.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Creates a folder with mode 0700, with its parents, unless it exists.
///
/// # Errors
/// Returns an error if the folder cannot be created, or if other users can write to it.
pub(super) fn create_private(path: &Path) -> Result<(), FolderError> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(|source| folder_error("create", path, source))?;
    let user = geteuid().as_raw();
    check_owned(path, user)?;
    check_access(path, user, Access::WRITE_OK | Access::EXEC_OK)
}

/// Checks a folder that is only read, and whose path the user has given. If this process runs as
/// root, the folder may belong to another user, such as that of a service. Returns the owner of the
/// folder.
pub(super) fn check_readable(path: &Path) -> Result<u32, FolderError> {
    let metadata = fs::metadata(path).map_err(|source| folder_error("read", path, source))?;
    let user = geteuid();
    let owner = if user.is_root() { metadata.uid() } else { user.as_raw() };
    check_owned(path, owner)?;
    check_access(path, owner, Access::EXEC_OK)?;
    Ok(owner)
}

/// Checks a folder that is only read, and whose path another user may have created. Such a folder
/// must belong to the user of this process or to root. Returns the user.
pub(super) fn check_own(path: &Path) -> Result<u32, FolderError> {
    let user = geteuid().as_raw();
    check_owned(path, user)?;
    check_access(path, user, Access::EXEC_OK)?;
    Ok(user)
}

/// Returns `true` for a folder of a user to which other users cannot write.
pub(super) fn is_private(metadata: &Metadata, owner: u32) -> bool {
    metadata.is_dir() && metadata.uid() == owner && metadata.mode() & WRITABLE_BY_OTHERS == 0
}

/// Checks that only a user and root can write to a folder. The last part of the path may be a
/// symbolic link that belongs to one of them.
fn check_owned(path: &Path, owner: u32) -> Result<(), FolderError> {
    let read = |metadata: io::Result<Metadata>| {
        metadata.map_err(|source| folder_error("read", path, source))
    };
    let metadata = read(fs::metadata(path))?;
    if !metadata.is_dir() {
        return Err(folder_error("read", path, ErrorKind::NotADirectory.into()));
    }
    let link = read(fs::symlink_metadata(path))?;
    for uid in [metadata.uid(), link.uid()] {
        if uid != 0 && uid != owner {
            return Err(FolderError::Owner { path: path.to_owned(), uid, user: owner });
        }
    }
    let mode = metadata.mode() & 0o7777;
    if mode & WRITABLE_BY_OTHERS != 0 {
        return Err(FolderError::Writable { path: path.to_owned(), mode });
    }
    Ok(())
}

/// Checks that a folder of root is accessible: a process of root may have created it for itself.
fn check_access(path: &Path, user: u32, requested: Access) -> Result<(), FolderError> {
    let is_of_root = user != 0 && fs::metadata(path).is_ok_and(|metadata| metadata.uid() == 0);
    if is_of_root && access(path, requested) == Err(Errno::ACCESS) {
        return Err(FolderError::Owner { path: path.to_owned(), uid: 0, user });
    }
    Ok(())
}

fn folder_error(operation: &'static str, path: &Path, source: io::Error) -> FolderError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => FolderError::NotAFolder { path },
        ErrorKind::PermissionDenied if operation == "read" => FolderError::Denied { path },
        _ => FolderError::Folder { operation, path, source },
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn folder_is_created_for_its_owner() {
        let parent = tempdir().unwrap();
        let path = parent.path().join("a/b");
        create_private(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o700);
        create_private(&path).unwrap();
        let link = parent.path().join("link");
        symlink(&path, &link).unwrap();
        create_private(&link).unwrap();
    }

    #[test]
    fn folder_that_others_can_write_is_refused() {
        let folder = tempdir().unwrap();
        for (mode, is_private) in
            [(0o700, true), (0o755, true), (0o775, false), (0o757, false), (0o1777, false)]
        {
            fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            match create_private(folder.path()) {
                Ok(()) => assert!(is_private, "{mode:o}"),
                Err(FolderError::Writable { mode: found, .. }) => {
                    assert!(!is_private && found == mode, "{mode:o}");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn file_is_no_folder() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        for path in [path.clone(), path.join("x")] {
            let errors = [create_private(&path).unwrap_err(), check_readable(&path).unwrap_err()];
            assert!(errors.iter().all(|it| matches!(it, FolderError::NotAFolder { .. })));
        }
    }
}
