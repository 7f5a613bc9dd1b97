//! Changes of the data folder under a running store: a write is refused if the next process would
//! not find it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sluicegate::store::{OpenError, Store, Write, WriteError};
use tempfile::TempDir;
use tracing::Level;

use crate::log_events::{LogEvent, record, recorded};
use crate::support::{Resources, Time, config_map, names};

/// A store in a folder with one object, `before`.
struct Test {
    parent: TempDir,
    resources: Resources,
    store: Store,
}

impl Test {
    async fn new() -> Self {
        record();
        let (parent, resources) = (tempfile::tempdir().unwrap(), Resources::new());
        let store = open(&parent.path().join("data"), &resources).unwrap();
        let test = Self { parent, resources, store };
        test.write("before").await.unwrap();
        test
    }

    fn folder(&self) -> PathBuf {
        self.parent.path().join("data")
    }

    fn file(&self) -> PathBuf {
        self.folder().join("objects.v1.redb")
    }

    async fn write(&self, name: &str) -> Result<(), WriteError> {
        let maps = &self.resources.config_maps;
        let create = Write::create(maps, Some("default"), config_map(name));
        self.store.write(create).await.map(drop)
    }

    /// Asserts that writes are refused for several attempts of the store, and reads are not.
    async fn assert_refused(&self) {
        for _ in 0..10 {
            let error = self.write("refused").await.unwrap_err();
            assert!(matches!(error, WriteError::StorageMisplaced(_)), "{error:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(names(&self.store, &self.resources.config_maps), ["before"]);
    }

    /// Retries a write until the store has recovered.
    async fn until_written(&self, name: &str) {
        let retries = async {
            while self.write(name).await.is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), retries).await.expect("the store recovers");
    }

    /// Returns the only error that was logged.
    fn logged_error(&self) -> LogEvent {
        let mut events = recorded(&self.folder());
        events.retain(|event| event.level == Level::ERROR);
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    async fn names_after_restart(self) -> Vec<String> {
        self.store.close().await;
        drop(self.store);
        let store = open(&self.parent.path().join("data"), &self.resources).unwrap();
        names(&store, &self.resources.config_maps)
    }
}

fn open(folder: &Path, resources: &Resources) -> Result<Store, OpenError> {
    Store::open(folder, resources.catalog.clone(), Time::new().settings())
}

#[tokio::test]
async fn removed_folder_refuses_writes_and_is_logged_once() {
    let test = Test::new().await;
    fs::remove_dir_all(test.folder()).unwrap();
    test.assert_refused().await;
    let event = test.logged_error();
    assert!(event.message.starts_with("the store cannot write its file"), "{event:?}");
    assert!(event.error.contains("the data folder was removed or moved"), "{event:?}");
    assert!(!test.folder().exists());
}

#[tokio::test]
async fn moved_folder_is_used_again_when_it_is_back() {
    let test = Test::new().await;
    let elsewhere = test.parent.path().join("elsewhere");
    fs::rename(test.folder(), &elsewhere).unwrap();
    test.assert_refused().await;
    fs::rename(&elsewhere, test.folder()).unwrap();
    test.until_written("after").await;
    assert_eq!(test.names_after_restart().await, ["after", "before"]);
}

#[tokio::test]
async fn folder_that_was_replaced_is_not_overwritten() {
    let test = Test::new().await;
    let moved = test.parent.path().join("moved");
    fs::rename(test.folder(), &moved).unwrap();
    copy(&moved, &test.folder());
    let copied = fs::read(test.file()).unwrap();
    test.assert_refused().await;
    let error = test.logged_error().error;
    assert!(error.contains("the data folder was replaced"), "{error}");
    assert_eq!(fs::read(test.file()).unwrap(), copied);
    assert_eq!(test.names_after_restart().await, ["before"]);
}

#[tokio::test]
async fn file_that_was_replaced_is_not_overwritten() {
    let test = Test::new().await;
    let backup = test.parent.path().join("backup");
    fs::copy(test.file(), &backup).unwrap();
    fs::remove_file(test.file()).unwrap();
    fs::copy(&backup, test.file()).unwrap();
    test.assert_refused().await;
    let error = test.logged_error().error;
    assert!(error.contains("the file of the objects was replaced"), "{error}");
    assert_eq!(fs::read(test.file()).unwrap(), fs::read(&backup).unwrap());
}

#[tokio::test]
async fn removed_file_is_written_again_from_memory() {
    let test = Test::new().await;
    fs::remove_file(test.file()).unwrap();
    let error = test.write("refused").await.unwrap_err();
    assert!(matches!(error, WriteError::StorageUnavailable(_)), "{error:?}");
    test.until_written("after").await;
    assert_eq!(test.names_after_restart().await, ["after", "before"]);
}

/// The success is logged after a write that succeeded, with the path of the file.
#[tokio::test]
async fn recovery_is_logged_after_the_next_write() {
    let test = Test::new().await;
    let elsewhere = test.parent.path().join("elsewhere");
    fs::rename(test.folder(), &elsewhere).unwrap();
    test.assert_refused().await;
    assert_eq!(recoveries(&test), 0);
    fs::rename(&elsewhere, test.folder()).unwrap();
    test.until_written("after").await;
    assert_eq!(recoveries(&test), 1);
    test.write("later").await.unwrap();
    assert_eq!(recoveries(&test), 1);
    test.logged_error();
}

fn recoveries(test: &Test) -> usize {
    let message = "the store can write its file again";
    recorded(&test.folder()).iter().filter(|event| event.message == message).count()
}

#[tokio::test]
async fn empty_file_is_damage() {
    let test = Test::new().await;
    test.store.close().await;
    fs::write(test.file(), "").unwrap();
    let (folder, resources) = (test.folder(), test.resources);
    drop(test.store);
    let error = open(&folder, &resources).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged { .. }), "{error:?}");
    assert_eq!(fs::metadata(folder.join("objects.v1.redb")).unwrap().len(), 0);
}

