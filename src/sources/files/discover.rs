//! Finding and reading files.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::FileError;

/// The largest file that is read.
const MAX_SIZE: u64 = 64 * 1024 * 1024;

/// The files at a path: itself, or those of a directory that can be manifests, in order.
pub(super) fn files_at(path: &Path) -> Result<BTreeSet<PathBuf>, FileError> {
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
        if is_manifest(&file) && may_be_file(&file) {
            files.insert(file);
        }
    }
    Ok(files)
}

/// By its name. Backup files (`a.yaml~`, `a.yaml.bak`, `#a.yaml#`) have other extensions.
fn is_manifest(file: &Path) -> bool {
    let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = file.extension().and_then(|extension| extension.to_str());
    !hidden && matches!(extension, Some("yaml" | "yml" | "json"))
}

/// Through links, as those of a ConfigMap; a link to nowhere is no file. What cannot be told is
/// left to reading, which says why.
fn may_be_file(file: &Path) -> bool {
    match fs::metadata(file) {
        Ok(metadata) => metadata.is_file(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// The text of a file.
pub(super) fn text_of(file: &Path) -> Result<String, FileError> {
    let mut text = String::new();
    let read = File::open(file)
        .and_then(|opened| opened.take(MAX_SIZE + 1).read_to_string(&mut text))
        .map_err(|error| FileError::read(file, error))?;
    if read as u64 > MAX_SIZE {
        return Err(FileError::TooLarge { path: file.to_owned(), limit: MAX_SIZE });
    }
    Ok(text)
}

/// The directories in which a change to what is at `path` shows: where it is, and where links lead.
pub(super) fn directories_of(path: &Path) -> BTreeSet<PathBuf> {
    let mut directories = BTreeSet::new();
    let mut add_target = |path: &Path| {
        let Ok(target) = fs::canonicalize(path) else { return };
        let directory = if target.is_dir() { Some(&*target) } else { target.parent() };
        directories.extend(directory.map(Path::to_owned));
    };
    add_target(path);
    for file in files_at(path).into_iter().flatten().filter(|file| file.is_symlink()) {
        add_target(&file);
    }
    directories.insert(if path.is_dir() { path.to_owned() } else { parent_of(path) });
    directories
}

/// The directory that a path is in.
pub(super) fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
