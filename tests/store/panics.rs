//! A panic in the thread of the store, which also runs functions of an embedder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sluicegate::store::{Write, WriteError};

use crate::support::{TestStore, config_map};

#[tokio::test]
async fn panic_interrupts_one_write_and_the_store_continues() {
    let panics = Arc::new(AtomicBool::new(false));
    let next_panics = panics.clone();
    let test = TestStore::with(|settings| {
        settings.with_random(move || {
            assert!(!next_panics.swap(false, Ordering::SeqCst), "a panic of the test");
            fastrand::u64(..)
        })
    });
    test.create_config_map("before").await;
    panics.store(true, Ordering::SeqCst);
    let maps = &test.resources.config_maps;
    let create = |name| Write::create(maps, Some("default"), config_map(name));
    let error = test.error(create("a")).await;
    assert!(matches!(error, WriteError::Interrupted), "{error:?}");

    let written = async {
        while test.store.write(create("b")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), written).await.expect("the store continues");
    assert_eq!(test.names(maps), ["b", "before"]);
}
