//! Changes of the place of the file.

use std::io;

/// Reason why the path of the data folder leads to another place than the open file.
///
/// The store does not recover from it by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Another folder is at the path.
    #[error(
        "the data folder was replaced; move the old one back, or restart the process to use the \
         new one"
    )]
    FolderReplaced,
    /// No folder is at the path, or its lock file is missing.
    #[error(
        "the data folder was removed or moved, or the file `lock` in it; move it back, or restart \
         the process"
    )]
    FolderMissing,
    /// Another file is at the path of the file.
    #[error(
        "the file of the objects was replaced; move the old one back, or restart the process to \
         use the new one"
    )]
    FileReplaced,
}

impl From<PlaceError> for io::Error {
    fn from(error: PlaceError) -> Self {
        Self::other(error)
    }
}
