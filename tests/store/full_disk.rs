//! A real file system of 2 MiB that fills up and becomes read-only, in a mount namespace.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use sluicegate::store::{Store, WatchScope, Write, WriteError};

use crate::support::{Resources, Time, config_map, names};
use crate::tmpfs::{fill, remount, tmpfs};

#[test]
fn store_recovers_from_full_and_read_only_file_system() {
    let Some(folder) = tmpfs("full_disk::store_recovers_from_full_and_read_only_file_system")
    else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(recover(&folder));
}

async fn recover(folder: &Path) {
    let (resources, data) = (Resources::new(), folder.join("data"));
    let maps = &resources.config_maps;
    let open = || {
        let settings = Time::new().settings();
        let settings =
            settings.with_reopen_backoff(Duration::from_millis(20), Duration::from_millis(20));
        Store::open(&data, resources.catalog.clone(), settings).unwrap()
    };
    let store = open();
    let start = store.revision();
    let create = |name: &str, length: usize| {
        let mut object = config_map(name);
        object["data"]["a"] = json!("x".repeat(length));
        Write::create(maps, Some("default"), object)
    };

    // Objects fill the file system.
    let mut stored = Vec::new();
    let error = loop {
        let name = format!("n{:03}", stored.len());
        match store.write(create(&name, 30_000)).await {
            Ok(_) => stored.push(name),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, WriteError::StorageFull(_)), "{error:?}");
    assert!((5..60).contains(&stored.len()), "{} objects", stored.len());
    assert_eq!(names(&store, maps), stored);
    let mut watch = store.watch(WatchScope::resource(maps), start).unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().len(), stored.len());

    // Another program fills the rest, and the file system becomes read-only.
    let ballast = folder.join("ballast");
    fill(&ballast);
    let large = create("large", 1_000_000);
    assert!(matches!(store.write(large.clone()).await, Err(WriteError::StorageFull(_))));
    remount(folder, "remount,ro");
    let error = loop {
        match store.write(create("b", 10)).await.unwrap_err() {
            WriteError::StorageFull(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            other => break other,
        }
    };
    assert!(matches!(error, WriteError::StorageUnavailable(_)), "{error:?}");
    assert_eq!(names(&store, maps), stored);

    // It recovers by itself.
    remount(folder, "remount,rw,size=8m");
    fs::remove_file(&ballast).unwrap();
    until_written(&store, large).await;
    stored.insert(0, "large".to_owned());
    assert_eq!(names(&store, maps), stored);
    store.close().await;
    assert_eq!(names(&open(), maps), stored);
}

async fn until_written(store: &Store, write: Write) {
    let mut last = None;
    for _ in 0..1000 {
        match store.write(write.clone()).await {
            Ok(_) => return,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the store does not recover: {last:?}");
}
