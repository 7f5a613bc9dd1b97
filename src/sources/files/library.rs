//! What the files say, and what they last said that made sense.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::super::{Snapshot, SourceError};
use super::read;
use crate::model::manifest::{self, Content, Entry};
use crate::model::{Object, ObjectKey, Resources, Timestamp};

#[derive(Debug)]
pub(super) struct Library {
    paths: Vec<PathBuf>,
    /// Whether objects get ages and generations.
    with_ages: bool,
    files: BTreeMap<PathBuf, Page>,
    objects: BTreeMap<ObjectKey, Kept>,
    problems: Vec<String>,
    /// Whether some path could not be looked at.
    incomplete: bool,
}

/// A file as it was last read.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    text: String,
    entries: Vec<Entry>,
}

/// An object that is in force, and the file it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    object: Object,
    file: PathBuf,
    line: usize,
}

/// What one reading finds.
#[derive(Default)]
struct Findings {
    objects: BTreeMap<ObjectKey, Kept>,
    problems: Vec<String>,
    /// Objects that are there, but wrong.
    faulty: BTreeSet<ObjectKey>,
    /// Files, and directories of files, in which anything may be.
    unreadable: BTreeSet<PathBuf>,
}

impl Library {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            with_ages: false,
            files: BTreeMap::new(),
            objects: BTreeMap::new(),
            problems: Vec::new(),
            incomplete: false,
        }
    }

    pub(super) fn with_ages(self) -> Self {
        Self { with_ages: true, ..self }
    }

    /// Whether every path can be looked at: a mistyped one should not look like an empty one.
    pub(super) fn check_paths(&self) -> Result<(), SourceError> {
        for path in &self.paths {
            read::files_at(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        }
        Ok(())
    }

    /// Whether some path could not be looked at the last time.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            resources: self.objects.values().map(|kept| kept.object.clone()).collect::<Resources>(),
            problems: self.problems.clone(),
        }
    }

    /// Reads everything anew; whether anything changed, be it only in a file that holds no object
    /// of ours.
    pub(super) fn reload(&mut self) -> bool {
        let mut findings = Findings::default();
        let files = self.read_files(&mut findings);
        for (file, page) in &files {
            findings.take(file, page);
        }
        self.keep_last_good(&mut findings);
        if self.with_ages {
            let now = Timestamp::now();
            for (key, kept) in &mut findings.objects {
                stamp(&mut kept.object, self.objects.get(key).map(|old| &old.object), now);
            }
        }
        let changed = files != self.files
            || findings.objects != self.objects
            || findings.problems != self.problems;
        self.files = files;
        self.objects = findings.objects;
        self.problems = findings.problems;
        changed
    }

    /// The files as they are now; those that have not changed are not parsed again.
    fn read_files(&mut self, findings: &mut Findings) -> BTreeMap<PathBuf, Page> {
        let mut files = BTreeSet::new();
        self.incomplete = false;
        for path in &self.paths {
            match read::files_at(path) {
                Ok(found) => files.extend(found),
                Err(error) => {
                    self.incomplete = true;
                    findings.cannot_read(path.clone(), &error);
                }
            }
        }
        let mut pages = BTreeMap::new();
        for file in files {
            match read::text_of(&file) {
                Ok(text) => {
                    let page = match self.files.remove(&file) {
                        Some(page) if page.text == text => page,
                        _ => Page { entries: manifest::read(&text), text },
                    };
                    pages.insert(file, page);
                }
                // Deleted between listing and reading.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => findings.cannot_read(file, &error),
            }
        }
        pages
    }

    /// Objects that are not there any more, but may be meant to be, stay as they were.
    fn keep_last_good(&self, findings: &mut Findings) {
        for (key, old) in &self.objects {
            let missing = !findings.objects.contains_key(key);
            let unreadable =
                |path: &PathBuf| old.file == *path || old.file.parent() == Some(path.as_path());
            if missing
                && (findings.faulty.contains(key) || findings.unreadable.iter().any(unreadable))
            {
                findings.problems.push(format!("{key}: the last good version stays in force"));
                findings.objects.insert(key.clone(), old.clone());
            }
        }
    }
}

impl Findings {
    fn take(&mut self, file: &Path, page: &Page) {
        for entry in &page.entries {
            match &entry.content {
                Content::Object(object) => self.add(file, entry.line, object),
                Content::Foreign(what) => {
                    tracing::debug!(file = %file.display(), line = entry.line, what, "not used for routing");
                }
                Content::Faulty(faults) => {
                    self.problems
                        .extend(faults.iter().map(|fault| format!("{}:{fault}", file.display())));
                    match &entry.key {
                        Some(key) => _ = self.faulty.insert(key.clone()),
                        None => _ = self.unreadable.insert(file.to_owned()),
                    }
                }
            }
        }
    }

    /// The first of several objects with one name is the one that counts.
    fn add(&mut self, file: &Path, line: usize, object: &Object) {
        let key = object.key();
        if let Some(first) = self.objects.get(&key) {
            self.problems.push(format!(
                "{}:{line}: {key}: is declared already in {}:{}; remove one of the two",
                file.display(),
                first.file.display(),
                first.line
            ));
            return;
        }
        self.objects.insert(key, Kept { object: object.clone(), file: file.to_owned(), line });
    }

    fn cannot_read(&mut self, path: PathBuf, error: &io::Error) {
        self.problems.push(format!("{}: cannot be read: {error}", path.display()));
        self.unreadable.insert(path);
    }
}

/// Gives an object the age and the generation that an API server would give it.
fn stamp(object: &mut Object, old: Option<&Object>, now: Timestamp) {
    let generation = match old {
        Some(old) => old.metadata().generation.unwrap_or(1) + i64::from(!same_spec(object, old)),
        None => object.metadata().generation.unwrap_or(1),
    };
    let born = old.and_then(|old| old.metadata().creation_timestamp).unwrap_or(now);
    let metadata = object.metadata_mut();
    metadata.generation = Some(generation);
    metadata.creation_timestamp.get_or_insert(born);
}

/// Of the kinds with a status; the generation of the others is not looked at.
fn same_spec(one: &Object, other: &Object) -> bool {
    match (one, other) {
        (Object::GatewayClass(one), Object::GatewayClass(other)) => one.spec == other.spec,
        (Object::Gateway(one), Object::Gateway(other)) => one.spec == other.spec,
        (Object::TcpRoute(one), Object::TcpRoute(other)) => one.spec == other.spec,
        _ => true,
    }
}
