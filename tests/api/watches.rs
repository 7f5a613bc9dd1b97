//! Watches: their start, events, selectors, forms and end.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::api::Settings;
use sluicegate::store;

use crate::support::{Api, GATEWAY_GROUP, PARTIAL, TABLE, event};

const PATH: &str = "/api/v1/namespaces/default/configmaps?watch=1";

#[tokio::test]
async fn watch_without_a_revision_begins_with_the_objects() {
    let api = Api::new();
    let a = api.create_config_map("a", json!({})).await;
    let b = api.create_config_map("b", json!({})).await;
    for query in ["", "&resourceVersion=0", "&resourceVersion="] {
        let mut events = api.watch(&format!("{PATH}{query}")).await;
        assert_eq!(events.summary().await, event("ADDED", "a", &a), "{query}");
        assert_eq!(events.summary().await, event("ADDED", "b", &b), "{query}");
        let c = api.create_config_map("c", json!({})).await;
        assert_eq!(events.summary().await, event("ADDED", "c", &c), "{query}");
        let labelled = api.label_config_map("c", json!({"n": "1"})).await;
        assert_eq!(events.summary().await, event("MODIFIED", "c", &labelled), "{query}");
        let deleted = api.delete_config_map("c").await;
        assert_eq!(events.summary().await, event("DELETED", "c", &deleted), "{query}");
    }
}

#[tokio::test]
async fn watch_continues_a_list() {
    let api = Api::new();
    api.create_config_map("a", json!({})).await;
    let list = api.get(&PATH.replace("watch=1", "")).await.json();
    let revision = list["metadata"]["resourceVersion"].as_str().unwrap();
    let b = api.create_config_map("b", json!({})).await;
    let mut events = api.watch(&format!("{PATH}&resourceVersion={revision}")).await;
    assert_eq!(events.summary().await, event("ADDED", "b", &b));
    let deleted = api.delete_config_map("a").await;
    assert_eq!(events.summary().await, event("DELETED", "a", &deleted));
}

#[tokio::test]
async fn watch_is_limited_to_its_namespace_and_resource() {
    let api = Api::new();
    api.create("", "namespaces", None, "Namespace", "v1", json!({"name": "n"}), json!({})).await;
    let create = |name: &'static str| {
        let (api, metadata) = (api.clone(), json!({"name": name}));
        async move {
            api.create("", "configmaps", Some("n"), "ConfigMap", "v1", metadata, json!({})).await
        }
    };
    let y = create("y").await;
    let mut events = api.watch(&format!("{PATH}&resourceVersion=0")).await;
    let mut all = api.watch("/api/v1/configmaps?watch=true").await;
    assert_eq!(all.summary().await, event("ADDED", "y", &y));
    let z = create("z").await;
    api.create_gateway("g").await;
    let a = api.create_config_map("a", json!({})).await;
    assert_eq!(events.summary().await, event("ADDED", "a", &a));
    assert_eq!(all.summary().await, event("ADDED", "z", &z));
    assert_eq!(all.summary().await, event("ADDED", "a", &a));
}

#[tokio::test]
async fn objects_that_begin_or_cease_to_match_are_added_and_deleted() {
    let api = Api::new();
    let revision = api.create_config_map("a", json!({"tier": "x", "n": "0"})).await;
    let selected = format!("{PATH}&labelSelector=tier%3Dx&resourceVersion={revision}");
    let mut events = api.watch(&selected).await;
    let ceased = api.label_config_map("a", json!({"tier": "y", "n": "1"})).await;
    let deleted = events.next().await.unwrap();
    assert_eq!(
        (&deleted["type"], &deleted["object"]["metadata"]["resourceVersion"]),
        (&json!("DELETED"), &json!(ceased))
    );
    // The object is in the last state that matched.
    assert_eq!(deleted["object"]["metadata"]["labels"], json!({"tier": "x", "n": "0"}));
    api.label_config_map("a", json!({"tier": "y", "n": "2"})).await;
    let begun = api.label_config_map("a", json!({"tier": "x", "n": "3"})).await;
    assert_eq!(events.summary().await, event("ADDED", "a", &begun));
    let changed = api.label_config_map("a", json!({"tier": "x", "n": "4"})).await;
    assert_eq!(events.summary().await, event("MODIFIED", "a", &changed));
    let removed = api.delete_config_map("a").await;
    assert_eq!(events.summary().await, event("DELETED", "a", &removed));
    api.create_config_map("b", json!({"tier": "y"})).await;
    api.delete_config_map("b").await;
    let c = api.create_config_map("c", json!({"tier": "x"})).await;
    assert_eq!(events.summary().await, event("ADDED", "c", &c));
}

