//! The medium that makes writes durable.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redb::Database;

use super::database::{Contents, read, write};
use super::error::{DiskError, OpenError};
use super::files::Files;
use super::folder::Folder;
use super::record::{MalformedRecord, Record};
use super::watchdog::{Report, Watchdog};
use crate::store::key::Key;
use crate::store::objects::Objects;
use crate::store::resource::Catalog;
use crate::store::revision::Revision;
use crate::store::stored_object::StoredObject;

/// Time after which an operation that waits for the disk is logged.
const SLOW: Duration = Duration::from_secs(10);

/// Medium of a store: a file, or the memory only, which needs no action.
#[derive(Debug)]
pub(in crate::store) enum Medium {
    Memory,
    File(FileMedium),
}

/// A database in a file.
#[derive(Debug)]
pub(in crate::store) struct FileMedium {
    path: PathBuf,
    files: Box<dyn Files>,
    /// The database, unless it failed.
    database: Option<Database>,
    /// Records of resources that the catalog does not have.
    unserved: Vec<Record>,
    /// `true` if the file must not be used again.
    is_distrusted: bool,
    watchdog: Watchdog,
}

impl Medium {
    /// Opens the file of a folder, and checks all of it.
    pub(in crate::store) fn open(mut folder: Folder) -> Result<Self, OpenError> {
        let (path, database) = (folder.file(), folder.first_database()?);
        let logged = path.clone();
        let watchdog = Watchdog::start(SLOW, move |report| log(&logged, report));
        Ok(Self::File(FileMedium {
            path,
            files: Box::new(folder),
            database: Some(database),
            unserved: Vec::new(),
            is_distrusted: false,
            watchdog: watchdog.map_err(OpenError::Thread)?,
        }))
    }

    /// Opens the database of a simulated disk.
    #[cfg(test)]
    pub(in crate::store) fn simulated(
        mut files: impl Files + 'static,
        watchdog: Watchdog,
    ) -> Result<Self, DiskError> {
        let database = files.open()?;
        Ok(Self::File(FileMedium {
            path: PathBuf::new(),
            files: Box::new(files),
            database: Some(database),
            unserved: Vec::new(),
            is_distrusted: false,
            watchdog,
        }))
    }

    pub(in crate::store) fn is_memory(&self) -> bool {
        matches!(self, Self::Memory)
    }

    /// Keeps records of resources that the catalog does not have, for a file that replaces this
    /// one.
    pub(in crate::store) fn keep_unserved(&mut self, records: Vec<Record>) {
        if let Self::File(file) = self {
            file.unserved = records;
        }
    }

    /// Returns the error of a file that cannot be read at the start.
    pub(in crate::store) fn open_error(&self, source: DiskError) -> OpenError {
        OpenError::Disk { path: self.path().to_owned(), source }
    }

    /// Returns the error of a damaged file.
    pub(in crate::store) fn damaged(&self, record: MalformedRecord) -> OpenError {
        OpenError::Damaged { path: self.path().to_owned(), source: Box::new(record) }
    }

    /// Returns the path of the file, which is empty for a store in memory.
    pub(in crate::store) fn path(&self) -> &Path {
        match self {
            Self::File(file) => &file.path,
            Self::Memory => Path::new(""),
        }
    }

    /// Replaces the file when it is opened [again](Self::reopen), because it may be damaged.
    pub(in crate::store) fn distrust(&mut self) {
        if let Self::File(file) = self {
            file.is_distrusted = true;
        }
    }

    /// Reads all tables of the file.
    pub(in crate::store) fn read(&self) -> Result<Contents, DiskError> {
        match self {
            Self::File(FileMedium { database: Some(database), .. }) => {
                read(database).map_err(|error| DiskError::new("read", error))
            }
            Self::File(_) | Self::Memory => Ok(Contents::default()),
        }
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
        let Self::File(file) = self else { return Ok(()) };
        let _running = file.watchdog.begin();
        // `redb` accepts no further write after an I/O error, until the file is opened again.
        let database = file.database.take();
        let database = database.ok_or_else(|| DiskError::new("write", redb::Error::PreviousIo))?;
        file.files.check_place()?;
        write(&database, changes, &[], revision).map_err(|error| DiskError::new("write", error))?;
        // An fsync can take seconds, and the folder may have been removed meanwhile.
        file.files.check_place()?;
        file.database = Some(database);
        Ok(())
    }

