//! Errors of the file system: writes are refused, reads continue, and the store recovers by itself.

use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use super::disk::simulation::{Fault, FaultyDisk};
use super::disk::{Medium, Report, Watchdog};
use super::{
    Catalog, Durability, Key, Resource, ResourceRules, Settings, Store, WatchScope, Write,
    WriteError,
};

/// Longest time that a test waits for the store.
const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug)]
struct Test {
    disk: FaultyDisk,
    store: Store,
    catalog: Catalog,
    maps: Resource,
    /// Reports of slow operations.
    reports: mpsc::Receiver<Report>,
}

impl Test {
    fn new(seed: u64) -> Self {
        let mut catalog = Catalog::new();
        let maps =
            catalog.add(ResourceRules::namespaced("", "configmaps", "ConfigMap").with_status());
        let disk = FaultyDisk::new(seed);
        let (sender, reports) = mpsc::channel();
        let report = move |report| _ = sender.send(report);
        let watchdog = Watchdog::start(Duration::from_millis(100), report).unwrap();
        let store = open(&disk, &catalog, watchdog);
        Self { disk, store, catalog, maps, reports }
    }

    fn create(&self, name: &str, length: usize) -> Write {
        Write::create(&self.maps, Some("default"), object(name, length))
    }

    fn key(&self, name: &str) -> Key {
        Key::namespaced(&self.maps, "default", name)
    }

    /// Retries a write until the store has recovered.
    async fn until_written(&self, write: Write) {
        let retries = async {
            while let Err(error) = self.store.write(write.clone()).await {
                assert!(is_of_disk(&error), "{error}");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(WAIT_TIMEOUT, retries).await.expect("the store recovers");
    }

    /// Opens the file in another store, and asserts that it contains the state in memory.
    async fn assert_stored(&self) {
        let expected = values(&self.store);
        self.store.close().await;
        self.disk.lose_cache();
        let watchdog = Watchdog::start(WAIT_TIMEOUT, |_| {}).unwrap();
        assert_eq!(values(&open(&self.disk, &self.catalog, watchdog)), expected);
    }

    /// Writes a status as the gateway does.
    async fn write_status(&self, name: &str, phase: &str) -> super::Revision {
        let mut status = object(name, 0);
        status["status"] = json!({"phase": phase});
        let write = Write::replace_status(self.key(name), status);
        let mut results = self.store.write_all(vec![write], Durability::Ephemeral).await;
        results.remove(0).unwrap().object.revision()
    }
}

/// Ends the hang of a disk when it is dropped, also by a failed assertion: the drop of the store
/// waits for its thread.
struct EndHang(FaultyDisk);

impl Drop for EndHang {
    fn drop(&mut self) {
        self.0.set(Fault::None);
    }
}

fn open(disk: &FaultyDisk, catalog: &Catalog, watchdog: Watchdog) -> Store {
    let settings = Settings::new()
        .with_reopen_backoff(Duration::from_millis(1), Duration::from_millis(8))
        .with_close_timeout(Duration::from_secs(1));
    let medium = Medium::simulated(disk.clone(), watchdog).unwrap();
    Store::start(medium, catalog.clone(), settings).unwrap()
}

fn object(name: &str, length: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
        "data": {"a": "x".repeat(length)},
    })
}

fn is_of_disk(error: &WriteError) -> bool {
    matches!(
        error,
        WriteError::StorageFull(_)
            | WriteError::StorageUnavailable(_)
            | WriteError::StorageMisplaced(_)
    )
}

/// Returns all objects without their revisions, which differ after a restart.
fn values(store: &Store) -> Vec<Value> {
    let value = |object: &std::sync::Arc<super::StoredObject>| {
        let mut value = object.to_value();
        value["metadata"]["resourceVersion"].take();
        value
    };
    store.snapshot().1.iter().map(value).collect()
}

