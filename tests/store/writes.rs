//! Writes: metadata, preconditions, status, dry run, limits.

use serde_json::{Value, json};
use sluicegate::store::{Conflict, Durability, Key, Preconditions, Write, WriteEffect, WriteError};
use tokio::task::JoinSet;

use crate::support::{TestStore, config_map, finalized, gateway};

#[tokio::test]
async fn metadata_is_set_on_create() {
    let test = TestStore::new();
    let mut object = gateway("edge");
    object["metadata"] = json!({
        "name": "edge", "uid": "mine", "generation": 7, "creationTimestamp": "2020-01-01T00:00:00Z",
        "deletionTimestamp": null, "labels": {"a": "b"},
    });
    object["status"] = json!({"a": 1});
    let create = Write::create(&test.resources.gateways, Some("default"), object);
    let created = test.created(create).await;
    let mut value = created.to_value();
    let uid = value["metadata"]["uid"].take();
    assert_eq!(uid.as_str().unwrap().len(), 36);
    assert_eq!(uid, created.uid());
    assert_eq!(
        value,
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {
                "name": "edge", "namespace": "default", "uid": null, "generation": 1,
                "creationTimestamp": "2026-11-28T12:00:00Z", "labels": {"a": "b"},
                "resourceVersion": created.revision().to_string(),
            },
            "spec": {"gatewayClassName": "edge", "listeners": []},
        })
    );
    let mut json = Vec::new();
    created.write_json(&mut json);
    assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), created.to_value());
    assert_eq!(created.labels()["a"], "b");
    assert_eq!(test.store.revision(), created.revision());
}

#[tokio::test]
async fn uid_of_a_second_object_of_the_name_differs() {
    let test = TestStore::new();
    let first = test.create_gateway("edge").await;
    let removed = test.write(Write::delete(test.gateway_key("edge"))).await;
    assert_eq!(removed.effect, WriteEffect::Removed);
    assert_eq!(removed.object.uid(), first.uid());
    assert!(removed.object.revision() > first.revision());
    let second = test.create_gateway("edge").await;
    assert_ne!(first.uid(), second.uid());
    assert!(second.revision() > removed.object.revision());
}

#[tokio::test]
async fn generation_follows_spec_only() {
    let test = TestStore::new();
    let key = test.gateway_key("edge");
    let mut object = test.create_gateway("edge").await.to_value();

    object["metadata"]["labels"] = json!({"a": "b"});
    let labelled = test.write(Write::replace(key.clone(), object)).await.object;
    assert_eq!(labelled.generation(), Some(1));

    let mut object = labelled.to_value();
    object["status"] = json!({"addresses": []});
    let with_status = test.write(Write::replace_status(key.clone(), object)).await.object;
    assert_eq!(with_status.generation(), Some(1));
    assert_eq!(with_status.to_value()["status"], json!({"addresses": []}));

    let mut object = with_status.to_value();
    object["spec"]["gatewayClassName"] = json!("other");
    object["metadata"]["generation"] = json!(40);
    let changed = test.write(Write::replace(key.clone(), finalized(object))).await.object;
    assert_eq!(changed.generation(), Some(2));

    let deleted = test.write(Write::delete(key)).await;
    assert_eq!((deleted.effect, deleted.object.generation()), (WriteEffect::Updated, Some(3)));

    assert_eq!(test.create_config_map("a").await.generation(), None);
}

#[tokio::test]
async fn status_is_changed_by_its_subresource_only() {
    let test = TestStore::new();
    let key = test.gateway_key("edge");
    let created = test.create_gateway("edge").await;
    let mut object = created.to_value();
    object["status"] = json!({"a": 1});
    object["spec"]["gatewayClassName"] = json!("other");
    object["metadata"]["labels"] = json!({"a": "b"});

    let replaced = test.write(Write::replace_status(key.clone(), object.clone())).await.object;
    let mut expected = created.to_value();
    expected["status"] = json!({"a": 1});
    expected["metadata"]["resourceVersion"] = json!(replaced.revision().to_string());
    assert_eq!(replaced.to_value(), expected);

    object["status"] = json!({"a": 2});
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let replaced = test.write(Write::replace(key, object)).await.object;
    assert_eq!(replaced.to_value()["status"], json!({"a": 1}));
    assert_eq!(replaced.to_value()["spec"]["gatewayClassName"], "other");

    let config_map = test.create_config_map("a").await;
    let write = Write::replace_status(config_map.key().clone(), config_map.to_value());
    let error = test.error(write).await;
    assert!(matches!(error, WriteError::Invalid { field: "status", .. }), "{error}");
}

