//! The parsed files, and the objects that are in use.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::declared::DeclaredObject;
use super::error::FileError;
use super::identity::FileIdentity;
use super::listing::Listing;
use super::load_queue::{LoadJob, Loaded};
use super::problems::Problems;
use super::resolve::Declarations;
use super::tracked_file::TrackedFile;
use crate::model::{ObjectKey, Resources, Timestamp, UnservedKey, UnservedObject};
use crate::sources::Snapshot;
use crate::sources::server_metadata::fill_server_metadata;

/// An object is removed if no file has declared it for this time. Many programs replace a file in
/// two steps: they truncate or rename the old one first, and write the new one after that.
pub(super) const REMOVAL_DELAY: Duration = Duration::from_secs(1);

/// The files of all paths, and the objects that are in use.
#[derive(Debug, Default)]
pub(super) struct FileSet {
    /// `true` if objects get creation timestamps and generations.
    fills_metadata: bool,
    /// The files and directories as they were listed last.
    listing: Listing,
    /// The files, in the order of the paths. `resolve` chooses between two declarations of one
    /// object.
    files: Vec<TrackedFile>,
    /// Other paths of `files`, such as links, with the path in `files`. An unreadable one keeps its
    /// last target.
    aliases: BTreeMap<PathBuf, PathBuf>,
    /// The position of each path in `files`.
    positions: HashMap<PathBuf, usize>,
    /// `true` if a file was added, changed or removed since the last [`FileSet::resolve`].
    is_changed: bool,
    /// `true` if [`FileSet::resolve`] may have another result than the last time.
    is_stale: bool,
    /// Files whose reading began since the last [`FileSet::resolve`].
    started: BTreeSet<PathBuf>,
    /// Number of the newest job.
    last_job: u64,
    objects: BTreeMap<ObjectKey, DeclaredObject>,
    /// The objects that no file declares any more, with the time of their removal.
    removals: BTreeMap<ObjectKey, Instant>,
    /// The objects of other kinds that refer to `objects`.
    unserved: BTreeMap<UnservedKey, UnservedObject>,
    problems: Problems,
    /// Number of objects of each kind that is not served.
    unsupported: BTreeMap<String, usize>,
    /// Number of objects and documents that are invalid.
    refused: usize,
    /// Files and directories that may contain objects which were not read.
    incomplete_paths: BTreeSet<PathBuf>,
}

/// Differences between two results of [`FileSet::resolve`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Changes {
    /// `true` if an object or a problem changed.
    pub(super) is_changed: bool,
    /// `true` if a file was added, changed or removed.
    pub(super) has_other_files: bool,
    pub(super) added: usize,
    pub(super) changed: usize,
    pub(super) removed: usize,
}

/// Displays the numbers of objects.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, changed, removed, .. } = self;
        match added + changed + removed {
            0 => f.write_str("no object changed"),
            _ => write!(f, "{added} added, {changed} changed, {removed} removed"),
        }
    }
}

impl FileSet {
    /// Sets creation timestamps and generations.
    pub(super) fn with_server_metadata(self) -> Self {
        Self { fills_metadata: true, ..self }
    }

    /// Returns `true` if this listing contains nothing new, and no file has to be read again.
    pub(super) fn is_current(&self, listing: &Listing) -> bool {
        self.listing.unreadable.is_empty()
            && self.listing.is_same(listing)
            && !self.files.iter().any(TrackedFile::is_unsettled)
    }

