//! Watches: order, scope, bounds.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sluicegate::store::{Change, ChangeKind, ReadError, Revision, Watch, WatchScope, Write};

use crate::support::{TestStore, config_map};

fn describe(change: &Change) -> (ChangeKind, String) {
    (change.kind(), change.object().key().to_string())
}

async fn next(watch: &mut Watch) -> Vec<Change> {
    let changes = tokio::time::timeout(Duration::from_secs(20), watch.next()).await;
    changes.expect("a change within 20 s").unwrap().expect("the store is open")
}

#[tokio::test]
async fn watch_has_all_changes_of_its_scope_in_order() {
    let test = TestStore::new();
    let maps = &test.resources.config_maps;
    let start = test.store.revision();
    let mut live = test.store.watch(WatchScope::resource(maps), start).unwrap();
    let mut all = test.store.watch(WatchScope::all(), start).unwrap();
    let elsewhere = WatchScope::resource(maps).with_namespace("other");
    let mut other = test.store.watch(elsewhere, start).unwrap();

    let created = test.create_config_map("a").await;
    test.create_gateway("edge").await;
    let mut object = config_map("a");
    object["data"] = json!({});
    let changed = test.write(Write::replace(created.key().clone(), object)).await.object;
    let removed = test.write(Write::delete(created.key().clone())).await.object;

    let key = "configmaps default/a".to_owned();
    let expected = [
        (ChangeKind::Added, key.clone()),
        (ChangeKind::Modified, key.clone()),
        (ChangeKind::Deleted, key),
    ];
    let mut late = test.store.watch(WatchScope::resource(maps), start).unwrap();
    for watch in [&mut live, &mut late] {
        let changes = next(watch).await;
        assert_eq!(changes.iter().map(describe).collect::<Vec<_>>(), expected);
        assert!(changes[0].previous().is_none());
        assert!(Arc::ptr_eq(changes[1].previous().unwrap(), &created));
        // Watches share the objects.
        assert!(Arc::ptr_eq(changes[1].object(), &changed));
        assert_eq!(changes[2].object().revision(), removed.revision());
        assert_eq!(changes[2].object().to_value()["data"], json!({}));
        assert_eq!(watch.revision(), removed.revision());
    }
    let changes = next(&mut all).await;
    assert_eq!(changes.len(), 4);
    let revisions: Vec<_> = changes.iter().map(|change| change.object().revision()).collect();
    assert!(revisions.is_sorted(), "{revisions:?}");

    // A bookmark of a watch without changes follows the store.
    let waiting = tokio::time::timeout(Duration::from_millis(20), other.next()).await;
    assert!(waiting.is_err());
    assert_eq!(other.revision(), test.store.revision());
}

#[tokio::test]
async fn watch_continues_at_the_revision_of_its_last_change() {
    let test = TestStore::new();
    let mut expected = Vec::new();
    let start = test.store.revision();
    for index in 0..200 {
        expected.push(test.create_config_map(&format!("n{index}")).await.revision());
    }
    let (mut found, mut revision) = (Vec::new(), start);
    while found.len() < expected.len() {
        let mut watch = test.store.watch(WatchScope::all(), revision).unwrap();
        let changes = next(&mut watch).await;
        found.extend(changes.iter().map(|change| change.object().revision()));
        revision = *found.last().unwrap();
        assert_eq!(watch.revision(), revision);
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn watch_of_old_revision_is_gone() {
    let test = TestStore::with(|settings| settings.with_history(10, 1 << 20));
    let start = test.store.revision();
    let revisions: Vec<_> = {
        let mut revisions = vec![start];
        for index in 0..11 {
            revisions.push(test.create_config_map(&format!("n{index}")).await.revision());
        }
        revisions
    };
    let watch = |revision| test.store.watch(WatchScope::all(), revision).map(|_| ());
    let gone = ReadError::Gone { requested: start, oldest: revisions[1] };
    assert_eq!(watch(start), Err(gone));
    assert_eq!(watch(revisions[1]), Ok(()));
    let old = Revision::new(1);
    assert_eq!(watch(old), Err(ReadError::Gone { requested: old, oldest: revisions[1] }));
    let future = Revision::new(test.store.revision().get() + 1);
    let newest = test.store.revision();
    assert_eq!(watch(future), Err(ReadError::TooNew { requested: future, newest }));
}

#[tokio::test]
async fn slow_watch_is_gone_and_others_go_on() {
    let test = TestStore::with(|settings| settings.with_history(16_384, 64 * 1024));
    let start = test.store.revision();
    let mut slow = test.store.watch(WatchScope::all(), start).unwrap();
    let mut fast = test.store.watch(WatchScope::all(), start).unwrap();
    for index in 0..200 {
        test.create_config_map(&format!("n{index}")).await;
        assert_eq!(next(&mut fast).await.len(), 1);
    }
    let error = slow.next().await.unwrap_err();
    assert!(matches!(error, ReadError::Gone { requested, .. } if requested == start), "{error}");
}

#[tokio::test]
async fn watch_ends_when_the_store_is_closed() {
    let test = TestStore::new();
    let mut watch = test.store.watch(WatchScope::all(), test.store.revision()).unwrap();
    test.create_config_map("a").await;
    test.store.close().await;
    assert_eq!(watch.next().await.unwrap().unwrap().len(), 1);
    assert!(watch.next().await.unwrap().is_none());
}

/// The objects of 200 watches are those of the store.
#[tokio::test]
async fn watches_share_objects() {
    let test = TestStore::new();
    let start = test.store.revision();
    let mut watches: Vec<_> =
        (0..200).map(|_| test.store.watch(WatchScope::all(), start).unwrap()).collect();
    let created = test.create_config_map("a").await;
    for watch in &mut watches {
        assert!(Arc::ptr_eq(next(watch).await[0].object(), &created));
    }
}
