//! Atomic writing of files that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Mode of the files.
const MODE: u32 = 0o600;

/// Creates a file with these contents. A reader sees no file or the whole file, also after a power
/// cut. Returns `false` if the file exists already.
pub(in crate::api) fn create_file(path: &Path, contents: &[u8]) -> io::Result<bool> {
    let temporary = TemporaryFile::write(path, contents)?;
    // Unlike a rename, a link does not replace a file that another process has just created.
    match fs::hard_link(&temporary.0, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    }
    drop(temporary);
    sync_parent(path)?;
    Ok(true)
}

/// Creates a file with these contents, or replaces it. If the path is a link, the link is replaced,
/// not the file that it leads to.
pub(in crate::api) fn replace_file(path: &Path, contents: &[u8]) -> io::Result<()> {
    let temporary = TemporaryFile::write(path, contents)?;
    fs::rename(&temporary.0, path)?;
    sync_parent(path)
}

/// File beside the one that is written. It is removed at the end, unless it was renamed.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn write(path: &Path, contents: &[u8]) -> io::Result<Self> {
        let name = path.file_name().ok_or(ErrorKind::InvalidFilename)?;
        let mut temporary_name = std::ffi::OsString::from(".");
        temporary_name.push(name);
        // The name must not be predictable in a folder that others can write.
        temporary_name.push(format!(".{:016x}", RandomState::new().hash_one(0)));
        let temporary = path.with_file_name(temporary_name);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(MODE).open(&temporary)?;
        let temporary = Self(temporary);
        file.write_all(contents)?;
        file.sync_all()?;
        Ok(temporary)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use tempfile::tempdir;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn file_is_created_once() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(create_file(&path, b"a").unwrap());
        assert!(!create_file(&path, b"b").unwrap());
        assert_eq!((fs::read(&path).unwrap().as_slice(), mode(&path)), (&b"a"[..], 0o600));
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn file_is_replaced_with_its_mode() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "before").unwrap();
        replace_file(&path, b"after").unwrap();
        assert_eq!((fs::read(&path).unwrap().as_slice(), mode(&path)), (&b"after"[..], 0o600));
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn link_is_replaced_and_not_followed() {
        let folder = tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        fs::write(&target, "target").unwrap();
        symlink(&target, &link).unwrap();
        assert!(!create_file(&link, b"new").unwrap());
        replace_file(&link, b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"target");
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
    }

    #[test]
    fn nothing_is_left_after_an_error() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("folder");
        fs::create_dir(&path).unwrap();
        assert!(replace_file(&path, b"a").is_err());
        assert_eq!(names(folder.path()), ["folder"]);
        assert!(replace_file(Path::new("/"), b"a").is_err());
    }
}
