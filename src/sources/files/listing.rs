//! The files of a source, with their metadata. Listing reads no file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::error::FileError;
use super::identity::FileIdentity;

/// The extensions of manifests, in upper or lower case.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// The files of all paths, in the order of the paths and then of the names.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<ListedFile>,
    /// Files and directories that cannot be listed.
    pub(super) unreadable: Vec<(PathBuf, FileError)>,
    /// The entries that are not read, by directory.
    pub(super) skipped: BTreeMap<PathBuf, SkippedEntries>,
}

/// A file that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedFile {
    pub(super) path: PathBuf,
    /// The path without symbolic links.
    pub(super) real: PathBuf,
    pub(super) identity: FileIdentity,
}

/// The entries of a directory that are not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SkippedEntries {
    pub(super) directories: BTreeSet<OsString>,
    pub(super) other_extensions: BTreeSet<OsString>,
    /// Sockets, pipes and devices with the name of a manifest.
    pub(super) special: BTreeSet<OsString>,
    /// Hidden files with the extension of a manifest.
    pub(super) hidden: BTreeSet<OsString>,
}

impl Listing {
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        let mut listing = Self::default();
        for path in paths {
            if let Err(error) = listing.add_path(path) {
                listing.unreadable.push((path.clone(), error));
            }
        }
        listing
    }

    /// Returns `true` if `other` contains the same files with the same metadata, and the same
    /// errors.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let errors = |listing: &Self| -> Vec<_> {
            listing.unreadable.iter().map(|(path, error)| (path.clone(), error.problem())).collect()
        };
        self.files == other.files && self.skipped == other.skipped && errors(self) == errors(other)
    }

    /// Checks that these paths of the source could be listed.
    ///
    /// # Errors
    /// Returns the error of the first path that could not be listed.
    pub(super) fn check_paths(&mut self, paths: &[PathBuf]) -> Result<(), FileError> {
        match self.unreadable.iter().position(|(path, _)| paths.contains(path)) {
            Some(index) => Err(self.unreadable.swap_remove(index).1),
            None => Ok(()),
        }
    }

    fn add_path(&mut self, path: &Path) -> Result<(), FileError> {
        let failed = |error| FileError::read(path, error);
        let metadata = fs::metadata(path).map_err(|error| path_error(path, error))?;
        if metadata.is_file() {
            let identity = FileIdentity::of(&metadata);
            let real = resolve_links(path);
            self.files.push(ListedFile { path: path.to_owned(), real, identity });
            return Ok(());
        }
        if !metadata.is_dir() {
            return Err(FileError::NotAFile { path: path.to_owned() });
        }
        let real = fs::canonicalize(path).map_err(failed)?;
        let entries: Result<Vec<_>, _> = fs::read_dir(path).map_err(failed)?.collect();
        let mut entries: Vec<_> = entries.map_err(failed)?;
        entries.sort_by_cached_key(DirEntry::file_name);
        let mut skipped = SkippedEntries::default();
        for entry in entries {
            self.add_entry(&entry, &real, &mut skipped);
        }
        if skipped != SkippedEntries::default() {
            self.skipped.insert(path.to_owned(), skipped);
        }
        Ok(())
    }

    fn add_entry(&mut self, entry: &DirEntry, directory: &Path, skipped: &mut SkippedEntries) {
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().ok();
        let is_link = kind.is_some_and(|kind| kind.is_symlink());
        if is_hidden(&name) {
            // A ConfigMap volume contains `..data` and the directory of each version.
            let is_manifest = has_manifest_extension(&name) && !kind.is_some_and(|it| it.is_dir());
            if is_manifest {
                skipped.hidden.insert(name);
            }
        } else if kind.is_some_and(|kind| kind.is_dir()) || is_link && path.is_dir() {
            skipped.directories.insert(name);
        } else if !has_manifest_extension(&name) {
            skipped.other_extensions.insert(name);
        } else {
            // Relative to the open directory, which saves the resolution of the path.
            let metadata = if is_link { fs::metadata(&path) } else { entry.metadata() };
            match metadata {
                Ok(metadata) if metadata.is_file() => {
                    // Resolving a path takes several system calls.
                    let real = if is_link { resolve_links(&path) } else { directory.join(&name) };
                    let identity = FileIdentity::of(&metadata);
                    self.files.push(ListedFile { path, real, identity });
                }
                Ok(_) => _ = skipped.special.insert(name),
                // The file was deleted after the directory was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {}
                Err(error) => self.unreadable.push((path.clone(), path_error(&path, error))),
            }
        }
    }
}

