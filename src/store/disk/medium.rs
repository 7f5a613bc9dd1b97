//! The medium that makes writes durable.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use redb::Database;

use super::database::{Contents, Opener, read, write};
use super::error::{DiskError, OpenError};
use super::folder::Folder;
use super::record::MalformedRecord;
use crate::store::key::Key;
use crate::store::objects::Objects;
use crate::store::resource::Catalog;
use crate::store::revision::Revision;
use crate::store::stored_object::StoredObject;

/// Medium of a store: a file, or the memory only, which needs no action.
pub(in crate::store) enum Medium {
    Memory,
    File {
        path: PathBuf,
        open: Opener,
        /// The database, unless it failed.
        database: Option<Database>,
        /// Keeps the data folder locked.
        _folder: Option<Folder>,
    },
}

impl Medium {
    pub(in crate::store) fn is_memory(&self) -> bool {
        matches!(self, Self::Memory)
    }

    /// Opens the file of a folder.
    pub(in crate::store) fn open(folder: Folder) -> Result<Self, OpenError> {
        let database = folder.first_database()?;
        Ok(Self::File {
            path: folder.file(),
            open: folder.opener(),
            database: Some(database),
            _folder: Some(folder),
        })
    }

    /// Returns the error of a file that cannot be read at the start.
    pub(in crate::store) fn open_error(&self, source: DiskError) -> OpenError {
        OpenError::Disk { path: self.path(), source }
    }

    /// Returns the error of a damaged file.
    pub(in crate::store) fn damaged(&self, record: MalformedRecord) -> OpenError {
        OpenError::Damaged { path: self.path(), source: Box::new(record) }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::File { path, .. } => path.clone(),
            Self::Memory => PathBuf::new(),
        }
    }

    /// Reads everything.
    pub(in crate::store) fn read(&self) -> Result<Contents, DiskError> {
        let Self::File { database: Some(database), .. } = self else {
            return Ok(Contents::default());
        };
        read(database).map_err(|error| DiskError::new("read", error))
    }

    /// Writes objects and the newest revision in one transaction, and returns when it is on disk.
    ///
    /// After an error the database is closed: it may contain the transaction or not, until
    /// [`reopen`](Self::reopen) has made it equal to the state in memory.
    pub(in crate::store) fn commit(
        &mut self,
        changes: &BTreeMap<Key, Option<Arc<StoredObject>>>,
        revision: Revision,
    ) -> Result<(), DiskError> {
        let Self::File { database, .. } = self else { return Ok(()) };
        // `redb` accepts no further write after an I/O error, until the file is opened again.
        let open =
            database.take().ok_or_else(|| DiskError::new("write", redb::Error::PreviousIo))?;
        write(&open, changes, revision).map_err(|error| DiskError::new("write", error))?;
        *database = Some(open);
        Ok(())
    }

    /// Opens the database again, and writes the objects that differ from those in memory.
    ///
    /// Records of resources that the catalog does not have are kept. The revisions of records
    /// before `floor` count as `floor`.
    pub(in crate::store) fn reopen(
        &mut self,
        objects: &Objects,
        catalog: &Catalog,
        floor: Revision,
        revision: Revision,
    ) -> Result<(), DiskError> {
        let Self::File { open, database, .. } = self else { return Ok(()) };
        // The file must be closed before it is opened: the database locks it.
        drop(database.take());
        let opened = open()?;
        let contents = read(&opened).map_err(|error| DiskError::new("read", error))?;
        let mut changes = BTreeMap::new();
        for object in objects.iter() {
            changes.insert(object.key().clone(), Some(object.clone()));
        }
        for record in contents.records {
            let Some(key) = record.key(catalog) else { continue };
            let stored = record.revision().map(|stored| stored.max(floor));
            let current = objects.get(&key).map(|object| object.revision());
            if current.is_none() {
                changes.insert(key, None);
            } else if stored == current {
                changes.remove(&key);
            }
        }
        // The revision is written in any case, which shows that the file can be written.
        write(&opened, &changes, revision).map_err(|error| DiskError::new("write", error))?;
        *database = Some(opened);
        Ok(())
    }

    /// Closes the database.
    pub(in crate::store) fn close(&mut self) -> Result<(), DiskError> {
        match self {
            Self::File { database, .. } => match database.take() {
                Some(open) => open.close().map_err(|error| DiskError::new("close", error)),
                None => Ok(()),
            },
            Self::Memory => Ok(()),
        }
    }
}

impl fmt::Debug for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_memory() { "Memory" } else { "File" })
    }
}
