//! Lists: scopes, selectors, pages and revisions.

use serde_json::{Value, json};
use sluicegate::api::Settings;
use sluicegate::store;

use crate::support::Api;

const PATH: &str = "/api/v1/namespaces/default/configmaps";

async fn create_five(api: &Api) {
    for (name, tier) in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "y"), ("e", "x")] {
        api.create_config_map(name, json!({"tier": tier})).await;
    }
}

/// Returns the parameter of the next page.
fn next(list: &Value) -> String {
    format!("continue={}", list["metadata"]["continue"].as_str().unwrap())
}

#[tokio::test]
async fn list_has_kind_version_and_revision() {
    let api = Api::new();
    let empty = api.get(PATH).await.json();
    let metadata = json!({"resourceVersion": api.store.revision().to_string()});
    let expected =
        json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": []});
    assert_eq!(empty, expected);
    api.create_config_map("a", json!({})).await;
    let list = api.get(PATH).await.json();
    assert_eq!(
        list["metadata"]["resourceVersion"],
        list["items"][0]["metadata"]["resourceVersion"]
    );
    assert_eq!(list["items"][0], api.get(&format!("{PATH}/a")).await.json());
}

#[tokio::test]
async fn list_is_limited_to_its_namespace() {
    let api = Api::new();
    api.create("", "namespaces", None, "Namespace", "v1", json!({"name": "n"}), json!({})).await;
    let config_map = json!({"name": "z"});
    api.create("", "configmaps", Some("n"), "ConfigMap", "v1", config_map, json!({})).await;
    api.create_config_map("a", json!({})).await;
    assert_eq!(api.get(PATH).await.names(), ["a"]);
    assert_eq!(api.get("/api/v1/namespaces/n/configmaps").await.names(), ["z"]);
    assert_eq!(api.get("/api/v1/configmaps").await.names(), ["a", "z"]);
    assert_eq!(api.get("/api/v1/namespaces/none/configmaps").await.names(), [""; 0]);
    assert_eq!(api.get("/api/v1/namespaces").await.names(), ["default", "n"]);
}

#[tokio::test]
async fn selectors_choose_objects() {
    let api = Api::new();
    create_five(&api).await;
    for (query, expected) in [
        ("labelSelector=tier%3Dx", "a c e"),
        ("labelSelector=tier+in+(y),!none", "b d"),
        ("labelSelector=none", ""),
        ("labelSelector=", "a b c d e"),
        ("fieldSelector=metadata.name%3Db", "b"),
        ("fieldSelector=metadata.name!%3Db,metadata.namespace%3Ddefault", "a c d e"),
        ("fieldSelector=metadata.name%3Db&labelSelector=tier%3Dx", ""),
    ] {
        assert_eq!(
            api.get(&format!("{PATH}?{query}")).await.names().join(" "),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn pages_are_of_one_revision() {
    let api = Api::new();
    create_five(&api).await;
    let first = api.get(&format!("{PATH}?limit=2")).await;
    assert_eq!(first.names(), ["a", "b"]);
    let first = first.json();
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    api.delete_config_map("c").await;
    api.create_config_map("f", json!({})).await;
    let second = api.get(&format!("{PATH}?limit=2&{}", next(&first))).await;
    assert_eq!(second.names(), ["c", "d"]);
    let second = second.json();
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert_eq!(second["metadata"]["remainingItemCount"], 1);
    let last = api.get(&format!("{PATH}?limit=2&{}", next(&second))).await;
    assert_eq!(last.names(), ["e"]);
    let metadata = &last.json()["metadata"];
    assert_eq!((metadata.get("continue"), metadata.get("remainingItemCount")), (None, None));
    // Without a limit, the rest is one page.
    assert_eq!(api.get(&format!("{PATH}?{}", next(&first))).await.names(), ["c", "d", "e"]);
}

#[tokio::test]
async fn remaining_count_is_unknown_with_a_selector() {
    let api = Api::new();
    create_five(&api).await;
    let first = api.get(&format!("{PATH}?limit=2&labelSelector=tier%3Dx")).await;
    assert_eq!(first.names(), ["a", "c"]);
    let first = first.json();
    assert_eq!(first["metadata"].get("remainingItemCount"), None);
    let last = api.get(&format!("{PATH}?limit=2&labelSelector=tier%3Dx&{}", next(&first))).await;
    assert_eq!(last.names(), ["e"]);
}

#[tokio::test]
async fn revisions_of_the_past_are_read_as_requested() {
    let api = Api::new();
    let first = api.create_config_map("a", json!({})).await;
    let second = api.create_config_map("b", json!({})).await;
    let names = |query: String| {
        let api = api.clone();
        async move { api.get(&format!("{PATH}?{query}")).await.names().join(" ") }
    };
    let exact = "resourceVersionMatch=Exact";
    assert_eq!(names(format!("resourceVersion={first}&{exact}")).await, "a");
    assert_eq!(names(format!("resourceVersion={second}&{exact}")).await, "a b");
    assert_eq!(names(format!("resourceVersion={first}&limit=5")).await, "a");
    assert_eq!(names(format!("resourceVersion={first}")).await, "a b");
    let not_older = "resourceVersionMatch=NotOlderThan";
    assert_eq!(names(format!("resourceVersion={first}&{not_older}&limit=5")).await, "a b");
    assert_eq!(names("resourceVersion=0&limit=5".to_owned()).await, "a b");
    let old = api.get(&format!("{PATH}?resourceVersion=1&{exact}")).await;
    old.failure(410, "Expired");
    assert_eq!(names("resourceVersion=1".to_owned()).await, "a b");
}

#[tokio::test]
async fn expired_token_can_be_replaced() {
    let history = store::Settings::new().with_history(2, 1 << 20);
    let api = Api::with_settings(Settings::new(), history);
    create_five(&api).await;
    let first = api.get(&format!("{PATH}?limit=2")).await.json();
    for value in ["1", "2", "3"] {
        api.label_config_map("e", json!({"tier": value})).await;
    }
    let expired =
        api.get(&format!("{PATH}?limit=2&{}", next(&first))).await.failure(410, "Expired");
    let message = expired["message"].as_str().unwrap();
    assert!(message.starts_with("The provided continue parameter is too old"), "{message}");
    let rest = api.get(&format!("{PATH}?{}", next(&expired))).await;
    assert_eq!(rest.names(), ["c", "d", "e"]);
    assert_eq!(rest.json()["items"][2]["metadata"]["labels"]["tier"], "3");
}

#[tokio::test]
async fn token_of_another_store_is_expired() {
    let api = Api::new();
    create_five(&api).await;
    let future = format!("{PATH}?continue=9007199254740991/default/b");
    let expired = api.get(&future).await.failure(410, "Expired");
    assert_eq!(api.get(&format!("{PATH}?{}", next(&expired))).await.names(), ["c", "d", "e"]);
}
