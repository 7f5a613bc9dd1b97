//! A disk with errors of the file system.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use redb::{Database, StorageBackend};

use crate::store::disk::database::builder;
use crate::store::disk::error::DiskError;
use crate::store::disk::files::Files;
use crate::store::disk::place::PlaceError;

/// Bytes of a page of the cache.
const PAGE: usize = 4096;

/// Error that a disk has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Fault {
    None,
    /// The file cannot grow (ENOSPC).
    Full,
    /// The file system is read-only (EROFS).
    ReadOnly,
    /// One of so many operations fails (EIO).
    Sometimes(u32),
    /// The file cannot shrink (EIO), which is the only operation after the sync of a commit.
    Shrink,
    /// Syncs do not return.
    Hang,
    /// The folder is moved elsewhere during a sync.
    Move,
    /// The code panics in a sync, as after damage that it does not expect.
    Panic,
    /// Syncs fail (EIO), and the pages of the cache are lost: the kernel counts them as written.
    Sync,
}

/// A disk in memory whose errors a test chooses.
#[derive(Debug, Clone)]
pub(in crate::store) struct FaultyDisk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Signalled when the fault changes.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    fault: Fault,
    rng: fastrand::Rng,
    /// The last one is the new file, if there is one.
    files: Vec<CachedFile>,
    /// Index of the file of the store.
    current: usize,
    has_failed_sync: bool,
    is_moved: bool,
}

/// Contents of a file in the cache of the kernel and on the disk.
#[derive(Debug, Default)]
struct CachedFile {
    cache: Vec<u8>,
    disk: Vec<u8>,
    dirty_pages: BTreeSet<usize>,
}

/// An open file.
#[derive(Debug)]
struct OpenFile {
    disk: FaultyDisk,
    index: usize,
}

impl FaultyDisk {
    pub(in crate::store) fn new(seed: u64) -> Self {
        let state = Mutex::new(State {
            fault: Fault::None,
            rng: fastrand::Rng::with_seed(seed),
            files: vec![CachedFile::default()],
            current: 0,
            has_failed_sync: false,
            is_moved: false,
        });
        Self(Arc::new(Shared { state, changed: Condvar::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    pub(in crate::store) fn set(&self, fault: Fault) {
        let mut state = self.state();
        state.fault = fault;
        state.is_moved = false;
        drop(state);
        self.0.changed.notify_all();
    }

    /// Loses the cache: each file has the contents that are on the disk.
    pub(in crate::store) fn lose_cache(&self) {
        let mut state = self.state();
        for file in &mut state.files {
            file.cache = file.disk.clone();
            file.dirty_pages.clear();
        }
    }

    /// Damages the file of the store.
    pub(in crate::store) fn damage(&self) {
        let mut state = self.state();
        let current = state.current;
        state.files[current].cache.fill(b'x');
        state.files[current].disk.fill(b'x');
    }

    fn database(&self, index: usize) -> Result<Database, DiskError> {
        let file = OpenFile { disk: self.clone(), index };
        builder().create_with_backend(file).map_err(|error| DiskError::new("open", error))
    }
}

impl State {
    fn check(&mut self, is_change: bool, is_growth: bool) -> io::Result<()> {
        match self.fault {
            Fault::Full if is_growth => Err(io::ErrorKind::StorageFull.into()),
            Fault::ReadOnly if is_change => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            Fault::Sometimes(one_of) if self.rng.u32(..one_of) == 0 => {
                Err(io::Error::other("an I/O error"))
            }
            _ => Ok(()),
        }
    }
}

impl CachedFile {
    fn resize(&mut self, length: usize) {
        self.cache.resize(length, 0);
        self.disk.resize(length, 0);
    }

    fn sync(&mut self) {
        for page in std::mem::take(&mut self.dirty_pages) {
            let start = page * PAGE;
            let end = (start + PAGE).min(self.cache.len());
            if start < end {
                self.disk[start..end].copy_from_slice(&self.cache[start..end]);
            }
        }
    }
}

impl StorageBackend for OpenFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.index].cache.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        state.check(false, false)?;
        let start = offset as usize;
        let bytes = state.files[self.index].cache.get(start..start + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        let is_growth = len as usize > state.files[self.index].cache.len();
        state.check(true, is_growth)?;
        let is_shrink = (len as usize) < state.files[self.index].cache.len();
        if is_shrink && state.fault == Fault::Shrink {
            return Err(io::Error::other("an I/O error"));
        }
        state.files[self.index].resize(len as usize);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        if let Err(error) = state.check(true, false) {
            state.has_failed_sync = true;
            return Err(error);
        }
        if state.fault == Fault::Panic {
            // The lock is not poisoned.
            drop(state);
            panic!("a panic of the test in a sync");
        }
        state = self.disk.0.changed.wait_while(state, |state| state.fault == Fault::Hang).unwrap();
        if state.fault == Fault::Sync {
            state.has_failed_sync = true;
            state.files[self.index].dirty_pages.clear();
            return Err(io::Error::other("an I/O error"));
        }
        state.files[self.index].sync();
        state.is_moved |= state.fault == Fault::Move;
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        let is_growth = end > state.files[self.index].cache.len();
        state.check(true, is_growth)?;
        let file = &mut state.files[self.index];
        if is_growth {
            file.resize(end);
        }
        file.cache[start..end].copy_from_slice(bytes);
        file.dirty_pages.extend(start / PAGE..end.div_ceil(PAGE));
        Ok(())
    }
}

impl Files for FaultyDisk {
    fn open(&mut self) -> Result<Database, DiskError> {
        let index = self.state().current;
        self.database(index)
    }

    fn create(&mut self) -> Result<Database, DiskError> {
        let index = {
            let mut state = self.state();
            state.files.push(CachedFile::default());
            state.files.len() - 1
        };
        self.database(index)
    }

    fn replace(&mut self) -> Result<(), DiskError> {
        let mut state = self.state();
        state.check(true, false).map_err(|error| DiskError::of_io("replace", error))?;
        state.current = state.files.len() - 1;
        state.has_failed_sync = false;
        Ok(())
    }

    fn needs_replacement(&self) -> Result<bool, DiskError> {
        self.check_place()?;
        Ok(self.state().has_failed_sync)
    }

    fn check_place(&self) -> Result<(), DiskError> {
        let error = || DiskError::of_io("write", PlaceError::FolderMissing.into());
        (!self.state().is_moved).then_some(()).ok_or_else(error)
    }
}