#[tokio::test]
async fn replace_conflicts_with_another_change() {
    let test = TestStore::new();
    let first = test.create_config_map("a").await;
    let mut object = first.to_value();
    object["data"] = json!({"a": "2"});
    let second = test.write(Write::replace(first.key().clone(), object.clone())).await.object;
    assert!(second.revision() > first.revision());

    object["data"] = json!({"a": "3"});
    match test.error(Write::replace(first.key().clone(), object.clone())).await {
        WriteError::Conflict { conflict: Conflict::Revision { expected, found }, .. } => {
            assert_eq!((expected, found), (first.revision(), second.revision()));
        }
        other => panic!("{other}"),
    }
    // Without a resourceVersion the newest change wins.
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let third = test.write(Write::replace(first.key().clone(), object)).await.object;
    assert_eq!(third.to_value()["data"], json!({"a": "3"}));
}

#[tokio::test]
async fn replace_conflicts_with_another_object_of_the_name() {
    let test = TestStore::new();
    let first = test.create_config_map("a").await;
    test.write(Write::delete(first.key().clone())).await;
    test.create_config_map("a").await;
    let mut object = first.to_value();
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let error = test.error(Write::replace(first.key().clone(), object)).await;
    let is_uid = |error: &WriteError| {
        matches!(error, WriteError::Conflict { conflict: Conflict::Uid { .. }, .. })
    };
    assert!(is_uid(&error), "{error}");
    let stale = Preconditions::new().with_uid(first.uid());
    let error = test.error(Write::delete(first.key().clone()).with_preconditions(stale)).await;
    assert!(is_uid(&error), "{error}");
}