    /// Opens the database again, and makes it equal to the state in memory.
    ///
    /// The revisions of records before `floor` count as `floor`. Records are compared with their
    /// text: the file may contain a write that was refused.
    pub(in crate::store) fn reopen(
        &mut self,
        objects: &Objects,
        catalog: &Catalog,
        floor: Revision,
        revision: Revision,
    ) -> Result<(), DiskError> {
        let Self::File(file) = self else { return Ok(()) };
        let _running = file.watchdog.begin();
        drop(file.database.take());
        let all = objects.iter().map(|object| (object.key().clone(), Some(object.clone())));
        let mut changes: BTreeMap<_, _> = all.collect();
        let written = |error| DiskError::new("write", error);
        if file.files.needs_replacement()? || file.is_distrusted {
            let database = file.files.create()?;
            write(&database, &changes, &file.unserved, revision).map_err(written)?;
            file.files.replace()?;
            file.is_distrusted = false;
            file.database = Some(database);
            return Ok(());
        }
        let database = file.files.open()?;
        for record in read(&database).map_err(|error| DiskError::new("read", error))?.records {
            let Some(key) = record.key(catalog) else { continue };
            match objects.get(&key) {
                Some(object) if record.contains(object, floor) => _ = changes.remove(&key),
                Some(_) => {}
                None => _ = changes.insert(key, None),
            }
        }
        // The revision is always written, which shows that the file can be written.
        write(&database, &changes, &[], revision).map_err(written)?;
        file.database = Some(database);
        Ok(())
    }

    /// Closes the database.
    pub(in crate::store) fn close(&mut self) -> Result<(), DiskError> {
        match self {
            Self::File(FileMedium { database, .. }) => match database.take() {
                Some(open) => open.close().map_err(|error| DiskError::new("close", error)),
                None => Ok(()),
            },
            Self::Memory => Ok(()),
        }
    }
}

fn log(path: &Path, report: Report) {
    let path = path.display();
    match report {
        Report::Slow => tracing::error!(
            %path,
            "the disk has not answered the store for {} s; writes wait for it. Check the disk, or \
             the network file system",
            SLOW.as_secs()
        ),
        Report::Ended => tracing::info!(%path, "the disk has answered the store; writes continue"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::simulation::FaultyDisk;
    use crate::store::resource::ResourceRules;

    #[test]
    fn record_of_equal_revision_and_other_text_is_replaced() {
        let mut catalog = Catalog::new();
        let maps = catalog.add(ResourceRules::namespaced("", "configmaps", "ConfigMap"));
        let (key, revision) = (Key::namespaced(&maps, "default", "a"), Revision::new(7));
        let object = |data: &str| {
            let text = format!(r#"{{"metadata":{{"name":"a"}},"data":{data}}}"#);
            Arc::new(StoredObject::new(key.clone(), revision, text.into()).unwrap())
        };
        let watchdog = Watchdog::start(SLOW, |_| {}).unwrap();
        let mut medium = Medium::simulated(FaultyDisk::new(1), watchdog).unwrap();
        let refused = BTreeMap::from([(key.clone(), Some(object("1")))]);
        medium.commit(&refused, revision).unwrap();

        let mut objects = Objects::default();
        objects.insert(object("2"));
        medium.reopen(&objects, &catalog, Revision::default(), revision).unwrap();
        let records = medium.read().unwrap().records;
        let [record] = &records[..] else { panic!("{records:?}") };
        assert!(record.contains(&object("2"), Revision::default()), "{record:?}");
    }
}
