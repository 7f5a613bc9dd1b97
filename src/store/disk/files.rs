//! The files of a medium.

use std::fmt::Debug;

use redb::Database;

use super::error::DiskError;

/// Files of a medium: the file of the store, and a new one that replaces it.
pub(in crate::store) trait Files: Debug + Send {
    /// Opens the database.
    fn open(&self) -> Result<Database, DiskError>;

    /// Creates a database in a new file.
    fn create(&self) -> Result<Database, DiskError>;

    /// Replaces the file by the new one. The database in the new file stays open.
    fn replace(&self) -> Result<(), DiskError>;

    /// Returns `true` if the file must not be used again, because a sync of it has failed.
    ///
    /// The kernel reports such an error once and counts the pages as written, so the file can look
    /// complete until the next power cut. The file is also replaced if it does not exist.
    fn needs_replacement(&self) -> Result<bool, DiskError>;
}
