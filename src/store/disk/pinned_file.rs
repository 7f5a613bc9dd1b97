//! A file whose path is checked.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// A file that is open, so that no other file gets its inode number.
///
/// It is open for reading: a file that is open for writing would keep the file system from becoming
/// read-only.
#[derive(Debug)]
pub(super) struct PinnedFile(File);

impl PinnedFile {
    /// Opens the file at `path` for writing, and once more to pin it. Creates it with mode 0600 if
    /// it does not exist.
    pub(super) fn open_or_create(path: &Path) -> io::Result<(File, Self)> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path)?;
        let pinned = File::open(path)?;
        if identity(&pinned)? != identity(&file)? {
            return Err(io::Error::other("the file was replaced while it was opened"));
        }
        Ok((file, Self(pinned)))
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }

    /// Returns `true` if `path` leads to this file, `false` if it leads to another one, and `None`
    /// if no file is there.
    pub(super) fn is_at(&self, path: &Path) -> io::Result<Option<bool>> {
        let found = match fs::metadata(path) {
            Ok(metadata) => (metadata.dev(), metadata.ino()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(identity(&self.0)? == found))
    }
}

/// Returns the device and the inode number.
fn identity(file: &File) -> io::Result<(u64, u64)> {
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}
