//! An object with the place of its declaration.

use std::path::PathBuf;

use crate::model::Object;

/// An object that is in force, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// The object as the file contains it.
    pub(super) declared: Object,
    /// The object with the metadata that an API server sets.
    pub(super) object: Object,
    pub(super) file: PathBuf,
    pub(super) line: usize,
}