#[tokio::test]
async fn one_object_is_watched_by_its_name() {
    let api = Api::new();
    let a = api.create_config_map("a", json!({})).await;
    let mut events = api.watch(&format!("{PATH}&fieldSelector=metadata.name%3Da")).await;
    assert_eq!(events.summary().await, event("ADDED", "a", &a));
    api.create_config_map("b", json!({})).await;
    let deleted = api.delete_config_map("a").await;
    assert_eq!(events.summary().await, event("DELETED", "a", &deleted));
}

#[tokio::test]
async fn unknown_revision_is_gone_within_the_watch() {
    let history = store::Settings::new().with_history(2, 1 << 20);
    let api = Api::with_settings(Settings::new(), history);
    let old = api.create_config_map("a", json!({})).await;
    for value in ["1", "2", "3"] {
        api.label_config_map("a", json!({"n": value})).await;
    }
    // The second revision is of another store.
    for revision in [old.as_str(), "9007199254740991"] {
        let mut events = api.watch(&format!("{PATH}&resourceVersion={revision}")).await;
        let error = events.next().await.unwrap();
        assert_eq!(error["type"], "ERROR");
        let status = &error["object"];
        let found = (&status["kind"], &status["code"], &status["reason"]);
        assert_eq!(found, (&json!("Status"), &json!(410), &json!("Expired")), "{status}");
        let message = status["message"].as_str().unwrap();
        assert!(message.starts_with("too old resource version"), "{message}");
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn watch_that_is_too_slow_is_gone() {
    let history = store::Settings::new().with_history(2, 1 << 20);
    let api = Api::with_settings(Settings::new(), history);
    let revision = api.create_config_map("a", json!({})).await;
    let mut events = api.watch(&format!("{PATH}&resourceVersion={revision}")).await;
    for value in ["1", "2", "3"] {
        api.label_config_map("a", json!({"n": value})).await;
    }
    let error = events.next().await.unwrap();
    assert_eq!((&error["type"], &error["object"]["code"]), (&json!("ERROR"), &json!(410)));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn bookmarks_follow_the_changes_of_others() {
    let settings = Settings::new().with_bookmark_interval(Duration::from_millis(5));
    let api = Api::with_settings(settings, store::Settings::new());
    let start = api.create_config_map("a", json!({})).await;
    let mut events =
        api.watch(&format!("{PATH}&allowWatchBookmarks=true&resourceVersion={start}")).await;
    let gateway = api.create_gateway("g").await;
    loop {
        let bookmark = events.next().await.unwrap();
        let object = &bookmark["object"];
        let found = (&bookmark["type"], &object["kind"], &object["apiVersion"]);
        assert_eq!(found, (&json!("BOOKMARK"), &json!("ConfigMap"), &json!("v1")));
        assert_eq!(object["metadata"].get("annotations"), None);
        if object["metadata"]["resourceVersion"] == gateway {
            break;
        }
    }
    let mut without = api.watch(&format!("{PATH}&resourceVersion={start}")).await;
    let b = api.create_config_map("b", json!({})).await;
    assert_eq!(without.summary().await, event("ADDED", "b", &b));
}

#[tokio::test]
async fn initial_events_end_with_a_bookmark() {
    let api = Api::new();
    let a = api.create_config_map("a", json!({})).await;
    let newest = api.create_gateway("g").await;
    let initial = format!("{PATH}&resourceVersionMatch=NotOlderThan&sendInitialEvents=true");
    let mut events = api.watch(&format!("{initial}&allowWatchBookmarks=true")).await;
    assert_eq!(events.summary().await, event("ADDED", "a", &a));
    let bookmark = events.next().await.unwrap();
    let metadata = &bookmark["object"]["metadata"];
    assert_eq!(
        (&bookmark["type"], &metadata["resourceVersion"]),
        (&json!("BOOKMARK"), &json!(newest))
    );
    assert_eq!(metadata["annotations"], json!({"k8s.io/initial-events-end": "true"}));
    let b = api.create_config_map("b", json!({})).await;
    assert_eq!(events.summary().await, event("ADDED", "b", &b));
    // Without bookmarks, the initial events are the same.
    let mut events = api.watch(&initial).await;
    assert_eq!(events.summary().await, event("ADDED", "a", &a));
    assert_eq!(events.summary().await, event("ADDED", "b", &b));
    // Without initial events, the watch begins at the newest revision.
    let mut events = api.watch(&initial.replace("=true", "=false")).await;
    let c = api.create_config_map("c", json!({})).await;
    assert_eq!(events.summary().await, event("ADDED", "c", &c));
    let future = format!("{initial}&resourceVersion=9007199254740991");
    api.get(&future).await.failure(504, "Timeout");
}

#[tokio::test]
async fn timeout_ends_the_watch_with_a_bookmark() {
    let api = Api::new();
    let newest = api.create_config_map("a", json!({})).await;
    let path = format!("{PATH}&timeoutSeconds=1&resourceVersion={newest}");
    let mut with_bookmark = api.watch(&format!("{path}&allowWatchBookmarks=1")).await;
    let mut without = api.watch(&path).await;
    assert_eq!(with_bookmark.summary().await, event("BOOKMARK", "", &newest));
    assert_eq!(with_bookmark.next().await, None);
    assert_eq!(without.next().await, None);
}

#[tokio::test]
async fn events_have_the_form_that_was_negotiated() {
    let api = Api::new();
    api.create_gateway("a").await;
    let path = format!("/apis/{GATEWAY_GROUP}/v1beta1/gateways?watch=true");
    let initial = "&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&allowWatchBookmarks=1";
    let path = format!("{path}{initial}");
    let mut objects = api.watch(&path).await;
    let object = objects.next().await.unwrap()["object"].clone();
    assert_eq!(
        (&object["apiVersion"], &object["kind"]),
        (&json!("gateway.networking.k8s.io/v1beta1"), &json!("Gateway"))
    );
    assert_eq!(objects.next().await.unwrap()["object"]["apiVersion"], object["apiVersion"]);

    let mut tables = api.watch_as(&path, &format!("{TABLE}, application/json")).await;
    let first = tables.next().await.unwrap()["object"].clone();
    assert_eq!((&first["kind"], &first["rows"][0]["cells"][0]), (&json!("Table"), &json!("a")));
    assert_eq!(first["columnDefinitions"].as_array().unwrap().len(), 5);
    let bookmark = tables.next().await.unwrap();
    assert_eq!(
        (&bookmark["type"], &bookmark["object"]["kind"]),
        (&json!("BOOKMARK"), &json!("Table"))
    );
    let metadata = &bookmark["object"]["rows"][0]["object"]["metadata"];
    assert_eq!(metadata["resourceVersion"], first["metadata"]["resourceVersion"]);

    let mut partial = api.watch_as(&path, PARTIAL).await;
    let first = partial.next().await.unwrap()["object"].clone();
    assert_eq!((&first["kind"], first.get("spec")), (&json!("PartialObjectMetadata"), None));

    api.create_gateway("b").await;
    assert_eq!(objects.next().await.unwrap()["object"]["metadata"]["name"], "b");
    let second = tables.next().await.unwrap()["object"].clone();
    assert_eq!(
        (&second["columnDefinitions"], &second["rows"][0]["cells"][0]),
        (&json!([]), &json!("b"))
    );
    assert_eq!(partial.next().await.unwrap()["type"], "BOOKMARK");
    assert_eq!(partial.next().await.unwrap()["object"]["metadata"]["name"], "b");
}

#[tokio::test]
async fn watch_ends_with_the_store() {
    let api = Api::new();
    let mut events = api.watch(PATH).await;
    api.create_config_map("a", json!({})).await;
    assert_eq!(events.summary().await.1, "a");
    api.store.close().await;
    assert_eq!(events.next().await, None::<Value>);
}
