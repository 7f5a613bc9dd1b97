//! Watches and memory: many watches, clients that do not read, and long watches in pieces.

use std::sync::Arc;

use serde_json::json;
use sluicegate::api::Settings;
use sluicegate::store;

use crate::support::{Api, TABLE, event};

const PATH: &str = "/api/v1/namespaces/default/configmaps?watch=1";

#[tokio::test]
async fn watches_are_limited() {
    let api = Api::with_settings(Settings::new().with_max_watches(4), store::Settings::new());
    let first = api.watch(PATH).await;
    let _second = api.watch(PATH).await;
    let refused = api.get(PATH).await;
    let status = refused.failure(429, "TooManyRequests");
    assert_eq!(
        (refused.header("retry-after"), &status["details"]["retryAfterSeconds"]),
        ("1", &json!(1))
    );
    // Other requests are served, and a watch that ended frees its slot.
    assert_eq!(api.get("/api/v1/configmaps").await.code, 200);
    drop(first);
    let _third = api.watch(PATH).await;
    assert_eq!(api.get(PATH).await.code, 429);
}

#[tokio::test]
async fn watch_that_ended_frees_its_slot_before_its_body_is_dropped() {
    let api = Api::with_settings(Settings::new().with_max_watches(1), store::Settings::new());
    let mut gone = api.watch(&format!("{PATH}&resourceVersion=1")).await;
    assert_eq!(gone.summary().await.0, "ERROR");
    assert_eq!(gone.next().await, None);
    let _next = api.watch(PATH).await;
}

/// 199 watches receive every change, although one never reads.
#[tokio::test]
async fn watch_that_never_reads_delays_no_other() {
    const CHANGES: usize = 100;
    let history = store::Settings::new().with_history(50, 1 << 20);
    let api = Api::with_settings(Settings::new(), history);
    let start = api.create_config_map("start", json!({})).await;
    let path = format!("{PATH}&resourceVersion={start}");
    let mut silent = api.watch(&path).await;
    let mut watches = Vec::new();
    let progress = Arc::new(tokio::sync::Semaphore::new(0));
    for _ in 0..199 {
        let mut events = api.watch(&path).await;
        let progress = progress.clone();
        watches.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..CHANGES {
                seen.push(events.summary().await);
                progress.add_permits(1);
            }
            seen
        }));
    }
    let mut expected = Vec::new();
    for number in 0..CHANGES {
        let name = format!("c{number}");
        let revision = api.create_config_map(&name, json!({})).await;
        expected.push(event("ADDED", &name, &revision));
        // The readers keep up with the history.
        progress.acquire_many(199).await.unwrap().forget();
    }
    for watch in watches {
        assert_eq!(watch.await.unwrap(), expected);
    }
    // The history no longer has the changes that the silent watch did not read.
    assert_eq!(silent.summary().await.0, "ERROR");
}

/// Objects and changes of several MiB arrive in chunks, complete and in order.
#[tokio::test]
async fn long_watch_is_sent_in_chunks() {
    const OBJECTS: usize = 30;
    let api = Api::new();
    let text = "x".repeat(100_000);
    let create = |name: String| {
        let (api, data) = (api.clone(), json!({"data": {"text": text.clone()}}));
        async move {
            let metadata = json!({"name": name});
            api.create("", "configmaps", Some("default"), "ConfigMap", "v1", metadata, data).await
        }
    };
    for number in 0..OBJECTS {
        create(format!("a{number:02}")).await;
    }
    let mut events = api.watch(PATH).await;
    let first = api.watch(PATH).await.chunk_len().await;
    assert!(first > 100_000 && first < 500_000, "{first}");
    // The objects that are read for a chunk count too: three of them, not all.
    let first = api.watch_as(PATH, TABLE).await.chunk_len().await;
    assert!(first < 8_000, "{first}");
    for number in 0..OBJECTS {
        assert_eq!(events.summary().await.1, format!("a{number:02}"));
    }
    let path = format!("{PATH}&resourceVersion={}", api.store.revision());
    let mut changes = api.watch(&path).await;
    let mut rows = api.watch_as(&path, TABLE).await;
    for number in 0..OBJECTS {
        create(format!("b{number:02}")).await;
    }
    for number in 0..OBJECTS {
        assert_eq!(events.summary().await.1, format!("b{number:02}"));
    }
    let first = changes.chunk_len().await;
    assert!(first > 100_000 && first < 500_000, "{first}");
    let first = rows.chunk_len().await;
    assert!(first < 8_000, "{first}");
}

/// The initial events are those of one revision, although they are read in pages, and the changes
/// since then follow.
#[tokio::test]
async fn initial_events_are_of_one_revision() {
    const OBJECTS: usize = 1200;
    let api = Api::new();
    let configs = api.store.catalog().get("", "configmaps").unwrap();
    let writes = (0..OBJECTS).map(|number| {
        let metadata = json!({"name": format!("a{number:04}")});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
        store::Write::create(configs, Some("default"), object)
    });
    api.store.write_all(writes.collect(), store::Durability::Synced).await;
    let mut events = api.watch(PATH).await;
    assert_eq!(events.summary().await.1, "a0000");
    let deleted = api.delete_config_map("a1199").await;
    for number in 1..OBJECTS {
        let (kind, name, _) = events.summary().await;
        assert_eq!((kind.as_str(), name), ("ADDED", format!("a{number:04}")));
    }
    assert_eq!(events.summary().await, event("DELETED", "a1199", &deleted));
}
