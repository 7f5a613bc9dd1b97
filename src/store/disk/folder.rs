//! The data folder: lock, permissions and files.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Database, DatabaseError, StorageError};

use super::database::{builder, write};
use super::error::{DiskError, OpenError};
use super::files::Files;
use super::folder_lock::{FolderLock, LOCK};
use super::pinned_file::PinnedFile;
use super::place::PlaceError;
use super::reserved_file::ReservedFile;
use crate::store::revision::Revision;

/// Name of the file. The number is the version of the format.
const FILE: &str = "objects.v1.redb";

/// Prefix and suffix of the names of such files, of any version.
const FILE_OF_ANY_VERSION: (&str, &str) = ("objects.v", ".redb");

/// Name of a file that is not complete yet.
const NEW_FILE: &str = "objects.new";

/// A data folder that this process has locked.
#[derive(Debug)]
pub(in crate::store) struct Folder {
    path: PathBuf,
    lock: FolderLock,
    /// `true` if a store was in the folder before.
    is_used: bool,
    /// The file of the store, since it was opened for the first time.
    file: Option<PinnedFile>,
    /// The file that replaces it.
    new_file: Option<PinnedFile>,
    has_failed_sync: Arc<AtomicBool>,
}

impl Folder {
    /// Creates the folder if it does not exist, and locks it. `is_used` is `true` if the caller
    /// knows that a store was in it before.
    pub(in crate::store) fn open(path: &Path, is_used: bool) -> Result<Self, OpenError> {
        create_folder(path)?;
        let lock = FolderLock::acquire(path)?;
        restrict(path)?;
        find_unknown_format(path)?;
        Ok(Self {
            path: path.to_owned(),
            is_used: is_used || lock.existed(),
            lock,
            file: None,
            new_file: None,
            has_failed_sync: Arc::default(),
        })
    }

    /// Returns the path of the file.
    pub(super) fn file(&self) -> PathBuf {
        self.path.join(FILE)
    }

    /// Opens the database for the first time, and checks all of it. Creates it if it does not
    /// exist.
    pub(super) fn first_database(&mut self) -> Result<Database, OpenError> {
        let path = self.file();
        let disk = |source| OpenError::Disk { path: path.clone(), source };
        if self.needs_replacement().map_err(disk)? {
            if self.is_used {
                tracing::warn!(
                    path = %path.display(),
                    "the data folder was used before, but the file of its objects does not exist; \
                     the store is empty. If you did not remove the file, stop the gateway and \
                     restore the folder from a backup"
                );
            }
            let created = self.create_first();
            if created.is_err() && !self.is_used {
                // Otherwise the next start would take the folder for a used one.
                _ = fs::remove_file(self.path.join(NEW_FILE));
                _ = fs::remove_file(self.path.join(LOCK));
            }
            return created.map_err(disk);
        }
        let error = |error| disk(DiskError::of_io("open", error));
        let (file, pinned) = PinnedFile::open_or_create(&path)
            .map_err(|source| OpenError::of_file(&path, source))?;
        // `redb` would create a database in an empty file. The file of a store is complete when it
        // gets its name, so it was truncated, for example by a power cut during a restore.
        if file.metadata().map_err(error)?.len() == 0 {
            return Err(OpenError::Damaged { path, source: "the file is empty".into() });
        }
        let backend = ReservedFile::new(file, self.has_failed_sync.clone());
        let opened = builder().set_check_integrity_on_open(true).create_with_backend(backend);
        let database = opened.map_err(|error| error_of(&path, error))?;
        self.file = Some(pinned);
        Ok(database)
    }

    fn create_first(&mut self) -> Result<Database, DiskError> {
        let database = self.create()?;
        write(&database, &BTreeMap::new(), &[], Revision::default())
            .map_err(|error| DiskError::new("create", error))?;
        self.replace()?;
        Ok(database)
    }

    fn database(
        &self,
        name: &str,
        operation: &'static str,
    ) -> Result<(Database, PinnedFile), DiskError> {
        let opened = PinnedFile::open_or_create(&self.path.join(name));
        let (file, pinned) = opened.map_err(|error| DiskError::of_io(operation, error))?;
        let backend = ReservedFile::new(file, self.has_failed_sync.clone());
        let created = builder().create_with_backend(backend);
        Ok((created.map_err(|error| DiskError::new(operation, error))?, pinned))
    }

