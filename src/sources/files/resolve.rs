//! Choosing the objects that are used, from all declarations that were read.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::path::{Path, PathBuf};

use super::declared::DeclaredObject;
use super::error::FileError;
use super::parsed_file::ParsedFile;
use super::problems::Problems;
use crate::model::manifest::Content;
use crate::model::{Object, ObjectKey, UnservedKey, UnservedObject};

/// The declarations of all files.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    pub(super) problems: Problems,
    /// The declarations of each object, in the order of the files.
    declared: BTreeMap<ObjectKey, Vec<DeclaredObject>>,
    /// The files with an invalid declaration of an object.
    invalid: BTreeMap<ObjectKey, BTreeSet<PathBuf>>,
    /// The objects of other kinds that refer to declared objects.
    pub(super) unserved: BTreeMap<UnservedKey, UnservedObject>,
    /// Number of objects of each kind that is not served.
    pub(super) unsupported: BTreeMap<String, usize>,
    /// Number of objects and documents that are invalid.
    pub(super) refused: usize,
    /// Files and directories that may contain objects which were not read.
    pub(super) incomplete_paths: BTreeSet<PathBuf>,
    /// Files that may exist, because an unreadable path led to them.
    incomplete_targets: BTreeSet<PathBuf>,
    /// Files that are still being read.
    pending: BTreeSet<PathBuf>,
}

impl Declarations {
    /// Adds the entries of a file.
    pub(super) fn add_file(&mut self, file: &Path, parsed: &ParsedFile) {
        for entry in parsed.entries() {
            match &entry.content {
                Content::Object(object) => self.add_object(file, entry.line, object),
                Content::Unsupported(kind) => {
                    *self.unsupported.entry(kind.clone()).or_default() += 1;
                }
                Content::Unserved(key, object) => {
                    self.unserved.insert(key.clone(), object.clone());
                }
                Content::Invalid(errors) => {
                    self.refused += 1;
                    for error in errors {
                        self.problems.add_error(file, error);
                    }
                    match &entry.key {
                        Some(key) => {
                            let files = self.invalid.entry(key.clone()).or_default();
                            files.insert(file.to_owned());
                        }
                        None => _ = self.incomplete_paths.insert(file.to_owned()),
                    }
                }
            }
        }
        self.problems.add_omitted_errors(file, parsed.omitted_errors());
    }

    fn add_object(&mut self, file: &Path, line: usize, object: &Object) {
        let (original, object) = (object.clone(), object.clone());
        let declared = DeclaredObject { original, object, file: file.to_owned(), line };
        self.declared.entry(declared.object.key()).or_default().push(declared);
    }

    /// Adds a file or directory that cannot be read.
    pub(super) fn add_unreadable(&mut self, path: &Path, error: &FileError) {
        self.problems.add_unreadable(path, error);
        self.incomplete_paths.insert(path.to_owned());
    }

    /// Adds another path of a file. All unreadable paths must have been added before.
    pub(super) fn add_alias(&mut self, alias: &Path, file: &Path) {
        if self.is_incomplete(alias) {
            self.incomplete_targets.insert(file.to_owned());
        }
    }

    /// Adds a file that is still being read.
    pub(super) fn add_pending(&mut self, path: &Path) {
        self.incomplete_paths.insert(path.to_owned());
        self.pending.insert(path.to_owned());
    }

    /// Returns the objects to use, given those used `before`. Adds a problem for every declaration
    /// that is not used.
    ///
    /// If an object is declared twice, the declaration in the file that it was read from before is
    /// used, or else the first one. An object that is missing is kept in three cases: a declaration
    /// of it is invalid, its file or directory is incomplete, or a file in the same directory, to
    /// which it may have moved, is one of `newly_incomplete`.
    pub(super) fn resolve(
        &mut self,
        before: &BTreeMap<ObjectKey, DeclaredObject>,
        newly_incomplete: &BTreeSet<PathBuf>,
    ) -> BTreeMap<ObjectKey, DeclaredObject> {
        let mut resolved = BTreeMap::new();
        for (key, mut declarations) in mem::take(&mut self.declared) {
            let previous = before.get(&key);
            let invalid = previous.filter(|old| self.is_invalid_in(&key, &old.file));
            let used = if let Some(previous) = invalid {
                self.problems.add_kept(&key);
                previous.clone()
            } else {
                let is_in_same_file = |declared: &DeclaredObject| {
                    previous.is_some_and(|old| old.file == declared.file)
                };
                let chosen = declarations.iter().position(is_in_same_file).unwrap_or(0);
                declarations.remove(chosen)
            };
            for other in &declarations {
                self.problems.add_duplicate(&key, other, &used);
            }
            resolved.insert(key, used);
        }
        let directories: BTreeMap<_, _> =
            newly_incomplete.iter().rev().map(|path| (path.parent(), path)).collect();
        for (key, previous) in before {
            if resolved.contains_key(key) {
                continue;
            }
            let kept = if self.invalid.contains_key(key) || self.is_incomplete(&previous.file) {
                previous.clone()
            } else if let Some(file) = directories.get(&previous.file.parent()) {
                DeclaredObject { file: (*file).clone(), ..previous.clone() }
            } else {
                continue;
            };
            // A file that is still being read has no error yet.
            if !self.pending.contains(&kept.file) || self.invalid.contains_key(key) {
                self.problems.add_kept(key);
            }
            resolved.insert(key.clone(), kept);
        }
        resolved
    }

    fn is_invalid_in(&self, key: &ObjectKey, file: &Path) -> bool {
        self.invalid.get(key).is_some_and(|files| files.contains(file))
    }

    fn is_incomplete(&self, file: &Path) -> bool {
        let is_incomplete = |path: &Path| self.incomplete_paths.contains(path);
        self.incomplete_targets.contains(file)
            || is_incomplete(file)
            || file.parent().is_some_and(is_incomplete)
    }
}