#[tokio::test]
async fn full_disk_refuses_writes_until_it_has_space() {
    let test = Test::new(1);
    test.store.write(test.create("before", 100)).await.unwrap();
    let revision = test.store.revision();
    let mut watch = test.store.watch(WatchScope::all(), revision).unwrap();
    test.disk.set(Fault::Full);
    let error = test.store.write(test.create("large", 1 << 20)).await.unwrap_err();
    assert!(matches!(&error, WriteError::StorageFull(source) if source.is_full()), "{error:?}");
    assert_eq!(test.store.revision(), revision);
    assert!(test.store.get(&test.key("large")).is_none());
    assert!(test.store.get(&test.key("before")).is_some());

    // The file has free pages that suffice for a deletion.
    test.until_written(Write::delete(test.key("before"))).await;
    assert_eq!(watch.next().await.unwrap().unwrap()[0].object().key(), &test.key("before"));

    test.disk.set(Fault::None);
    test.until_written(test.create("large", 1 << 20)).await;
    test.assert_stored().await;
}

#[tokio::test]
async fn read_only_disk_refuses_writes_until_it_is_writable() {
    let test = Test::new(1);
    test.store.write(test.create("before", 100)).await.unwrap();
    test.store.write(test.create("gone", 100)).await.unwrap();
    test.disk.set(Fault::ReadOnly);
    for name in ["a", "b", "c"] {
        let error = test.store.write(test.create(name, 100)).await.unwrap_err();
        assert!(matches!(error, WriteError::StorageUnavailable(_)), "{error:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let dry_run = test.store.write(test.create("a", 100).with_dry_run()).await;
    dry_run.expect("a dry run needs no disk");

    // Ephemeral changes are accepted until then, and stored afterwards.
    let mut status = object("before", 100);
    status["status"] = json!({"phase": "waiting"});
    let write = Write::replace_status(test.key("before"), status);
    let writes = vec![write, Write::delete(test.key("gone"))];
    for result in test.store.write_all(writes, Durability::Ephemeral).await {
        result.unwrap();
    }

    test.disk.set(Fault::None);
    test.until_written(test.create("after", 100)).await;
    let names: Vec<_> =
        values(&test.store).iter().map(|object| object["metadata"]["name"].clone()).collect();
    assert_eq!(names, ["after", "before", "default"]);
    test.assert_stored().await;
}

/// After a failed sync the file looks complete, but its pages may be lost.
#[tokio::test]
async fn file_is_replaced_after_failed_sync() {
    let test = Test::new(1);
    let names: Vec<_> = (0..100).map(|index| format!("n{index:03}")).collect();
    let creates = names.iter().map(|name| test.create(name, 300)).collect();
    let created = test.store.write_all(creates, Durability::Synced).await;
    assert!(created.iter().all(|result| result.is_ok()));
    // The file has free pages. Otherwise it would grow, and the sync of its length would fail
    // first.
    test.store.write(test.create("large", 1 << 20)).await.unwrap();
    test.store.write(Write::delete(test.key("large"))).await.unwrap();
    // Status is part of the next transaction: all pages are written again.
    let statuses = names.iter().map(|name| {
        let mut status = object(name, 300);
        status["status"] = json!({"phase": "ready"});
        Write::replace_status(test.key(name), status)
    });
    let written = test.store.write_all(statuses.collect(), Durability::Ephemeral).await;
    assert!(written.iter().all(|result| result.is_ok()));

    test.disk.set(Fault::Sync);
    let error = test.store.write(test.create("z", 100)).await.unwrap_err();
    assert!(matches!(error, WriteError::StorageUnavailable(_)), "{error:?}");
    test.disk.set(Fault::None);
    test.until_written(test.create("z", 100)).await;
    test.assert_stored().await;
}

/// Errors at any operation: after each, memory and file agree again.
#[tokio::test]
async fn refused_writes_are_not_stored() {
    for seed in 0..8 {
        let test = Test::new(seed);
        let mut rng = fastrand::Rng::with_seed(seed);
        test.disk.set(Fault::Sometimes(60));
        let mut written = 0;
        for count in 0..150 {
            let key = test.key(&format!("n{}", rng.u8(..10)));
            let length = if rng.u8(..10) == 0 { 30_000 } else { 100 + count };
            let write = match test.store.get(&key) {
                Some(_) if rng.u8(..4) == 0 => Write::delete(key),
                Some(_) => Write::replace(key.clone(), object(key.name(), length)),
                None => test.create(key.name(), length),
            };
            match test.store.write(write).await {
                Ok(_) => written += 1,
                Err(error) => assert!(is_of_disk(&error), "{error:?}"),
            }
            if rng.bool() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        assert!((10..150).contains(&written), "seed {seed}: {written} of 150 writes");
        test.disk.set(Fault::None);
        test.until_written(test.create("last", 100)).await;
        test.assert_stored().await;
    }
}

#[tokio::test]
async fn garbage_collection_goes_on_after_an_error() {
    let test = Test::new(1);
    let owner = test.store.write(test.create("owner", 10)).await.unwrap().object;
    let mut child = object("child", 10);
    child["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid()},
    ]);
    child["metadata"]["finalizers"] = json!(["example.com/wait"]);
    let create = Write::create(&test.maps, Some("default"), child.clone());
    test.store.write(create).await.unwrap();
    let key = test.key("child");

    // The removal of the owner is accepted without the disk, the steps of the collector are not.
    test.disk.set(Fault::ReadOnly);
    let delete = Write::delete(owner.key().clone());
    test.store.write_all(vec![delete], Durability::Ephemeral).await.remove(0).unwrap();
    test.store.write(test.create("refused", 10)).await.unwrap_err();
    assert!(!test.store.get(&key).unwrap().is_being_deleted());

    test.disk.set(Fault::None);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !test.store.get(&key).unwrap().is_being_deleted() {
        assert!(tokio::time::Instant::now() < deadline, "the child is not deleted");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The disk may store a write that is refused, if an operation fails after the sync.
#[tokio::test]
async fn revision_of_refused_write_is_not_assigned_again() {
    let test = Test::new(1);
    test.store.write(test.create("before", 100)).await.unwrap();
    let refused = refuse_after_sync(&test).await;
    // The object has another state with the next revision of the store.
    let written = test.write_status("before", "ready").await;
    assert!(written > refused, "{written} was assigned before, to a refused write: {refused}");
    test.disk.set(Fault::None);
    test.until_written(test.create("after", 100)).await;
    test.assert_stored().await;
}

#[tokio::test]
async fn refused_write_that_the_disk_stored_is_removed() {
    let test = Test::new(1);
    test.store.write(test.create("before", 100)).await.unwrap();
    refuse_after_sync(&test).await;
    let expected = values(&test.store);
    test.disk.set(Fault::None);
    test.until_written(test.create("after", 100)).await;
    test.store.write(Write::delete(test.key("after"))).await.unwrap();
    assert_eq!(values(&test.store), expected);
    test.assert_stored().await;
}

/// Refuses a change of an object whose commit shrinks the file, and returns the revision that it
/// would have had.
async fn refuse_after_sync(test: &Test) -> super::Revision {
    test.store.write(test.create("large", 1 << 20)).await.unwrap();
    test.disk.set(Fault::Shrink);
    // A commit shrinks the file if more than half of it was free before.
    let mut result = test.store.write(Write::delete(test.key("large"))).await;
    for length in 0..5 {
        let Ok(_) = result else { break };
        let before = test.store.revision();
        let change = Write::replace(test.key("before"), object("before", length));
        result = test.store.write(change).await;
        if result.is_err() {
            return super::Revision::new(before.get() + 1);
        }
    }
    panic!("no change of the object shrinks the file: {result:?}");
}

#[tokio::test]
async fn slow_commit_is_reported_while_it_runs() {
    let test = Test::new(1);
    // Declared after the store, so that it is dropped first.
    let end_hang = EndHang(test.disk.clone());
    test.disk.set(Fault::Hang);
    let (store, create) = (test.store.clone(), test.create("a", 100));
    let write = tokio::spawn(async move { store.write(create).await });
    tokio::task::yield_now().await;
    assert_eq!(test.reports.recv_timeout(WAIT_TIMEOUT), Ok(Report::Slow));
    assert!(test.store.get(&test.key("a")).is_none());
    drop(end_hang);
    write.await.unwrap().unwrap();
    assert_eq!(test.reports.recv_timeout(WAIT_TIMEOUT), Ok(Report::Ended));
    test.assert_stored().await;
}

#[tokio::test]
async fn disk_that_hangs_delays_the_close_for_a_limited_time() {
    let test = Test::new(1);
    let end_hang = EndHang(test.disk.clone());
    test.disk.set(Fault::Hang);
    let (store, create) = (test.store.clone(), test.create("a", 100));
    let write = tokio::spawn(async move { store.write(create).await });
    tokio::task::yield_now().await;
    assert_eq!(test.reports.recv_timeout(WAIT_TIMEOUT), Ok(Report::Slow));
    let closed = tokio::time::timeout(WAIT_TIMEOUT, test.store.close()).await;
    closed.expect("the close is limited");
    let late = test.store.write(test.create("b", 100)).await.unwrap_err();
    assert!(matches!(late, WriteError::Closed), "{late:?}");

    // The thread goes on, and finishes the write.
    drop(end_hang);
    write.await.unwrap().unwrap();
}

/// The drop of the last handle has the same limit.
#[test]
fn disk_that_hangs_delays_the_drop_for_a_limited_time() {
    let test = Test::new(1);
    let disk = test.disk.clone();
    let _end_hang = EndHang(disk.clone());
    disk.set(Fault::Hang);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // The first poll sends the write.
    let create = test.store.write(test.create("a", 100));
    let sent = runtime.block_on(async { tokio::time::timeout(Duration::ZERO, create).await });
    sent.expect_err("the disk hangs");
    assert_eq!(test.reports.recv_timeout(WAIT_TIMEOUT), Ok(Report::Slow));
    let (sender, dropped) = mpsc::channel();
    std::thread::spawn(move || {
        drop(test);
        _ = sender.send(());
    });
    dropped.recv_timeout(WAIT_TIMEOUT).expect("the drop is limited");
}

/// The folder is moved between the check before the commit and the answer.
#[tokio::test]
async fn write_into_a_folder_that_is_moved_meanwhile_is_refused() {
    let test = Test::new(1);
    test.store.write(test.create("before", 100)).await.unwrap();
    test.disk.set(Fault::Move);
    let error = test.store.write(test.create("a", 100)).await.unwrap_err();
    assert!(matches!(error, WriteError::StorageMisplaced(_)), "{error:?}");
    assert!(test.store.get(&test.key("a")).is_none());
    test.disk.set(Fault::None);
    test.until_written(test.create("b", 100)).await;
    test.assert_stored().await;
}

#[tokio::test]
async fn store_recovers_from_panic_with_a_new_file() {
    let test = Test::new(1);
    test.store.write(test.create("before", 100)).await.unwrap();
    test.disk.set(Fault::Panic);
    let error = test.store.write(test.create("a", 100)).await.unwrap_err();
    assert!(matches!(error, WriteError::Interrupted), "{error:?}");
    let error = test.store.write(test.create("b", 100)).await.unwrap_err();
    assert!(is_of_disk(&error), "{error:?}");
    assert!(test.store.get(&test.key("before")).is_some());
    test.write_status("before", "ready").await;

    test.disk.damage();
    test.disk.set(Fault::None);
    test.until_written(test.create("c", 100)).await;
    test.assert_stored().await;
}
