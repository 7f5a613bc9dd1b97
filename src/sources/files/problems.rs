//! The problems of all files as texts, and the errors whose correction is to be reported.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::declared::DeclaredObject;
use super::error::FileError;
use crate::model::ObjectKey;
use crate::model::manifest::ManifestError;

/// Maximum number of problems of one snapshot.
const MAX_PROBLEMS: usize = 1_000;
/// Maximum number of errors of all files that are remembered to report that they are corrected.
const MAX_KNOWN_ERRORS: usize = 10_000;
/// Maximum number of objects whose last valid version stays in use that are named.
const MAX_KEPT: usize = 20;

/// The problems of all files. Their number is limited.
#[derive(Debug, Default)]
pub(super) struct Problems {
    texts: Vec<String>,
    omitted: usize,
    kept: Vec<String>,
    omitted_kept: usize,
    known_errors: usize,
    /// The errors of each file.
    pub(super) errors: BTreeMap<PathBuf, FileErrors>,
}

/// The errors of one file, without their lines: a line changes if the text above it does.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct FileErrors {
    pub(super) known: BTreeSet<ErrorId>,
    /// Number of errors that are not among `known`.
    pub(super) omitted: usize,
}

/// An error of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ErrorId {
    /// An error in a document: the object, the field and the message.
    Document(Option<ObjectKey>, String, String),
    /// Another file declares the object.
    Duplicate(ObjectKey),
    /// The file or directory cannot be read.
    Unreadable,
}

impl Problems {
    pub(super) fn add_error(&mut self, file: &Path, error: &ManifestError) {
        self.push(|| format!("{}:{error}", file.display()));
        self.remember(file, || {
            let ManifestError { object, field, message, .. } = error.clone();
            ErrorId::Document(object, field, message)
        });
    }

    /// Adds the number of errors of a file that were not kept.
    pub(super) fn add_omitted_errors(&mut self, file: &Path, omitted: usize) {
        if omitted > 0 {
            self.push(|| format!("and {omitted} more errors in {}", file.display()));
            self.errors.entry(file.to_owned()).or_default().omitted += omitted;
        }
    }

    pub(super) fn add_unreadable(&mut self, path: &Path, error: &FileError) {
        self.push(|| error.problem());
        self.remember(path, || ErrorId::Unreadable);
    }

    /// Adds a declaration that is not used, because `used` is.
    pub(super) fn add_duplicate(
        &mut self,
        key: &ObjectKey,
        declared: &DeclaredObject,
        used: &DeclaredObject,
    ) {
        self.push(|| {
            format!(
                "{}:{}: {key}: is already declared in {}:{} and ignored here; remove one of the two",
                declared.file.display(),
                declared.line,
                used.file.display(),
                used.line
            )
        });
        self.remember(&declared.file, || ErrorId::Duplicate(key.clone()));
    }

    /// Adds an object whose last valid version stays in use.
    pub(super) fn add_kept(&mut self, key: &ObjectKey) {
        if self.kept.len() < MAX_KEPT {
            self.kept.push(format!("{key}: the last valid version stays in use"));
        } else {
            self.omitted_kept += 1;
        }
    }

    /// Returns one text for each problem.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = self.texts.clone();
        if self.omitted > 0 {
            texts.push(format!("and {} more problems of files", self.omitted));
        }
        texts.extend(self.kept.iter().cloned());
        if self.omitted_kept > 0 {
            let count = self.omitted_kept;
            texts.push(format!("and {count} more objects: the last valid versions stay in use"));
        }
        texts
    }

    /// Returns the number of errors of all files.
    pub(super) fn error_count(&self) -> usize {
        self.errors.values().map(FileErrors::count).sum()
    }

    fn push(&mut self, text: impl FnOnce() -> String) {
        if self.texts.len() < MAX_PROBLEMS {
            self.texts.push(text());
        } else {
            self.omitted += 1;
        }
    }

    fn remember(&mut self, file: &Path, error: impl FnOnce() -> ErrorId) {
        let errors = self.errors.entry(file.to_owned()).or_default();
        if self.known_errors < MAX_KNOWN_ERRORS {
            self.known_errors += usize::from(errors.known.insert(error()));
        } else {
            errors.omitted += 1;
        }
    }
}

impl FileErrors {
    pub(super) fn count(&self) -> usize {
        self.known.len() + self.omitted
    }
}