impl SkippedEntries {
    /// Returns `true` if the entries differ in more than files that editors create and remove:
    /// hidden files and backups.
    pub(super) fn differs_visibly(&self, other: &Self) -> bool {
        let visible = |entries: &Self| {
            let mut visible = Self { hidden: BTreeSet::new(), ..entries.clone() };
            visible.other_extensions.retain(|name| !is_backup(name));
            visible
        };
        visible(self) != visible(other)
    }
}

/// Returns the path without symbolic links, or the path itself if it has just been removed.
fn resolve_links(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns `true` if the name is that of a manifest in a directory. Backup files (`a.yaml~`,
/// `a.yaml.bak`, `#a.yaml#`) have other extensions.
pub(super) fn has_manifest_name(name: &OsStr) -> bool {
    !is_hidden(name) && has_manifest_extension(name)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Returns `true` if an editor gives this name to a file for a short time: `a.yaml~`, `#a.yaml#`,
/// or a number, as Vim does.
fn is_backup(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.ends_with(b"~")
        || name.starts_with(b"#") && name.ends_with(b"#")
        || name.iter().all(u8::is_ascii_digit)
}

fn has_manifest_extension(name: &OsStr) -> bool {
    let is_known =
        |extension: &OsStr| EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known));
    Path::new(name).extension().is_some_and(is_known)
}

/// Returns the error of reading a path: [`FileError::BrokenLink`] if the path is a link without a
/// target.
fn path_error(path: &Path, error: io::Error) -> FileError {
    match fs::read_link(path) {
        Ok(target) if error.kind() == io::ErrorKind::NotFound => {
            FileError::BrokenLink { path: path.to_owned(), target }
        }
        _ => FileError::read(path, error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Instant;

    use tempfile::TempDir;

    use super::*;

    fn list(root: &Path) -> Listing {
        Listing::of(&[root.to_owned()])
    }

    #[test]
    fn listing_contains_manifests_in_order_of_names() {
        let directory = TempDir::new().unwrap();
        let root = directory.path();
        for name in ["c.JSON", "a.yaml", "b.Yml", ".d.yaml", "e.yaml~", "f", "g.txt"] {
            fs::write(root.join(name), "").unwrap();
        }
        fs::create_dir_all(root.join("h.yaml")).unwrap();
        symlink("h.yaml", root.join("i.yaml")).unwrap();
        symlink("missing", root.join("j.yaml")).unwrap();
        symlink("k.yaml", root.join("k.yaml")).unwrap();
        let listing = list(root);
        let names: Vec<_> =
            listing.files.iter().map(|file| file.path.file_name().unwrap()).collect();
        assert_eq!(names, ["a.yaml", "b.Yml", "c.JSON"]);
        let skipped = &listing.skipped[root];
        let directories: Vec<_> = skipped.directories.iter().collect();
        assert_eq!(directories, ["h.yaml", "i.yaml"]);
        let others: Vec<_> = skipped.other_extensions.iter().collect();
        assert_eq!(others, ["e.yaml~", "f", "g.txt"]);
        let errors: Vec<_> = listing.unreadable.iter().map(|(_, error)| error.problem()).collect();
        assert!(
            errors[0].contains("a symbolic link to missing, which does not exist"),
            "{errors:?}"
        );
        assert!(errors[1].contains("symbolic links"), "{errors:?}");
        assert_eq!(errors.len(), 2);
    }

    #[test]
    fn listing_differs_after_each_change() {
        let directory = TempDir::new().unwrap();
        let root = directory.path();
        fs::write(root.join("a.yaml"), "a").unwrap();
        let mut last = list(root);
        assert!(last.is_same(&list(root)));
        let changes: [&dyn Fn(); 4] = [
            &|| fs::write(root.join("b.yaml"), "").unwrap(),
            &|| fs::write(root.join("a.yaml"), "longer").unwrap(),
            &|| fs::create_dir(root.join("c")).unwrap(),
            &|| fs::remove_file(root.join("b.yaml")).unwrap(),
        ];
        for (index, change) in changes.iter().enumerate() {
            change();
            let next = list(root);
            assert!(!last.is_same(&next), "change {index}");
            last = next;
        }
    }

    /// Run it with `cargo test --release --lib listing -- --ignored --nocapture`.
    #[test]
    #[ignore = "a measurement: the duration of listing 10,000 files"]
    fn listing_of_10_000_files_prints_its_duration() {
        let directory = TempDir::new().unwrap();
        for index in 0..10_000 {
            fs::write(directory.path().join(format!("route-{index}.yaml")), "a: b\n").unwrap();
        }
        let last = list(directory.path());
        let mut durations: Vec<_> = (0..21)
            .map(|_| {
                let start = Instant::now();
                assert!(list(directory.path()).is_same(&last));
                start.elapsed()
            })
            .collect();
        durations.sort();
        eprintln!("10,000 files: median {:?}, worst {:?}", durations[10], durations[20]);
    }
}
