//! The database of a store: its tables, and their contents.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};

use super::record::Record;
use crate::store::key::Key;
use crate::store::revision::Revision;
use crate::store::stored_object::StoredObject;

/// Paths and records of objects.
const OBJECTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("objects");

/// Numbers of the store.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// Name of the newest revision in `NUMBERS`.
const REVISION: &str = "revision";

/// Memory that the database uses as a cache. Reads come from the memory of the store, so only the
/// inner pages of the B-trees are used again.
const CACHE_BYTES: usize = 4 << 20;

/// Contents of a database.
#[derive(Debug, Default)]
pub(in crate::store) struct Contents {
    pub(in crate::store) revision: Revision,
    pub(in crate::store) records: Vec<Record>,
}

/// Returns the builder of databases.
pub(super) fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Reads all tables.
pub(super) fn read(database: &Database) -> Result<Contents, redb::Error> {
    let transaction = database.begin_read()?;
    let objects = match transaction.open_table(OBJECTS) {
        // A new database has no table.
        Err(TableError::TableDoesNotExist(_)) => return Ok(Contents::default()),
        opened => opened?,
    };
    let mut contents = Contents::default();
    for entry in objects.iter()? {
        let (path, bytes) = entry?;
        let (path, bytes) = (path.value().to_owned(), bytes.value().to_vec());
        contents.records.push(Record { path, bytes });
    }
    let revision = transaction.open_table(NUMBERS)?.get(REVISION)?;
    contents.revision =
        revision.map_or_else(Revision::default, |guard| Revision::new(guard.value()));
    Ok(contents)
}

/// Writes objects, records and the newest revision in one transaction, and returns when it is on
/// disk.
pub(super) fn write(
    database: &Database,
    changes: &BTreeMap<Key, Option<Arc<StoredObject>>>,
    records: &[Record],
    revision: Revision,
) -> Result<(), redb::Error> {
    // The default durability: `commit` returns after fsync.
    let transaction = database.begin_write()?;
    {
        let mut objects = transaction.open_table(OBJECTS)?;
        for (key, object) in changes {
            let path = Record::path_of(key);
            match object {
                Some(object) => {
                    objects.insert(path.as_str(), Record::bytes_of(object).as_slice())?;
                }
                None => {
                    objects.remove(path.as_str())?;
                }
            }
        }
        for record in records {
            objects.insert(record.path.as_str(), record.bytes.as_slice())?;
        }
        transaction.open_table(NUMBERS)?.insert(REVISION, revision.get())?;
    }
    transaction.commit()?;
    Ok(())
}
