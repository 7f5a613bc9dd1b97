//! Tests of the file set: when files are read again, and which objects are kept.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio::time::Instant;

use super::file_set::{FileSet, REMOVAL_DELAY};
use super::listing::Listing;
use super::load_queue::LoadJob;

/// Returns a time at which files that are written now are settled.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(10)
}

/// Reads the files that changed, and returns the number of them.
fn read(files: &mut FileSet, paths: &[PathBuf]) -> usize {
    let jobs = files.update(Listing::of(paths), &BTreeSet::new(), false, later());
    let count = jobs.len();
    if count > 0 {
        files.finish(jobs.into_iter().map(LoadJob::run).collect());
    }
    count
}

/// Reads the files that changed, and chooses the objects. Missing objects are removed.
fn resolve(files: &mut FileSet, paths: &[PathBuf]) {
    read(files, paths);
    for seconds in [0, 5] {
        files.resolve(Instant::now() + Duration::from_secs(seconds));
    }
}

fn write(path: &Path, name: &str) {
    fs::write(path, format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"))
        .unwrap();
}

#[test]
fn file_with_faulty_document_is_not_resolved_again() {
    let directory = TempDir::new().unwrap();
    let paths = [directory.path().to_owned()];
    fs::write(directory.path().join("a.yaml"), "broken: [").unwrap();
    let mut files = FileSet::default();
    resolve(&mut files, &paths);
    assert!(files.is_current(&Listing::of(&paths)));
    assert_eq!(read(&mut files, &paths), 0);
    assert!(!files.is_stale());
}

#[test]
fn file_that_is_not_text_is_not_read_again() {
    let directory = TempDir::new().unwrap();
    let paths = [directory.path().to_owned()];
    fs::write(directory.path().join("a.yaml"), b"a: \xff\n").unwrap();
    let large = fs::File::create(directory.path().join("b.yaml")).unwrap();
    large.set_len((64 << 20) + 1).unwrap();
    let mut files = FileSet::default();
    assert_eq!(read(&mut files, &paths), 2);
    files.resolve(Instant::now());
    assert_eq!(files.snapshot().problems.len(), 2, "{:?}", files.snapshot().problems);
    assert_eq!(read(&mut files, &paths), 0);
    assert!(files.is_current(&Listing::of(&paths)));
    // They are read again after a change.
    write(&directory.path().join("a.yaml"), "a");
    large.set_len(0).unwrap();
    assert_eq!(read(&mut files, &paths), 2);
    files.resolve(Instant::now());
    assert_eq!((files.snapshot().problems.len(), files.object_count()), (0, 1));
}

#[test]
fn object_is_kept_while_link_to_its_removed_file_is_broken() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    for name in ["v1", "links"] {
        fs::create_dir(root.join(name)).unwrap();
    }
    write(&root.join("v1/a.yaml"), "a");
    symlink("v1", root.join("current")).unwrap();
    symlink("../current/a.yaml", root.join("links/l.yaml")).unwrap();
    let paths = [root.join("current/."), root.join("links")];
    let mut files = FileSet::default();
    resolve(&mut files, &paths);
    assert_eq!(files.object_count(), 1);
    fs::remove_dir_all(root.join("v1")).unwrap();
    resolve(&mut files, &paths);
    assert_eq!(files.object_count(), 1);
    // The directory is readable again, and the link is still broken.
    fs::create_dir(root.join("v1")).unwrap();
    for _ in 0..2 {
        resolve(&mut files, &paths);
        assert_eq!(files.object_count(), 1);
    }
    write(&root.join("v1/a.yaml"), "a");
    resolve(&mut files, &paths);
    assert_eq!((files.object_count(), files.snapshot().problems.len()), (1, 0));
    // Without the link, no file could contain the object.
    fs::remove_file(root.join("v1/a.yaml")).unwrap();
    fs::remove_file(root.join("links/l.yaml")).unwrap();
    resolve(&mut files, &paths);
    assert_eq!(files.object_count(), 0);
}

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";

/// Writes the file, and reads it as after an event.
fn write_and_read(files: &mut FileSet, file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    let listing = Listing::of(&[file.to_owned()]);
    let jobs = files.update(listing, &BTreeSet::new(), true, SystemTime::now());
    files.finish(jobs.into_iter().map(LoadJob::run).collect());
}

#[test]
fn object_of_a_truncated_file_is_removed_after_a_delay() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.yaml");
    let mut files = FileSet::default();
    let start = Instant::now();
    write_and_read(&mut files, &file, NAMESPACE);
    assert_eq!(files.resolve(start).added, 1);

    write_and_read(&mut files, &file, "");
    assert_eq!(files.resolve(start).removed, 0);
    assert_eq!(files.next_removal(), Some(start + REMOVAL_DELAY));
    write_and_read(&mut files, &file, NAMESPACE);
    assert_eq!(files.resolve(start + REMOVAL_DELAY).removed, 0);
    assert_eq!(files.next_removal(), None);

    write_and_read(&mut files, &file, "");
    let truncated = start + 2 * REMOVAL_DELAY;
    assert_eq!(files.resolve(truncated).removed, 0);
    assert_eq!(files.resolve(truncated + REMOVAL_DELAY).removed, 1);
    assert_eq!(files.object_count(), 0);
}
