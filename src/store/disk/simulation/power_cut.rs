//! A disk that loses power.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use redb::{Database, StorageBackend};

use crate::store::disk::database::builder;
use crate::store::disk::error::DiskError;
use crate::store::disk::files::Files;

/// Size of a sector, which a disk writes atomically.
const SECTOR: usize = 512;

/// A disk that loses power at a given operation.
///
/// Of each sector that was written since the last sync, any version may be on the disk afterwards:
/// the synced one, the last one or one between. So writes are dropped, torn and reordered. The
/// length of the file is any of those since the last sync.
#[derive(Debug, Clone)]
pub(in crate::store) struct PowerCutDisk(Arc<Mutex<Image>>);

#[derive(Debug)]
struct Image {
    synced: Vec<u8>,
    current: Vec<u8>,
    /// Versions of each sector since the last sync.
    versions: BTreeMap<usize, Vec<Vec<u8>>>,
    lengths: Vec<usize>,
    operations_left: Option<u64>,
    is_off: bool,
}

impl PowerCutDisk {
    /// Creates a disk with contents.
    pub(in crate::store) fn new(contents: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Image {
            synced: contents.clone(),
            current: contents,
            versions: BTreeMap::new(),
            lengths: Vec::new(),
            operations_left: None,
            is_off: false,
        })))
    }

    /// Cuts the power at the operation after `operations`.
    pub(in crate::store) fn cut_after(&self, operations: u64) {
        self.0.lock().unwrap().operations_left = Some(operations);
    }

    /// Returns `true` if the power was cut.
    pub(in crate::store) fn is_off(&self) -> bool {
        self.0.lock().unwrap().is_off
    }

    /// Cuts the power, and returns the contents that are found afterwards.
    pub(in crate::store) fn into_contents(self, rng: &mut fastrand::Rng) -> Vec<u8> {
        let mut image = self.0.lock().unwrap();
        image.is_off = true;
        // In some runs, all or no writes since the last sync are on the disk.
        let kept = *rng.choice(&[0.0, 0.1, 0.5, 0.9, 1.0]).unwrap();
        let mut contents = image.synced.clone();
        contents.resize(contents.len().max(image.current.len()), 0);
        for (sector, versions) in &image.versions {
            if rng.f64() < kept {
                let version =
                    if kept == 1.0 { versions.len() - 1 } else { rng.usize(..versions.len()) };
                put(&mut contents, sector * SECTOR, &versions[version]);
            }
        }
        let length = match (kept, image.lengths.len()) {
            (0.0, _) | (_, 0) => image.synced.len(),
            (1.0, _) => image.current.len(),
            (_, count) => image.lengths[rng.usize(..count)],
        };
        contents.resize(length, 0);
        contents
    }
}

impl Image {
    /// Counts an operation. The one during which the power is cut still changes the cache.
    fn operate(&mut self, change: impl FnOnce(&mut Self)) -> io::Result<()> {
        let off = || io::Error::other("the power is off");
        if self.is_off {
            return Err(off());
        }
        match &mut self.operations_left {
            Some(0) => {
                self.is_off = true;
                change(self);
                return Err(off());
            }
            Some(left) => *left -= 1,
            None => {}
        }
        change(self);
        Ok(())
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(&mut self.current, offset, bytes);
        for sector in offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR) {
            let end = ((sector + 1) * SECTOR).min(self.current.len());
            let version = self.current[sector * SECTOR..end].to_vec();
            self.versions.entry(sector).or_default().push(version);
        }
    }

    fn sync(&mut self) {
        self.synced.resize(self.current.len(), 0);
        for sector in std::mem::take(&mut self.versions).into_keys() {
            let start = sector * SECTOR;
            let end = (start + SECTOR).min(self.current.len());
            if start < end {
                self.synced[start..end].copy_from_slice(&self.current[start..end]);
            }
        }
        self.lengths.clear();
    }
}

fn put(contents: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if contents.len() < offset + bytes.len() {
        contents.resize(offset + bytes.len(), 0);
    }
    contents[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl StorageBackend for PowerCutDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let image = self.0.lock().unwrap();
        if image.is_off {
            return Err(io::Error::other("the power is off"));
        }
        let start = offset as usize;
        let bytes =
            image.current.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().unwrap().operate(|image| {
            let (old, new) = (image.current.len(), len as usize);
            image.current.resize(new, 0);
            // Bytes after an earlier end are zero again.
            if new > old {
                image.write(old, &vec![0; new - old]);
            }
            image.lengths.push(new);
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut image = self.0.lock().unwrap();
        // A sync during which the power is cut guarantees nothing.
        let is_cut = image.operations_left == Some(0);
        image.operate(|image| {
            if !is_cut {
                image.sync()
            }
        })
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().operate(|image| image.write(offset as usize, bytes))
    }
}

impl Files for PowerCutDisk {
    fn open(&mut self) -> Result<Database, DiskError> {
        let opened = builder().set_check_integrity_on_open(true).create_with_backend(self.clone());
        opened.map_err(|error| DiskError::new("open", error))
    }

    fn create(&mut self) -> Result<Database, DiskError> {
        unreachable!("the process ends at the power cut")
    }

    fn replace(&mut self) -> Result<(), DiskError> {
        unreachable!("the process ends at the power cut")
    }

    fn needs_replacement(&self) -> Result<bool, DiskError> {
        Ok(false)
    }

    fn check_place(&self) -> Result<(), DiskError> {
        Ok(())
    }
}
