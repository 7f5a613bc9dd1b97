//! The parsed files, and the objects that are in use.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;

use super::declared::DeclaredObject;
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
    /// The files, in the order of the paths. `resolve` chooses between two declarations of one
    /// object.
    files: Vec<(PathBuf, ParsedFile)>,
    objects: BTreeMap<ObjectKey, DeclaredObject>,
    problems: Vec<String>,
    /// Files and directories that may contain objects which were not read.
    incomplete_paths: BTreeSet<PathBuf>,
}

impl FileSet {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            fills_metadata: false,
            files: Vec::new(),
            objects: BTreeMap::new(),
            problems: Vec::new(),
            incomplete_paths: BTreeSet::new(),
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

    /// Returns `true` if some objects may be missing, because a file or directory could not be read
    /// or an entry could not be identified.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.incomplete_paths.is_empty()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            resources: self.objects.values().map(|declared| declared.object.clone()).collect(),
            problems: self.problems.clone(),
        }
    }

    /// Reads all files again. Returns `true` if a file, an object or a problem changed.
    ///
    /// `being_written` contains the files that another program has open for writing. They are not
    /// read.
    pub(super) fn reload(&mut self, being_written: &BTreeSet<PathBuf>) -> bool {
        let mut result = LoadResult::default();
        let files = self.read_files(being_written, &mut result);
        for (file, parsed) in &files {
            result.add_file(file, parsed.entries());
        }
        // An object that vanished may have moved into a file that has just become incomplete;
        // `resolve` keeps it then.
        let newly_incomplete = &result.incomplete_paths - &self.incomplete_paths;
        let mut objects = result.resolve(&self.objects, &newly_incomplete);
        if self.fills_metadata {
            self.fill_metadata(&mut objects);
        }
        let is_changed =
            files != self.files || objects != self.objects || result.problems != self.problems;
        self.files = files;
        self.objects = objects;
        self.problems = result.problems;
        self.incomplete_paths = result.incomplete_paths;
        is_changed
    }

    fn fill_metadata(&self, objects: &mut BTreeMap<ObjectKey, DeclaredObject>) {
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

    /// Reads the files in the order of the paths. A file is read once, even if it is the target of
    /// several paths and symbolic links.
    fn read_files(
        &self,
        being_written: &BTreeSet<PathBuf>,
        result: &mut LoadResult,
    ) -> Vec<(PathBuf, ParsedFile)> {
        let previous_files: HashMap<_, _> =
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
                let previous = previous_files.get(&file).copied();
                if is_being_written {
                    // Keep the last parse of a half-written file; a new file waits until it is
                    // complete.
                    read.extend(previous.map(|parsed| (file, parsed.clone())));
                    continue;
                }
                match read_text(&file) {
                    Ok(text) => {
                        let parsed = ParsedFile::parse(&file, text, previous);
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
