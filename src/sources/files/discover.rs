//! Finding and reading files.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::FileError;

/// The largest file that is read, in bytes.
const MAX_FILE_SIZE: u64 = 64 * 1024 * 1024;

/// Returns the path itself if it is a file, or the manifests in a directory.
pub(super) fn list_files(path: &Path) -> Result<BTreeSet<PathBuf>, FileError> {
    let failed = |error| FileError::read(path, error);
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_file() {
        return Ok(BTreeSet::from([path.to_owned()]));
    }
    if !metadata.is_dir() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if has_manifest_name(&file) && may_be_file(&file) {
            files.insert(file);
        }
    }
    Ok(files)
}

/// Returns `true` if the file is not hidden and has the extension of a manifest. Backup files
/// (`a.yaml~`, `a.yaml.bak`, `#a.yaml#`) have other extensions.
fn has_manifest_name(file: &Path) -> bool {
    let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = file.extension().and_then(|extension| extension.to_str());
    !hidden && matches!(extension, Some("yaml" | "yml" | "json"))
}

/// Returns `true` for a file, or a symbolic link to one, such as those in a ConfigMap volume. A
/// dangling link is not a file. After any other error the answer is `true`, so that reading the
/// file reports the error.
fn may_be_file(file: &Path) -> bool {
    match fs::metadata(file) {
        Ok(metadata) => metadata.is_file(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Reads the text of a file.
pub(super) fn read_text(file: &Path) -> Result<String, FileError> {
    let mut text = String::new();
    let size = File::open(file)
        .and_then(|opened| opened.take(MAX_FILE_SIZE + 1).read_to_string(&mut text))
        .map_err(|error| FileError::read(file, error))?;
    if size as u64 > MAX_FILE_SIZE {
        return Err(FileError::TooLarge { path: file.to_owned(), limit: MAX_FILE_SIZE });
    }
    Ok(text)
}

/// Returns the directories in which a change of the files at `path` is visible: the directory of
/// the path, and those of the targets of symbolic links.
pub(super) fn directories_to_watch(path: &Path) -> BTreeSet<PathBuf> {
    let mut directories = BTreeSet::new();
    let mut add_target = |path: &Path| {
        let Ok(target) = fs::canonicalize(path) else { return };
        let directory = if target.is_dir() { Some(&*target) } else { target.parent() };
        directories.extend(directory.map(Path::to_owned));
    };
    add_target(path);
    for file in list_files(path).into_iter().flatten().filter(|file| file.is_symlink()) {
        add_target(&file);
    }
    directories.insert(if path.is_dir() { path.to_owned() } else { parent_directory(path) });
    directories
}

/// Returns the directory that contains a path; `.` for a relative path without a directory.
pub(super) fn parent_directory(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
