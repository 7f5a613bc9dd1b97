//! An object with its position in a file.

use std::path::PathBuf;

use crate::model::Object;

/// An object with the position of its declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeclaredObject {
    /// The object as the file contains it.
    pub(super) original: Object,
    /// The object with the metadata that an API server would set.
    pub(super) object: Object,
    pub(super) file: PathBuf,
    /// The line on which the object's document begins, counted from 1.
    pub(super) line: usize,
}