#[tokio::test]
async fn delete_conflicts_with_a_change() {
    let test = TestStore::new();
    let first = test.create_config_map("a").await;
    let mut object = first.to_value();
    object["data"] = json!({"a": "2"});
    test.write(Write::replace(first.key().clone(), object)).await;
    let stale = Preconditions::new().with_revision(first.revision());
    let error = test.error(Write::delete(first.key().clone()).with_preconditions(stale)).await;
    assert!(matches!(error, WriteError::Conflict { .. }), "{error}");
    assert!(test.store.get(first.key()).is_some());
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
async fn name_is_generated() {
    let test = TestStore::new();
    let mut object = config_map("");
    object["metadata"] = json!({"generateName": "web-"});
    let create = Write::create(&test.resources.config_maps, Some("default"), object);
    let names = [test.created(create.clone()).await, test.created(create).await];
    let names = names.map(|object| object.key().name().to_owned());
    assert_ne!(names[0], names[1]);
    assert!(names.iter().all(|name| name.starts_with("web-") && name.len() == 9), "{names:?}");
}

#[tokio::test]
async fn invalid_metadata_is_refused_with_its_field() {
    let test = TestStore::new();
    let maps = &test.resources.config_maps;
    let key = test.create_config_map("a").await.key().clone();
    let with = |metadata: Value| {
        let mut object = config_map("a");
        object["metadata"] = metadata;
        object
    };
    let create = |metadata| Write::create(maps, Some("default"), with(metadata));
    let replace = |metadata| Write::replace(key.clone(), with(metadata));
    let class = Write::create(&test.resources.classes, Some("default"), config_map("a"));
    let cases = [
        (create(json!({})), "metadata.name"),
        (create(json!({"name": "a/b"})), "metadata.name"),
        (create(json!({"name": 1})), "metadata.name"),
        (create(json!({"name": "b", "namespace": "other"})), "metadata.namespace"),
        (create(json!({"name": "b", "resourceVersion": "1"})), "metadata.resourceVersion"),
        (create(json!({"name": "b", "labels": []})), "metadata"),
        (create(json!([])), "metadata"),
        (Write::create(maps, None, config_map("b")), "metadata.namespace"),
        (class, "metadata.namespace"),
        (replace(json!({"name": "b"})), "metadata.name"),
        (replace(json!({"name": "a", "resourceVersion": "01"})), "metadata.resourceVersion"),
        (Write::create(maps, Some("default"), json!({"kind": "ConfigMap"})), "apiVersion"),
    ];
    for (write, expected) in cases {
        let text = format!("{write:?}");
        match test.error(write).await {
            WriteError::Invalid { field, .. } => assert_eq!(field, expected, "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
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
async fn object_limit_is_exact() {
    let text = |len: usize| {
        let mut object = config_map("a");
        object["data"]["a"] = json!("x".repeat(len));
        object
    };
    let test = TestStore::with(|settings| settings.with_max_object_bytes(4096));
    let maps = &test.resources.config_maps;
    let created = test.created(Write::create(maps, Some("default"), text(100))).await;
    let largest = 4096 - created.json_len() + 100;
    let key = created.key().clone();
    let replaced = test.write(Write::replace(key.clone(), text(largest))).await.object;
    assert_eq!(replaced.json_len(), 4096);
    match test.error(Write::replace(key.clone(), text(largest + 1))).await {
        WriteError::TooLarge { len, limit } => assert_eq!((len, limit), (4097, 4096)),
        other => panic!("{other}"),
    }
    assert_eq!(test.store.get(&key).unwrap().to_value(), replaced.to_value());
}

#[tokio::test]
async fn limit_of_all_objects_prevents_growth_only() {
    let test = TestStore::with(|settings| settings.with_max_bytes(16 * 1024));
    let maps = &test.resources.config_maps;
    let mut count = 0;
    let error = loop {
        let object = finalized(config_map(&format!("n{count:03}")));
        match test.store.write(Write::create(maps, Some("default"), object)).await {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, WriteError::LimitReached { limit: 16384, .. }), "{error}");
    assert!((10..32).contains(&count), "{count}");
    // The deletion timestamp makes the object larger, but the limits do not prevent a deletion.
    for index in 0..count {
        test.write(Write::delete(test.config_map_key(&format!("n{index:03}")))).await;
    }
    for index in 0..count {
        let name = format!("n{index:03}");
        let removed =
            test.write(Write::replace(test.config_map_key(&name), config_map(&name))).await;
        assert_eq!(removed.effect, WriteEffect::Removed);
    }
    test.create_config_map("new").await;
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

/// Optimistic writers retry on a conflict: no update is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_lose_no_update() {
    let test = TestStore::new();
    let key = test.create_config_map("counter").await.key().clone();
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let (store, key) = (test.store.clone(), key.clone());
        writers.spawn(async move {
            for count in 0..25 {
                loop {
                    let mut object = store.get(&key).unwrap().to_value();
                    object["data"][format!("{writer}-{count}")] = json!("");
                    match store.write(Write::replace(key.clone(), object)).await {
                        Ok(_) => break,
                        Err(WriteError::Conflict { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            }
        });
    }
    writers.join_all().await;
    let object = test.store.get(&key).unwrap().to_value();
    assert_eq!(object["data"].as_object().unwrap().len(), 1 + 8 * 25);
}

#[tokio::test]
async fn initial_status_is_kept_on_request_only() {
    let test = TestStore::new();
    let create = |name: &str| {
        let mut object = gateway(name);
        object["status"] = json!({"a": 1});
        Write::create(&test.resources.gateways, Some("default"), object)
    };
    let kept = test.created(create("kept").with_initial_status()).await;
    assert_eq!(kept.to_value()["status"], json!({"a": 1}));
    let dropped = test.created(create("dropped")).await;
    assert_eq!(dropped.to_value().get("status"), None);
}
