//! Finding and reading files.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest file that is read.
const MAX_SIZE: u64 = 64 * 1024 * 1024;

/// The files at a path: itself, or those of a directory that can be manifests, in order.
pub(super) fn files_at(path: &Path) -> io::Result<BTreeSet<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(BTreeSet::from([path.to_owned()]));
    }
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        // Through links, as those of a ConfigMap; a link to nowhere is no file.
        if is_manifest(&file) && fs::metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
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

/// The text of a file.
pub(super) fn text_of(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(file)?.take(MAX_SIZE + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_SIZE {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("larger than {} MiB, the most that is read", MAX_SIZE / 1024 / 1024),
        ));
    }
    Ok(text)
}
