//! The log of what was read, what was not read, and which errors are corrected.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::file_set::{Changes, FileSet};
use super::identity::FileIdentity;
use super::listing::SkippedEntries;
use super::problems::{ErrorId, FileErrors};
use super::reload_result::ReloadRequest;

/// Maximum number of names in a line.
const MAX_NAMES: usize = 5;
/// Maximum number of characters of a kind that is not served.
const MAX_KIND: usize = 100;
/// Maximum number of lines of one kind about files or directories for one change.
const MAX_LINES: usize = 20;

/// State of the log. Only changes are logged.
#[derive(Debug, Default)]
pub(super) struct ReadLog {
    is_started: bool,
    request: Option<ReloadRequest>,
    errors: BTreeMap<PathBuf, FileErrors>,
    skipped: BTreeMap<PathBuf, SkippedEntries>,
    unsupported: BTreeMap<String, usize>,
    file_count: usize,
    /// The versions of files that were reported because they take long to read.
    slow: HashMap<PathBuf, FileIdentity>,
}

impl ReadLog {
    /// Logs that all files are read again on request. When they have been read, the next call of
    /// [`ReadLog::log_changes`] logs the result.
    pub(super) fn request(&mut self, files: &FileSet) {
        let request = ReloadRequest::start(files);
        // Before the first result is logged, it is also the result of the request.
        if self.is_started {
            self.request.get_or_insert(request);
        }
    }

    /// Logs the changes since the last call.
    pub(super) fn log_changes(&mut self, files: &FileSet, changes: Changes) {
        let is_first = !self.is_started;
        self.is_started = true;
        self.log_skipped(&files.listing().skipped, is_first);
        self.log_unsupported(files.unsupported());
        self.log_corrected(files);
        self.log_pending(files, is_first);
        let has_other_count = self.file_count != files.file_count();
        self.file_count = files.file_count();
        if let Some(request) = &mut self.request {
            request.add(changes);
        }
        let is_complete = !files.has_pending() && files.next_removal().is_none();
        if let Some(request) = self.request.take_if(|_| is_complete) {
            warn_if_empty(files);
            request.log_result(files);
        } else if is_first || changes.is_changed || has_other_count {
            log_counts(files, changes, is_first);
        } else if changes.has_other_files {
            tracing::debug!("files changed, but their objects are the same");
        }
        if is_first && files.refused_count() > 0 {
            tracing::warn!(
                refused = files.refused_count(),
                "objects in files refused: {}; files are checked as an API server checks objects, \
                 and the errors below contain the reasons. CHANGELOG.md lists under Breaking what \
                 earlier versions read",
                files.refused_count()
            );
        }
    }

    /// Logs the entries of directories that are not read.
    fn log_skipped(&mut self, skipped: &BTreeMap<PathBuf, SkippedEntries>, is_first: bool) {
        let empty = SkippedEntries::default();
        let is_new = |(directory, entries): &(&PathBuf, &SkippedEntries)| {
            let previous = self.skipped.get(*directory).unwrap_or(&empty);
            is_first || previous.differs_visibly(entries)
        };
        let new: Vec<_> = skipped.iter().filter(is_new).collect();
        for (directory, entries) in new.iter().take(MAX_LINES) {
            let parts = [
                describe_names("subdirectories", &entries.directories),
                describe_names("files with other extensions", &entries.other_extensions),
                describe_names("special files", &entries.special),
                describe_names("hidden files", &entries.hidden),
            ];
            let parts: Vec<_> = parts.into_iter().flatten().collect();
            if !parts.is_empty() {
                tracing::info!(
                    "not read in {}: {}; manifests are the files *.yaml, *.yml and *.json",
                    directory.display(),
                    parts.join("; ")
                );
            }
        }
        if new.len() > MAX_LINES {
            let more = new.len() - MAX_LINES;
            tracing::info!("{more} more directories contain entries that are not read");
        }
        self.skipped = skipped.clone();
    }

    /// Logs the kinds of objects that are not served.
    fn log_unsupported(&mut self, unsupported: &BTreeMap<String, usize>) {
        if *unsupported == self.unsupported {
            return;
        }
        self.unsupported.clone_from(unsupported);
        let kinds: Vec<_> = unsupported
            .iter()
            .map(|(kind, count)| {
                let kind: String = kind.chars().take(MAX_KIND).collect();
                format!("{count} of {kind}")
            })
            .collect();
        if !kinds.is_empty() {
            tracing::info!(
                "objects not used, their kinds are not served: {}",
                join_limited(&kinds)
            );
        }
    }