    /// Returns `true` if [`FileSet::resolve`] may have another result than the last time.
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Replaces the listing. Returns the jobs that read the new and changed files, or all files if
    /// `is_forced`. `now` is a time before the files were listed.
    ///
    /// `being_written` contains the files that another program has open for writing. They are not
    /// read. A file is read once, even if it is the target of several paths and symbolic links.
    pub(super) fn update(
        &mut self,
        listing: Listing,
        being_written: &BTreeSet<PathBuf>,
        is_forced: bool,
        now: SystemTime,
    ) -> Vec<LoadJob> {
        let files = mem::take(&mut self.files).into_iter();
        let mut previous: HashMap<_, _> = files.map(|file| (file.path.clone(), file)).collect();
        let unreadable: HashSet<_> =
            listing.unreadable.iter().map(|(path, _)| path.as_path()).collect();
        self.aliases.retain(|alias, _| {
            unreadable.contains(&**alias)
                || alias.parent().is_some_and(|parent| unreadable.contains(parent))
        });
        let mut seen = HashMap::<&PathBuf, &PathBuf>::new();
        let mut jobs = Vec::new();
        for listed in &listing.files {
            let is_being_written = being_written.contains(&listed.real);
            if let Some(&first) = seen.get(&listed.real) {
                self.aliases.insert(listed.path.clone(), first.clone());
                continue;
            }
            seen.insert(&listed.real, &listed.path);
            let known = previous.remove(&listed.path);
            // Keep the last version of a half-written file; a new file waits until it is complete.
            if is_being_written && known.is_none() {
                continue;
            }
            self.is_changed |= known.is_none();
            let mut file = known.unwrap_or_else(|| TrackedFile::new(listed.path.clone()));
            if !is_being_written {
                let job = file.check(listed.identity, is_forced, now, &mut self.last_job);
                jobs.extend(job);
            }
            self.files.push(file);
        }
        self.is_changed |= !previous.is_empty();
        self.is_stale |= self.is_changed || !jobs.is_empty() || !self.listing.is_same(&listing);
        self.started.extend(jobs.iter().map(|job| job.path.clone()));
        self.index_files();
        self.listing = listing;
        jobs
    }

    /// Stores the results of jobs. Returns the jobs of files that have changed meanwhile.
    pub(super) fn finish(&mut self, loaded: Vec<Loaded>) -> Vec<LoadJob> {
        let mut jobs = Vec::new();
        let mut deleted = BTreeSet::new();
        self.is_stale = true;
        for Loaded { id, path, result, .. } in loaded {
            let Some(index) = self.positions.get(&path) else { continue };
            if result.as_ref().is_err_and(FileError::is_not_found) {
                deleted.insert(path);
                continue;
            }
            let finished = self.files[*index].finish(id, result, &mut self.last_job);
            let Some((is_changed, next)) = finished else { continue };
            self.is_changed |= is_changed;
            jobs.extend(next);
        }
        // These files were deleted after they were listed. A broken link is listed as an error.
        if !deleted.is_empty() {
            self.is_changed = true;
            self.files.retain(|file| !deleted.contains(&file.path));
            self.index_files();
        }
        jobs
    }

    fn index_files(&mut self) {
        let paths = self.files.iter().map(|file| file.path.clone());
        self.positions = paths.zip(0..).collect();
    }

    /// Chooses the objects to use from the files that have been read. An object that no file
    /// declares any more is removed by the first call after its [`FileSet::next_removal`].
    pub(super) fn resolve(&mut self, now: Instant) -> Changes {
        self.is_stale = false;
        let mut declarations = Declarations::default();
        for file in &self.files {
            if let Some(parsed) = &file.parsed {
                declarations.add_file(&file.path, parsed);
            }
            if let Some(error) = &file.error {
                declarations.add_unreadable(&file.path, error);
            }
            if file.is_pending() {
                declarations.add_pending(&file.path);
            }
        }
        for (path, error) in &self.listing.unreadable {
            declarations.add_unreadable(path, error);
        }
        for (alias, file) in self.aliases.iter().filter(|(_, file)| !self.contains(file)) {
            declarations.add_alias(alias, file);
        }
        // An object that vanished may have moved into a file that has just become incomplete;
        // `resolve` keeps it then.
        let incomplete = &declarations.incomplete_paths;
        let mut newly_incomplete = incomplete - &self.incomplete_paths;
        newly_incomplete.extend(&mem::take(&mut self.started) & incomplete);
        let mut objects = declarations.resolve(&self.objects, &newly_incomplete);
        self.delay_removals(&mut objects, now);
        if self.fills_metadata {
            self.fill_metadata(&mut objects);
        }
        let changes = Changes {
            has_other_files: mem::take(&mut self.is_changed),
            // The line of an object is not part of a snapshot.
            is_changed: !has_same_objects(&objects, &self.objects)
                || declarations.unserved != self.unserved
                || declarations.problems.texts() != self.problems.texts(),
            added: objects.keys().filter(|key| !self.objects.contains_key(key)).count(),
            changed: objects.iter().filter(|(key, new)| self.is_other_object(key, new)).count(),
            removed: self.objects.keys().filter(|key| !objects.contains_key(key)).count(),
        };
        self.objects = objects;
        self.unserved = declarations.unserved;
        self.refused = declarations.refused;
        self.unsupported = declarations.unsupported;
        self.incomplete_paths = declarations.incomplete_paths;
        self.problems = declarations.problems;
        changes
    }