/// Returns the number of warnings about a missing file.
fn warnings(folder: &Path) -> usize {
    let message = "the data folder was used before, but the file of its objects does not exist";
    let events = recorded(folder).into_iter().filter(|event| event.level == Level::WARN);
    events.filter(|event| event.message.starts_with(message)).count()
}

#[tokio::test]
async fn missing_file_in_used_folder_is_logged() {
    let test = Test::new().await;
    assert_eq!(warnings(&test.folder()), 0);
    test.store.close().await;
    fs::remove_file(test.file()).unwrap();
    let (folder, resources) = (test.folder(), test.resources);
    drop(test.store);
    let store = open(&folder, &resources).unwrap();
    assert_eq!(names(&store, &resources.config_maps), [""; 0]);
    assert_eq!(warnings(&folder), 1);
}

/// The other files of the program show that the folder was used.
#[test]
fn missing_folder_is_logged_if_the_caller_knows_that_it_was_used() {
    record();
    let (parent, resources) = (tempfile::tempdir().unwrap(), Resources::new());
    let folder = parent.path().join("store");
    let settings = Time::new().settings().with_used_folder(true);
    Store::open(&folder, resources.catalog, settings).unwrap();
    assert_eq!(warnings(&folder), 1);
}

#[test]
fn first_start_that_failed_leaves_no_used_folder() {
    record();
    let (parent, resources) = (tempfile::tempdir().unwrap(), Resources::new());
    let folder = parent.path().join("data");
    // The new file cannot be created, as on a full disk.
    let obstacle = folder.join("objects.new");
    fs::create_dir_all(&obstacle).unwrap();
    let error = open(&folder, &resources).unwrap_err();
    assert!(matches!(&error, OpenError::Disk { .. }), "{error:?}");
    fs::remove_dir(&obstacle).unwrap();
    open(&folder, &resources).unwrap();
    assert_eq!(warnings(&folder), 0);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
