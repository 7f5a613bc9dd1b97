//! Recognising a changed file by its metadata, without reading it.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

/// A file system stores times with limited resolution: 10 ms on many, 2 s on FAT. Two writes within
/// this time can leave the same metadata.
const TIME_RESOLUTION: Duration = Duration::from_secs(3);

/// Metadata that differ if a file was replaced or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device_and_inode: (u64, u64),
    pub(super) size: u64,
    modified: Option<SystemTime>,
    /// Time of the last change of data or metadata, in seconds and nanoseconds. Programs can set
    /// the time of modification back, but not this one.
    changed: (i64, i64),
}

impl FileIdentity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device_and_inode: device_and_inode(metadata),
            size: metadata.len(),
            modified: metadata.modified().ok(),
            changed: changed(metadata),
        }
    }

    /// Returns `true` if a later write certainly changes the identity. `now` is a time before the
    /// metadata were read.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let seconds = u64::try_from(self.changed.0).unwrap_or(0);
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds + 1);
        let is_old = |time: SystemTime| time + TIME_RESOLUTION < now;
        is_old(changed) && self.modified.is_some_and(is_old)
    }
}

/// Returns device and inode, or zeros on operating systems without them.
pub(super) fn device_and_inode(metadata: &Metadata) -> (u64, u64) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        (metadata.dev(), metadata.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        (0, 0)
    }
}

fn changed(metadata: &Metadata) -> (i64, i64) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        (metadata.ctime(), metadata.ctime_nsec())
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        (0, 0)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn identity_of_new_file_is_not_settled() {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("a.yaml");
        fs::write(&file, "a").unwrap();
        let identity = FileIdentity::of(&fs::metadata(&file).unwrap());
        assert!(!identity.is_settled(SystemTime::now()));
        assert!(identity.is_settled(SystemTime::now() + Duration::from_secs(10)));
    }

    #[test]
    #[cfg(unix)]
    fn identity_differs_after_replacement_with_old_times() {
        let directory = TempDir::new().unwrap();
        let (file, new) = (directory.path().join("a.yaml"), directory.path().join("b.yaml"));
        fs::write(&file, "a").unwrap();
        fs::write(&new, "b").unwrap();
        let metadata = fs::metadata(&file).unwrap();
        fs::File::options()
            .write(true)
            .open(&new)
            .unwrap()
            .set_modified(metadata.modified().unwrap())
            .unwrap();
        fs::rename(&new, &file).unwrap();
        let replaced = fs::metadata(&file).unwrap();
        assert_eq!(replaced.modified().unwrap(), metadata.modified().unwrap());
        assert_ne!(FileIdentity::of(&replaced), FileIdentity::of(&metadata));
    }
}
