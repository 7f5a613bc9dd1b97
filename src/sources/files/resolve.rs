//! What one reading of the files finds, and which of it comes into force.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::declared::Declared;
use super::discover::parent_of;
use super::error::FileError;
use crate::model::manifest::{Content, Entry};
use crate::model::{Object, ObjectKey};

#[derive(Debug, Default)]
pub(super) struct LoadResult {
    pub(super) problems: Vec<String>,
    /// Every declaration of an object, in the order of the files.
    declared: BTreeMap<ObjectKey, Vec<Declared>>,
    /// Objects that are there, but wrong, and where.
    invalid: BTreeSet<(ObjectKey, PathBuf)>,
    /// Files, and directories of files, in which anything may be.
    pub(super) unreadable: BTreeSet<PathBuf>,
}

impl LoadResult {
    /// Takes in what a file says.
    pub(super) fn take<'a>(&mut self, file: &Path, entries: impl Iterator<Item = &'a Entry>) {
        for entry in entries {
            match &entry.content {
                Content::Object(object) => self.declare(file, entry.line, object),
                Content::Unsupported(_) => {}
                Content::Invalid(errors) => {
                    let problem = |error| format!("{}:{error}", file.display());
                    self.problems.extend(errors.iter().map(problem));
                    match &entry.key {
                        Some(key) => _ = self.invalid.insert((key.clone(), file.to_owned())),
                        None => _ = self.unreadable.insert(file.to_owned()),
                    }
                }
            }
        }
    }

    fn declare(&mut self, file: &Path, line: usize, object: &Object) {
        let (declared, object) = (object.clone(), object.clone());
        let kept = Declared { declared, object, file: file.to_owned(), line };
        self.declared.entry(kept.object.key()).or_default().push(kept);
    }

    pub(super) fn cannot_read(&mut self, path: PathBuf, error: &FileError) {
        self.problems.push(error.problem());
        self.unreadable.insert(path);
    }

    /// The objects that come into force after those of `before`.
    ///
    /// Of several declarations of an object, the one in the file that it has been from stays in
    /// force, or else the first. An object that is missing, but may be meant to be there, stays as
    /// it was: it is wrong where it is, or what it was in cannot be read, or it may have moved to a
    /// file beside it that since cannot be read (those are in `newly_unreadable`).
    pub(super) fn settle(
        &mut self,
        before: &BTreeMap<ObjectKey, Declared>,
        newly_unreadable: &BTreeSet<PathBuf>,
    ) -> BTreeMap<ObjectKey, Declared> {
        let mut settled = BTreeMap::new();
        for (key, declarations) in std::mem::take(&mut self.declared) {
            let old = before.get(&key);
            if let Some(old) = old.filter(|old| self.is_invalid_in(&key, &old.file)) {
                settled.insert(key.clone(), self.keep(&key, old.clone()));
            }
            let from_old_file = |kept: &Declared| old.is_some_and(|old| old.file == kept.file);
            let chosen = declarations.iter().position(from_old_file).unwrap_or(0);
            let first = settled.entry(key.clone()).or_insert_with(|| declarations[chosen].clone());
            for other in declarations.iter().filter(|other| *other != first) {
                self.problems.push(format!(
                    "{}:{}: {key}: is declared already in {}:{}; remove one of the two",
                    other.file.display(),
                    other.line,
                    first.file.display(),
                    first.line
                ));
            }
        }
        for (key, old) in before {
            if settled.contains_key(key) {
                continue;
            }
            let is_invalid_elsewhere = self.invalid.iter().any(|(invalid, _)| invalid == key);
            let kept = if is_invalid_elsewhere || self.may_be_unread(&old.file) {
                old.clone()
            } else if let Some(file) = newly_unreadable.iter().find(|path| beside(path, &old.file))
            {
                Declared { file: file.clone(), ..old.clone() }
            } else {
                continue;
            };
            settled.insert(key.clone(), self.keep(key, kept));
        }
        settled
    }

    fn keep(&mut self, key: &ObjectKey, old: Declared) -> Declared {
        self.problems.push(format!("{key}: the last good version stays in force"));
        old
    }

    fn is_invalid_in(&self, key: &ObjectKey, file: &Path) -> bool {
        self.invalid.contains(&(key.clone(), file.to_owned()))
    }

    fn may_be_unread(&self, file: &Path) -> bool {
        self.unreadable.iter().any(|path| path == file || file.parent() == Some(path))
    }
}

fn beside(one: &Path, other: &Path) -> bool {
    parent_of(one) == parent_of(other)
}
