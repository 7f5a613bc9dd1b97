//! The data folder: lock, permissions and files.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, StorageError};

use super::database::Opener;
use super::error::{DiskError, OpenError};

/// Name of the file. The number is the version of the format.
const FILE: &str = "objects.v1.redb";

/// Start and end of the names of such files, of any version.
const FILE_OF_ANY_VERSION: (&str, &str) = ("objects.v", ".redb");

/// Name of a file that is not complete yet.
const NEW_FILE: &str = "objects.new";

/// Name of the lock file, which contains the ID of the process.
const LOCK: &str = "lock";

/// Memory that the database uses as a cache. Reads come from the memory of the store, so only the
/// inner pages of the B-trees are used again.
const CACHE_BYTES: usize = 4 << 20;

/// A data folder that this process has locked.
#[derive(Debug)]
pub(in crate::store) struct Folder {
    path: PathBuf,
    /// The lock ends when the file is closed.
    _lock: File,
}

impl Folder {
    /// Creates the folder if it does not exist, and locks it.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, OpenError> {
        create_folder(path)?;
        let lock = lock(path)?;
        restrict(path)?;
        find_unknown_format(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Returns the path of the file.
    pub(in crate::store) fn file(&self) -> PathBuf {
        self.path.join(FILE)
    }

    /// Opens the database for the first time, and checks all of it. Creates it if it does not
    /// exist.
    pub(in crate::store) fn first_database(&self) -> Result<Database, OpenError> {
        let path = self.file();
        create_file(&self.path).map_err(|source| OpenError::Disk { path: path.clone(), source })?;
        open_file(&path)
            .map_err(|error| DatabaseError::Storage(StorageError::Io(error)))
            .and_then(FileBackend::new)
            .and_then(|backend| {
                builder().set_check_integrity_on_open(true).create_with_backend(backend)
            })
            .map_err(|error| error_of(&path, error))
    }

    /// Returns a function that opens the database again after an error. It creates the database if
    /// it was removed.
    pub(in crate::store) fn opener(&self) -> Opener {
        let folder = self.path.clone();
        Box::new(move || {
            create_file(&folder)?;
            open_database(&folder.join(FILE))
        })
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn open_database(file: &Path) -> Result<Database, DiskError> {
    let opened = open_file(file).map_err(|error| DiskError::of_io("open", error))?;
    let backend = FileBackend::new(opened).map_err(|error| DiskError::new("open", error))?;
    builder().create_with_backend(backend).map_err(|error| DiskError::new("open", error))
}

/// Creates the file if it does not exist: under another name first, so that it is complete when it
/// has its own.
fn create_file(folder: &Path) -> Result<(), DiskError> {
    let (new, file) = (folder.join(NEW_FILE), folder.join(FILE));
    let error = |error| DiskError::of_io("create", error);
    if file.try_exists().map_err(error)? {
        return Ok(());
    }
    match fs::remove_file(&new) {
        Err(found) if found.kind() != io::ErrorKind::NotFound => return Err(error(found)),
        _ => {}
    }
    let database = open_database(&new)?;
    database.close().map_err(|error| DiskError::new("create", error))?;
    File::open(&new).and_then(|file| file.sync_all()).map_err(error)?;
    fs::rename(&new, &file).map_err(error)?;
    sync_folder(folder).map_err(error)
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

/// Locks the folder. The lock ends with the process, however it ends.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK);
    let mut file = open_file(&path).map_err(|error| folder_error("open", &path, error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(OpenError::InUse { folder: folder.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(folder_error("lock", &path, error)),
    }
    // The ID is for the error message of another process only, so a full disk is no error here.
    _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
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
        tracing::warn!(%folder, "the data folder contains other files, so its permissions stay as they are; other users can open it");
    } else if let Err(error) = fs::set_permissions(path, Permissions::from_mode(0o700)) {
        tracing::warn!(%folder, %error, "cannot set the mode of the data folder to 0700; other users can open it");
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
