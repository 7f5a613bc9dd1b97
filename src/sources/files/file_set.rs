//! The parsed files, and the objects that are in use.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;

use super::declared::Declared;
use super::discover::{list_files, read_text};
use super::error::FileError;
use super::parsed_file::ParsedFile;
use super::resolve::LoadResult;
use crate::model::{ObjectKey, Timestamp};
use crate::sources::Snapshot;
use crate::sources::server_metadata::{fill_creation_timestamp, fill_generation};

/// The files of all paths, and the objects that are in use.
#[derive(Debug)]
pub(super) struct FileSet {
    paths: Vec<PathBuf>,
    /// `true` if objects get creation timestamps and generations.
    fills_metadata: bool,
    /// The files, in the order of the paths. Of two declarations of one object, the first counts.
    files: Vec<(PathBuf, ParsedFile)>,
    objects: BTreeMap<ObjectKey, Declared>,
    problems: Vec<String>,
    unreadable: BTreeSet<PathBuf>,
}

impl FileSet {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            fills_metadata: false,
            files: Vec::new(),
            objects: BTreeMap::new(),
            problems: Vec::new(),
            unreadable: BTreeSet::new(),
        }
    }

    /// Sets creation timestamps and generations when files are reloaded.
    pub(super) fn with_server_metadata(self) -> Self {
        Self { fills_metadata: true, ..self }
    }

    /// Returns an error if a path cannot be listed, so that a misspelt path is not treated like an
    /// empty directory.
    pub(super) fn check_paths(&self) -> Result<(), FileError> {
        for path in &self.paths {
            list_files(path)?;
        }
        Ok(())
    }

    /// Returns `true` if the last reload could not read a file or directory.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.unreadable.is_empty()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            resources: self.objects.values().map(|declared| declared.object.clone()).collect(),
            problems: self.problems.clone(),
        }
    }

    /// Reads all files again, except those in `being_written`. Returns `true` if a file, an object
    /// or a problem changed.
    pub(super) fn reload(&mut self, being_written: &BTreeSet<PathBuf>) -> bool {
        let mut result = LoadResult::default();
        let files = self.read_files(being_written, &mut result);
        for (file, parsed) in &files {
            result.add_file(file, parsed.entries());
        }
        let newly_unreadable = &result.unreadable - &self.unreadable;
        let mut objects = result.resolve(&self.objects, &newly_unreadable);
        if self.fills_metadata {
            self.fill_metadata(&mut objects);
        }
        let is_changed =
            files != self.files || objects != self.objects || result.problems != self.problems;
        self.files = files;
        self.objects = objects;
        self.problems = result.problems;
        self.unreadable = result.unreadable;
        is_changed
    }

    fn fill_metadata(&self, objects: &mut BTreeMap<ObjectKey, Declared>) {
        let now = Timestamp::now();
        for (key, declared) in objects {
            match self.objects.get(key) {
                Some(previous) if previous.original == declared.original => {
                    declared.object = previous.object.clone();
                }
                previous => {
                    let previous = previous.map(|previous| &previous.object);
                    fill_generation(&mut declared.object, previous);
                    fill_creation_timestamp(&mut declared.object, previous, now);
                }
            }
        }
    }

    /// Reads the files in the order of the paths. A file is read once, however many paths and
    /// symbolic links lead to it.
    fn read_files(
        &self,
        being_written: &BTreeSet<PathBuf>,
        result: &mut LoadResult,
    ) -> Vec<(PathBuf, ParsedFile)> {
        let before: HashMap<_, _> =
            self.files.iter().map(|(file, parsed)| (file, parsed)).collect();
        let mut seen = BTreeSet::new();
        let mut read = Vec::new();
        for path in &self.paths {
            let files = list_files(path).unwrap_or_else(|error| {
                result.add_unreadable(path.clone(), &error);
                BTreeSet::new()
            });
            for file in files {
                let canonical = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
                let is_being_written = being_written.contains(&canonical);
                if !seen.insert(canonical) {
                    continue;
                }
                let before = before.get(&file).copied();
                if is_being_written {
                    read.extend(before.map(|parsed| (file, parsed.clone())));
                    continue;
                }
                match read_text(&file) {
                    Ok(text) => {
                        let parsed = ParsedFile::parse(&file, text, before);
                        read.push((file, parsed));
                    }
                    // The file was deleted between listing and reading.
                    Err(error) if error.is_not_found() => {}
                    Err(error) => result.add_unreadable(file, &error),
                }
            }
        }
        read
    }
}
