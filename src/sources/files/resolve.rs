//! Choosing the objects that are used, from all declarations that were read.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::path::{Path, PathBuf};

use super::declared::DeclaredObject;
use super::discover::parent_directory;
use super::error::FileError;
use crate::model::manifest::{Content, Entry};
use crate::model::{Object, ObjectKey};

/// Result of reading all files once.
#[derive(Debug, Default)]
pub(super) struct LoadResult {
    pub(super) problems: Vec<String>,
    /// The declarations of each object, in the order of the files.
    declared: BTreeMap<ObjectKey, Vec<DeclaredObject>>,
    /// The invalid declarations: the object and its file.
    invalid: BTreeSet<(ObjectKey, PathBuf)>,
    /// Files and directories that may contain objects which were not read.
    pub(super) incomplete_paths: BTreeSet<PathBuf>,
}

impl LoadResult {
    /// Adds the entries of a file.
    pub(super) fn add_file<'a>(&mut self, file: &Path, entries: impl Iterator<Item = &'a Entry>) {
        for entry in entries {
            match &entry.content {
                Content::Object(object) => self.add_object(file, entry.line, object),
                Content::Unsupported(_) => {}
                Content::Invalid(errors) => {
                    let problem = |error| format!("{}:{error}", file.display());
                    self.problems.extend(errors.iter().map(problem));
                    match &entry.key {
                        Some(key) => _ = self.invalid.insert((key.clone(), file.to_owned())),
                        None => _ = self.incomplete_paths.insert(file.to_owned()),
                    }
                }
            }
        }
    }

    fn add_object(&mut self, file: &Path, line: usize, object: &Object) {
        let (original, object) = (object.clone(), object.clone());
        let declared = DeclaredObject { original, object, file: file.to_owned(), line };
        self.declared.entry(declared.object.key()).or_default().push(declared);
    }

    /// Adds a file or directory that cannot be read.
    pub(super) fn add_unreadable(&mut self, path: PathBuf, error: &FileError) {
        self.problems.push(error.problem());
        self.incomplete_paths.insert(path);
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
        for (key, declarations) in mem::take(&mut self.declared) {
            let previous = before.get(&key);
            if let Some(previous) = previous.filter(|old| self.is_invalid_in(&key, &old.file)) {
                resolved.insert(key.clone(), self.keep_previous(&key, previous.clone()));
            }
            let is_in_same_file =
                |declared: &DeclaredObject| previous.is_some_and(|old| old.file == declared.file);
            let chosen = declarations.iter().position(is_in_same_file).unwrap_or(0);
            let used = resolved.entry(key.clone()).or_insert_with(|| declarations[chosen].clone());
            for other in declarations.iter().filter(|other| *other != used) {
                self.problems.push(format!(
                    "{}:{}: {key}: is already declared in {}:{} and ignored here; remove one of the two",
                    other.file.display(),
                    other.line,
                    used.file.display(),
                    used.line
                ));
            }
        }
        for (key, previous) in before {
            if resolved.contains_key(key) {
                continue;
            }
            let has_invalid = self.invalid.iter().any(|(invalid, _)| invalid == key);
            let kept = if has_invalid || self.is_incomplete(&previous.file) {
                previous.clone()
            } else if let Some(file) =
                newly_incomplete.iter().find(|path| are_siblings(path, &previous.file))
            {
                DeclaredObject { file: file.clone(), ..previous.clone() }
            } else {
                continue;
            };
            resolved.insert(key.clone(), self.keep_previous(key, kept));
        }
        resolved
    }

    fn keep_previous(&mut self, key: &ObjectKey, previous: DeclaredObject) -> DeclaredObject {
        self.problems.push(format!("{key}: the last valid version stays in use"));
        previous
    }

    fn is_invalid_in(&self, key: &ObjectKey, file: &Path) -> bool {
        self.invalid.contains(&(key.clone(), file.to_owned()))
    }

    fn is_incomplete(&self, file: &Path) -> bool {
        self.incomplete_paths.iter().any(|path| path == file || file.parent() == Some(path))
    }
}

fn are_siblings(one: &Path, other: &Path) -> bool {
    parent_directory(one) == parent_directory(other)
}
