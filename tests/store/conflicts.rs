//! Conflicts: preconditions, and writers that change the same object.

use serde_json::json;
use sluicegate::store::{Conflict, Preconditions, Write, WriteError};
use tokio::task::JoinSet;

use crate::support::TestStore;

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
