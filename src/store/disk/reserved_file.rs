//! A file whose blocks are reserved when it grows.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;

/// A file whose blocks are reserved when it grows, so that a full file system is reported then.
///
/// `redb` doubles the length of its file. Without the reservation, the new part would be a hole,
/// and each later write into it could fail, even one that deletes an object to free space. Two
/// processes cannot open the file, because the data folder is locked.
#[derive(Debug)]
pub(super) struct ReservedFile {
    file: File,
    has_failed_sync: Arc<AtomicBool>,
}

impl ReservedFile {
    /// Creates the backend of a file. It sets `has_failed_sync` if a sync fails.
    pub(super) fn new(file: File, has_failed_sync: Arc<AtomicBool>) -> Self {
        Self { file, has_failed_sync }
    }
}

impl StorageBackend for ReservedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let old = self.file.metadata()?.len();
        if len <= old {
            return self.file.set_len(len);
        }
        let reserved = reserve(&self.file, old, len);
        if reserved.is_err() {
            // Part of the blocks may be reserved.
            _ = self.file.set_len(old);
        }
        reserved
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data().inspect_err(|_| self.has_failed_sync.store(true, Ordering::Release))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }
}

#[cfg(target_os = "linux")]
fn reserve(file: &File, old: u64, new: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    match fallocate(file, FallocateFlags::empty(), old, new - old) {
        // Some network file systems cannot reserve blocks.
        Err(rustix::io::Errno::OPNOTSUPP) => file.set_len(new),
        result => Ok(result?),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(file: &File, _old: u64, new: u64) -> io::Result<()> {
    file.set_len(new)
}
