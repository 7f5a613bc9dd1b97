//! The files of a medium.

use std::fmt::Debug;

use redb::Database;

use super::error::DiskError;

/// Files of a medium: the file of the store, and a new one that replaces it.
pub(in crate::store) trait Files: Debug + Send {
    /// Opens the database.
    fn open(&mut self) -> Result<Database, DiskError>;

    /// Creates a database in a new file.
    fn create(&mut self) -> Result<Database, DiskError>;

    /// Replaces the file by the new one. The database in the new file stays open.
    fn replace(&mut self) -> Result<(), DiskError>;

    /// Returns `true` if the file must not be used again, because a sync of it has failed.
    ///
    /// The kernel reports such an error once and counts the pages as written, so the file can look
    /// complete until the next power cut. The file is also replaced if it was removed.
    ///
    /// # Errors
    /// Returns an error if another file is in its place.
    fn needs_replacement(&self) -> Result<bool, DiskError>;

    /// Checks that the file that is open is still the one that the next process opens.
    ///
    /// # Errors
    /// Returns an error if the file or its folder was removed or replaced: a write would succeed
    /// and be lost when the process ends.
    fn check_place(&self) -> Result<(), DiskError>;
}
