//! Writes: results, dry run, finalizers.

use serde_json::{Value, json};
use sluicegate::store::{Durability, Key, Write, WriteEffect, WriteError};

use crate::support::{TestStore, config_map, finalized};

#[tokio::test]
async fn object_must_exist_or_not() {
    let test = TestStore::new();
    let key = test.config_map_key("a");
    for write in [Write::replace(key.clone(), config_map("a")), Write::delete(key.clone())] {
        let error = test.error(write).await;
        assert!(matches!(&error, WriteError::NotFound(missing) if *missing == key), "{error}");
    }
    test.create_config_map("a").await;
    let create = Write::create(&test.resources.config_maps, Some("default"), config_map("a"));
    let error = test.error(create).await;
    assert_eq!(error.to_string(), "configmaps default/a already exists");
}

#[tokio::test]
async fn replace_without_change_keeps_revision() {
    let test = TestStore::new();
    let first = test.create_config_map("a").await;
    let same = test.write(Write::replace(first.key().clone(), first.to_value())).await;
    assert_eq!(same.effect, WriteEffect::Unchanged);
    assert_eq!(same.object.revision(), first.revision());
    assert_eq!(test.store.revision(), first.revision());
}

#[tokio::test]
async fn dry_run_changes_nothing() {
    let test = TestStore::new();
    let first = test.create_config_map("a").await;
    let revision = test.store.revision();
    let maps = &test.resources.config_maps;

    let create = Write::create(maps, Some("default"), config_map("b")).with_dry_run();
    let created = test.write(create).await;
    assert_eq!(created.effect, WriteEffect::Created);
    assert_eq!(created.object.to_value()["metadata"].get("resourceVersion"), None);

    let mut object = first.to_value();
    object["data"] = json!({"a": "2"});
    let replace = Write::replace(first.key().clone(), object).with_dry_run();
    let replaced = test.write(replace).await;
    assert_eq!(replaced.object.to_value()["data"], json!({"a": "2"}));
    assert_eq!(replaced.object.revision(), first.revision());

    let deleted = test.write(Write::delete(first.key().clone()).with_dry_run()).await;
    assert_eq!(deleted.effect, WriteEffect::Removed);
    let again = Write::create(maps, Some("default"), config_map("a")).with_dry_run();
    assert!(matches!(test.error(again).await, WriteError::AlreadyExists { .. }));

    assert_eq!(test.names(maps), ["a"]);
    assert_eq!(test.store.get(first.key()).unwrap().to_value(), first.to_value());
    assert_eq!(test.store.revision(), revision);
}

#[tokio::test]
async fn finalizer_delays_removal() {
    let test = TestStore::new();
    let maps = &test.resources.config_maps;
    let create = Write::create(maps, Some("default"), finalized(config_map("a")));
    let created = test.created(create).await;
    let key = created.key().clone();

    test.time.advance(60);
    let marked = test.write(Write::delete(key.clone())).await;
    assert_eq!(marked.effect, WriteEffect::Updated);
    let metadata = marked.object.to_value()["metadata"].take();
    assert_eq!(metadata["deletionTimestamp"], "2026-11-28T12:01:00Z");
    assert_eq!(metadata["deletionGracePeriodSeconds"], 0);

    test.time.advance(60);
    let again = test.write(Write::delete(key.clone())).await;
    assert_eq!(again.effect, WriteEffect::Unchanged);
    let create = Write::create(maps, Some("default"), config_map("a"));
    let error = test.error(create).await;
    assert!(matches!(error, WriteError::AlreadyExists { is_being_deleted: true, .. }), "{error}");

    let mut object = marked.object.to_value();
    object["metadata"]["finalizers"] = json!(["example.com/wait", "example.com/more"]);
    let error = test.error(Write::replace(key.clone(), object.clone())).await;
    let is_finalizers = matches!(error, WriteError::Invalid { field: "metadata.finalizers", .. });
    assert!(is_finalizers, "{error}");

    // A client cannot revoke the deletion.
    object["metadata"]["finalizers"] = json!(["example.com/wait"]);
    object["metadata"]["deletionTimestamp"] = Value::Null;
    let same = test.write(Write::replace(key.clone(), object.clone())).await;
    assert_eq!(same.effect, WriteEffect::Unchanged);

    object["metadata"]["finalizers"] = json!([]);
    let removed = test.write(Write::replace(key.clone(), object)).await;
    assert_eq!(removed.effect, WriteEffect::Removed);
    assert!(test.store.get(&key).is_none());
}

#[tokio::test]
async fn writes_of_one_transaction_have_results_of_their_own() {
    let test = TestStore::new();
    let maps = &test.resources.config_maps;
    let create = |name| Write::create(maps, Some("default"), config_map(name));
    let writes = vec![
        create("a"),
        create("a"),
        Write::delete(test.config_map_key("missing")),
        create("b"),
        Write::delete(test.config_map_key("a")),
    ];
    let results = test.store.write_all(writes, Durability::Ephemeral).await;
    let effects: Vec<_> =
        results.iter().map(|result| result.as_ref().map(|written| written.effect).ok()).collect();
    let (created, removed) = (Some(WriteEffect::Created), Some(WriteEffect::Removed));
    assert_eq!(effects, [created, None, None, created, removed]);
    assert_eq!(test.names(maps), ["b"]);
}

#[tokio::test]
async fn closed_store_refuses_writes_and_serves_reads() {
    let test = TestStore::new();
    test.create_config_map("a").await;
    test.store.close().await;
    let key: Key = test.config_map_key("a");
    assert!(matches!(test.error(Write::delete(key.clone())).await, WriteError::Closed));
    assert!(test.store.get(&key).is_some());
    test.store.close().await;
}