    /// Returns `true` if the file exists.
    ///
    /// # Errors
    /// Returns an error if it is not the file that was open before: the file may be a restored one,
    /// which must not be overwritten.
    fn exists(&self) -> io::Result<bool> {
        self.lock.check()?;
        let path = self.file();
        let found = match &self.file {
            Some(file) => file.is_at(&path)?,
            None => path.try_exists()?.then_some(true),
        };
        if found == Some(false) {
            return Err(PlaceError::FileReplaced.into());
        }
        Ok(found.is_some())
    }
}

impl Files for Folder {
    fn open(&mut self) -> Result<Database, DiskError> {
        let (database, pinned) = self.database(FILE, "open")?;
        self.file = Some(pinned);
        Ok(database)
    }

    fn create(&mut self) -> Result<Database, DiskError> {
        match fs::remove_file(self.path.join(NEW_FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DiskError::of_io("create", error));
            }
            _ => {}
        }
        let (database, pinned) = self.database(NEW_FILE, "create")?;
        self.new_file = Some(pinned);
        Ok(database)
    }

    fn replace(&mut self) -> Result<(), DiskError> {
        let error = |error| DiskError::of_io("replace", error);
        fs::rename(self.path.join(NEW_FILE), self.file()).map_err(error)?;
        self.file = self.new_file.take();
        sync_folder(&self.path).map_err(error)?;
        self.has_failed_sync.store(false, Ordering::Release);
        Ok(())
    }

    fn needs_replacement(&self) -> Result<bool, DiskError> {
        let exists = self.exists().map_err(|error| DiskError::of_io("open", error))?;
        Ok(!exists || self.has_failed_sync.load(Ordering::Acquire))
    }

    fn check_place(&self) -> Result<(), DiskError> {
        let exists = self.exists().and_then(|exists| {
            let removed = "the file was removed; it is written again from memory";
            exists.then_some(()).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, removed))
        });
        exists.map_err(|error| DiskError::of_io("write", error))
    }
}

fn folder_error(operation: &'static str, path: &Path, source: io::Error) -> OpenError {
    OpenError::Folder { operation, path: path.to_owned(), source }
}

fn error_of(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::UpgradeRequired(_) => OpenError::UnknownFormat { path },
        // The file does not begin like a database.
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() == io::ErrorKind::InvalidData =>
        {
            OpenError::UnknownFormat { path }
        }
        DatabaseError::Storage(error @ StorageError::Corrupted(_)) => {
            OpenError::Damaged { path, source: Box::new(error) }
        }
        error => OpenError::Disk { path, source: DiskError::new("open", error) },
    }
}

fn create_folder(path: &Path) -> Result<(), OpenError> {
    if path.is_dir() {
        return Ok(());
    }
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(|error| folder_error("create", path, error))?;
    // Otherwise the folder could be missing after a power cut.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let synced = sync_folder(parent.unwrap_or_else(|| Path::new(".")));
    synced.map_err(|error| folder_error("sync the parent of", path, error))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Closes the folder to other users if it is ours: if it contains only files of a store.
fn restrict(path: &Path) -> Result<(), OpenError> {
    let error = |error| folder_error("read", path, error);
    let mode = fs::metadata(path).map_err(error)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let mut names = fs::read_dir(path).map_err(error)?.filter_map(|entry| entry.ok());
    let is_ours = names.all(|entry| {
        let name = entry.file_name();
        [FILE, NEW_FILE, LOCK].iter().any(|ours| name == *ours)
    });
    let folder = path.display();
    if !is_ours {
        tracing::warn!(%folder, "the data folder contains other files, so its permissions stay as they are; other users can open it. Set its mode to 0700, or choose an empty folder");
    } else if let Err(error) = fs::set_permissions(path, Permissions::from_mode(0o700)) {
        tracing::warn!(%folder, %error, "cannot set the mode of the data folder to 0700; other users can open it. Check the owner of the folder");
    }
    Ok(())
}

/// Refuses a folder with the file of another format.
fn find_unknown_format(path: &Path) -> Result<(), OpenError> {
    let entries = fs::read_dir(path).map_err(|error| folder_error("read", path, error))?;
    let (start, end) = FILE_OF_ANY_VERSION;
    for entry in entries {
        let name = entry.map_err(|error| folder_error("read", path, error))?.file_name();
        let is_other = name != FILE
            && name.to_str().is_some_and(|name| name.starts_with(start) && name.ends_with(end));
        if is_other {
            return Err(OpenError::UnknownFormat { path: path.join(name) });
        }
    }
    Ok(())
}