    /// Logs the errors that are gone.
    fn log_corrected(&mut self, files: &FileSet) {
        let current = &files.problems().errors;
        let describe = |(file, previous): (&PathBuf, &FileErrors)| {
            let empty = FileErrors::default();
            let errors = current.get(file).unwrap_or(&empty);
            let is_listed = || files.listing().files.iter().any(|listed| listed.path == *file);
            describe_corrected(file, previous, errors, is_listed)
        };
        let corrected: Vec<_> = self.errors.iter().filter_map(describe).collect();
        for line in corrected.iter().take(MAX_LINES) {
            tracing::info!("{line}");
        }
        if corrected.len() > MAX_LINES {
            tracing::info!("errors in {} more files are gone", corrected.len() - MAX_LINES);
        }
        self.errors.clone_from(current);
    }

    /// Logs the files that take long to read, each version once.
    fn log_pending(&mut self, files: &FileSet, is_first: bool) {
        self.slow.retain(|path, _| files.contains(path));
        let mut new = Vec::new();
        for (path, identity) in files.slow_files() {
            if self.slow.insert(path.clone(), identity) != Some(identity) {
                new.push(path.display().to_string());
            }
        }
        if new.is_empty() {
            return;
        }
        let names = join_limited(&new);
        if is_first {
            tracing::warn!(
                "still reading {names}; the gateway starts without the objects in these files, and \
                 uses them when they are read"
            );
        } else {
            tracing::info!("still reading {names}; changes of other files take effect meanwhile");
        }
    }
}

fn log_counts(files: &FileSet, changes: Changes, is_first: bool) {
    let (read, objects) = (files.file_count(), files.object_count());
    let errors = files.problems().error_count();
    let changes = if is_first { String::new() } else { format!(" ({changes})") };
    let error_text = if errors == 0 { String::new() } else { format!("; errors: {errors}") };
    warn_if_empty(files);
    tracing::info!(
        files = read,
        objects,
        errors,
        "files read: {read}, objects: {objects}{changes}{error_text}"
    );
}

fn warn_if_empty(files: &FileSet) {
    if files.file_count() > 0 {
        return;
    }
    match files.object_count() {
        0 => tracing::warn!("no files were read; the gateway has no objects from files"),
        // Another line follows when the objects are removed.
        _ if files.next_removal().is_some() => {}
        objects => tracing::warn!("no files were read; {objects} objects from files stay in use"),
    }
}

/// Returns a line for the errors of a file that are gone.
fn describe_corrected(
    file: &Path,
    previous: &FileErrors,
    current: &FileErrors,
    is_listed: impl Fn() -> bool,
) -> Option<String> {
    let file = file.display();
    match current.count() {
        0 if is_listed() => return Some(format!("{file}: corrected, it contains no errors now")),
        0 => return Some(format!("{file}: its errors are gone")),
        // Its other errors are not corrected, they are not known any more.
        _ if current.known.contains(&ErrorId::Unreadable) => return None,
        _ => {}
    }
    let mut gone = previous.known.difference(&current.known).peekable();
    if current.omitted > 0 || gone.peek().is_none() {
        return None;
    }
    let gone: Vec<_> = gone.map(describe_error).collect();
    let remaining = current.count();
    let list = join_limited(&gone);
    Some(format!("{file}: corrected: {list}; remaining errors: {remaining}"))
}

fn describe_error(error: &ErrorId) -> String {
    match error {
        ErrorId::Document(Some(object), field, _) if field.is_empty() => object.to_string(),
        ErrorId::Document(Some(object), field, _) => format!("{object}: {field}"),
        ErrorId::Document(None, _, message) => message.clone(),
        ErrorId::Duplicate(key) => format!("{key} declared twice"),
        ErrorId::Unreadable => "cannot be read".to_owned(),
    }
}

fn describe_names(what: &str, names: &BTreeSet<OsString>) -> Option<String> {
    let texts: Vec<_> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    (!texts.is_empty()).then(|| format!("{what}: {}", join_limited(&texts)))
}

fn join_limited(texts: &[String]) -> String {
    let mut list = texts[..texts.len().min(MAX_NAMES)].join(", ");
    if texts.len() > MAX_NAMES {
        list.push_str(&format!(" and {} more", texts.len() - MAX_NAMES));
    }
    list
}