    /// Keeps the objects that have been missing for less than [`REMOVAL_DELAY`].
    fn delay_removals(&mut self, objects: &mut BTreeMap<ObjectKey, DeclaredObject>, now: Instant) {
        let mut removals = BTreeMap::new();
        for (key, previous) in &self.objects {
            if objects.contains_key(key) {
                continue;
            }
            let removal = self.removals.get(key).copied().unwrap_or(now + REMOVAL_DELAY);
            if now < removal {
                objects.insert(key.clone(), previous.clone());
                removals.insert(key.clone(), removal);
            }
        }
        self.removals = removals;
    }

    /// Returns the time at which the next object is removed, unless a file declares it by then.
    pub(super) fn next_removal(&self) -> Option<Instant> {
        self.removals.values().min().copied()
    }

    fn is_other_object(&self, key: &ObjectKey, new: &DeclaredObject) -> bool {
        self.objects.get(key).is_some_and(|old| old.original != new.original)
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
                    fill_server_metadata(&mut declared.object, previous, now);
                }
            }
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let objects = self.objects.values().map(|declared| declared.object.clone());
        let mut resources: Resources = objects.collect();
        for (key, object) in &self.unserved {
            resources.unserved.insert(key.clone(), Arc::new(object.clone()));
        }
        Snapshot { resources, problems: self.problems.texts() }
    }

    /// Returns the files and directories as they were listed last.
    pub(super) fn listing(&self) -> &Listing {
        &self.listing
    }

    pub(super) fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Returns `true` if a file has this path.
    pub(super) fn contains(&self, path: &Path) -> bool {
        self.positions.contains_key(path)
    }

    /// Returns `true` if a file is still being read.
    pub(super) fn has_pending(&self) -> bool {
        self.files.iter().any(TrackedFile::is_pending)
    }

    /// Returns the files that take long to read, with the versions that are being read.
    pub(super) fn slow_files(&self) -> impl Iterator<Item = (&PathBuf, FileIdentity)> {
        self.files.iter().filter_map(|file| Some((&file.path, file.slow_version()?)))
    }

    /// Returns the number of files that have been read.
    pub(super) fn file_count(&self) -> usize {
        self.files.iter().filter(|file| file.parsed.is_some()).count()
    }

    /// Returns the number of objects in use.
    pub(super) fn object_count(&self) -> usize {
        self.objects.len()
    }

    /// Returns the number of objects of each kind that is not served.
    pub(super) fn unsupported(&self) -> &BTreeMap<String, usize> {
        &self.unsupported
    }

    /// Returns the number of objects and documents that are invalid.
    pub(super) fn refused_count(&self) -> usize {
        self.refused
    }
}

fn has_same_objects(
    one: &BTreeMap<ObjectKey, DeclaredObject>,
    other: &BTreeMap<ObjectKey, DeclaredObject>,
) -> bool {
    let objects = one.iter().map(|(key, declared)| (key, &declared.object));
    objects.eq(other.iter().map(|(key, declared)| (key, &declared.object)))
}
