//! What the files say, and what they last said that made sense.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;

use super::declared::Declared;
use super::discover::{files_at, text_of};
use super::error::FileError;
use super::parsed_file::ParsedFile;
use super::resolve::LoadResult;
use crate::model::{ObjectKey, Timestamp};
use crate::sources::Snapshot;
use crate::sources::server_metadata::{fill_creation_timestamp, fill_generation};

#[derive(Debug)]
pub(super) struct FileSet {
    paths: Vec<PathBuf>,
    /// Whether objects get ages and generations.
    with_ages: bool,
    /// The files in the order in which their objects count.
    files: Vec<(PathBuf, ParsedFile)>,
    objects: BTreeMap<ObjectKey, Declared>,
    problems: Vec<String>,
    unreadable: BTreeSet<PathBuf>,
}

impl FileSet {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            with_ages: false,
            files: Vec::new(),
            objects: BTreeMap::new(),
            problems: Vec::new(),
            unreadable: BTreeSet::new(),
        }
    }

    pub(super) fn with_ages(self) -> Self {
        Self { with_ages: true, ..self }
    }

    /// Whether every path can be looked at: a mistyped one should not look like an empty one.
    pub(super) fn check_paths(&self) -> Result<(), FileError> {
        for path in &self.paths {
            files_at(path)?;
        }
        Ok(())
    }

    /// Whether something could not be read the last time.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.unreadable.is_empty()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            resources: self.objects.values().map(|kept| kept.object.clone()).collect(),
            problems: self.problems.clone(),
        }
    }

    /// Reads everything anew, but the files that are just `being_written`; whether anything
    /// changed, be it only in a file that holds no object of ours.
    pub(super) fn reload(&mut self, being_written: &BTreeSet<PathBuf>) -> bool {
        let mut findings = LoadResult::default();
        let files = self.read_files(being_written, &mut findings);
        for (file, page) in &files {
            findings.take(file, page.entries());
        }
        let newly_unreadable = &findings.unreadable - &self.unreadable;
        let mut objects = findings.settle(&self.objects, &newly_unreadable);
        if self.with_ages {
            let now = Timestamp::now();
            for (key, kept) in &mut objects {
                match self.objects.get(key) {
                    Some(old) if old.declared == kept.declared => kept.object = old.object.clone(),
                    old => {
                        let old = old.map(|old| &old.object);
                        fill_generation(&mut kept.object, old);
                        fill_creation_timestamp(&mut kept.object, old, now);
                    }
                }
            }
        }
        let changed =
            files != self.files || objects != self.objects || findings.problems != self.problems;
        self.files = files;
        self.objects = objects;
        self.problems = findings.problems;
        self.unreadable = findings.unreadable;
        changed
    }

    /// The files as they are now, in the order of the paths; each once, however it is named.
    fn read_files(
        &self,
        being_written: &BTreeSet<PathBuf>,
        findings: &mut LoadResult,
    ) -> Vec<(PathBuf, ParsedFile)> {
        let known: HashMap<_, _> = self.files.iter().map(|(file, page)| (file, page)).collect();
        let mut places = BTreeSet::new();
        let mut pages = Vec::new();
        for path in &self.paths {
            let files = files_at(path).unwrap_or_else(|error| {
                findings.cannot_read(path.clone(), &error);
                BTreeSet::new()
            });
            for file in files {
                // Files of a directory may be links to each other's places; paths may overlap.
                let place = fs::canonicalize(&file).unwrap_or_else(|_| file.clone());
                let is_being_written = being_written.contains(&place);
                if !places.insert(place) {
                    continue;
                }
                let before = known.get(&file).copied();
                if is_being_written {
                    pages.extend(before.map(|page| (file, page.clone())));
                    continue;
                }
                match text_of(&file) {
                    Ok(text) => {
                        let page = ParsedFile::parse(&file, text, before);
                        pages.push((file, page));
                    }
                    // Deleted between listing and reading.
                    Err(error) if error.is_not_found() => {}
                    Err(error) => findings.cannot_read(file, &error),
                }
            }
        }
        pages
    }
}
