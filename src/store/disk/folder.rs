//! The data folder: lock, permissions and files.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Database, DatabaseError, StorageError};

use super::database::{builder, write};
use super::error::{DiskError, OpenError};
use super::files::Files;
use super::reserved_file::ReservedFile;
use crate::store::revision::Revision;

/// Name of the file. The number is the version of the format.
const FILE: &str = "objects.v1.redb";

/// Prefix and suffix of the names of such files, of any version.
const FILE_OF_ANY_VERSION: (&str, &str) = ("objects.v", ".redb");

/// Name of a file that is not complete yet.
const NEW_FILE: &str = "objects.new";

/// Name of the lock file, which contains the ID of the process.
const LOCK: &str = "lock";

/// A data folder that this process has locked.
#[derive(Debug)]
pub(in crate::store) struct Folder {
    path: PathBuf,
    /// The lock ends when the file is closed.
    lock: File,
    has_failed_sync: Arc<AtomicBool>,
}

impl Folder {
    /// Creates the folder if it does not exist, and locks it.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, OpenError> {
        create_folder(path)?;
        let lock = lock(path)?;
        restrict(path)?;
        find_unknown_format(path)?;
        Ok(Self { path: path.to_owned(), lock, has_failed_sync: Arc::default() })
    }

    /// Returns the path of the file.
    pub(super) fn file(&self) -> PathBuf {
        self.path.join(FILE)
    }

    /// Opens the database for the first time, and checks all of it. Creates it if it does not
    /// exist.
    pub(super) fn first_database(&self) -> Result<Database, OpenError> {
        let path = self.file();
        let disk = |source| OpenError::Disk { path: path.clone(), source };
        if self.needs_replacement().map_err(disk)? {
            let database = self.create().map_err(disk)?;
            write(&database, &BTreeMap::new(), &[], Revision::default())
                .map_err(|error| disk(DiskError::new("create", error)))?;
            self.replace().map_err(disk)?;
            return Ok(database);
        }
        open_file(&path)
            .map_err(|error| DatabaseError::Storage(StorageError::Io(error)))
            .and_then(|file| {
                let backend = ReservedFile::new(file, self.has_failed_sync.clone());
                builder().set_check_integrity_on_open(true).create_with_backend(backend)
            })
            .map_err(|error| error_of(&path, error))
    }

    fn database(&self, name: &str, operation: &'static str) -> Result<Database, DiskError> {
        let file = open_file(&self.path.join(name));
        let file = file.map_err(|error| DiskError::of_io(operation, error))?;
        let backend = ReservedFile::new(file, self.has_failed_sync.clone());
        let created = builder().create_with_backend(backend);
        created.map_err(|error| DiskError::new(operation, error))
    }

    /// Checks that the folder is still the one that is locked: it may have been replaced, or its
    /// file system is no longer mounted.
    fn check_lock(&self) -> io::Result<()> {
        let (ours, found) = (self.lock.metadata()?, fs::metadata(self.path.join(LOCK))?);
        if (ours.dev(), ours.ino()) == (found.dev(), found.ino()) {
            return Ok(());
        }
        Err(io::Error::other(
            "the data folder was replaced; restart the process to use the new one",
        ))
    }
}

impl Files for Folder {
    fn open(&self) -> Result<Database, DiskError> {
        self.database(FILE, "open")
    }

    fn create(&self) -> Result<Database, DiskError> {
        match fs::remove_file(self.path.join(NEW_FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DiskError::of_io("create", error));
            }
            _ => {}
        }
        self.database(NEW_FILE, "create")
    }

    fn replace(&self) -> Result<(), DiskError> {
        let renamed = fs::rename(self.path.join(NEW_FILE), self.file());
        let renamed = renamed.and_then(|()| sync_folder(&self.path));
        renamed.map_err(|error| DiskError::of_io("replace", error))?;
        self.has_failed_sync.store(false, Ordering::Release);
        Ok(())
    }

    fn needs_replacement(&self) -> Result<bool, DiskError> {
        let error = |error| DiskError::of_io("open", error);
        self.check_lock().map_err(error)?;
        let exists = self.file().try_exists().map_err(error)?;
        Ok(!exists || self.has_failed_sync.load(Ordering::Acquire))
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

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Locks the folder. The kernel releases the lock when the process ends, also after a crash.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK);
    let error = |operation| move |source| folder_error(operation, &folder.join(LOCK), source);
    let mut writable = open_file(&path).map_err(error("open"))?;
    // A file that is open for writing would keep the file system from becoming read-only.
    let mut lock = File::open(&path).map_err(error("open"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = lock.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(OpenError::InUse { folder: folder.to_owned(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(error("lock")(source)),
    }
    // The ID is only for the error message of another process, so a full disk is not an error.
    _ = writable.set_len(0).and_then(|()| writeln!(writable, "{}", std::process::id()));
    Ok(lock)
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
