//! Requests that delete objects.

use serde_json::{Value, json};

use crate::support::{Answer, Api};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn delete(api: &Api, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    api.write("DELETE", path, "application/json", body).await
}

async fn create(api: &Api, path: &str, metadata: Value) -> Value {
    let object = json!({"metadata": metadata}).to_string();
    let answer = api.write("POST", path, "application/json", object).await;
    assert_eq!(answer.code, 201, "{}", answer.json());
    answer.json()
}

#[tokio::test]
async fn deletion_answers_a_status() {
    let api = Api::new();
    let created = create(&api, MAPS, json!({"name": "a"})).await;
    let path = format!("{MAPS}/a");
    let body = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 30, "propagationPolicy": "Background"});
    let answer = delete(&api, &path, body).await;
    let expected = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {"name": "a", "kind": "configmaps", "uid": created["metadata"]["uid"]},
    });
    assert_eq!((answer.code, answer.json()), (200, expected));
    let status = delete(&api, &path, Value::Null).await.failure(404, "NotFound");
    assert_eq!(status["message"], "configmaps \"a\" not found");
}

#[tokio::test]
async fn object_with_finalizers_is_answered() {
    let api = Api::new();
    create(&api, MAPS, json!({"name": "a", "finalizers": ["example.com/a"]})).await;
    let path = format!("{MAPS}/a");
    let object = delete(&api, &path, Value::Null).await.json();
    assert_eq!(object["kind"], "ConfigMap");
    assert!(object["metadata"]["deletionTimestamp"].is_string(), "{object}");
    let patch = r#"{"metadata": {"finalizers": null}}"#;
    let answer = api.write("PATCH", &path, "application/merge-patch+json", patch).await;
    assert_eq!(answer.code, 200);
    assert_eq!(api.get(&path).await.code, 404);
}

#[tokio::test]
async fn preconditions_protect_an_object() {
    let api = Api::new();
    let created = create(&api, MAPS, json!({"name": "a"})).await;
    let path = format!("{MAPS}/a");
    let metadata = &created["metadata"];
    for wrong in [json!({"uid": "x"}), json!({"resourceVersion": "1"})] {
        delete(&api, &path, json!({"preconditions": wrong})).await.failure(409, "Conflict");
    }
    let bad = json!({"preconditions": {"resourceVersion": "x"}});
    delete(&api, &path, bad).await.failure(400, "BadRequest");
    let right = json!({"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]});
    assert_eq!(delete(&api, &path, json!({"preconditions": right})).await.code, 200);
}

#[tokio::test]
async fn options_are_checked_before_anything_is_deleted() {
    let api = Api::new();
    create(&api, MAPS, json!({"name": "a"})).await;
    let before = api.store.revision();
    let path = format!("{MAPS}/a");
    for (body, code, reason) in [
        (json!({"propagationPolicy": "x"}), 422, "Invalid"),
        (json!({"propagationPolicy": "Orphan", "orphanDependents": true}), 422, "Invalid"),
        (json!({"dryRun": ["x"]}), 422, "Invalid"),
        (json!({"dryRun": "All"}), 400, "BadRequest"),
        (json!({"kind": "ConfigMap"}), 400, "BadRequest"),
        (json!([]), 400, "BadRequest"),
        (json!({"preconditions": []}), 400, "BadRequest"),
    ] {
        delete(&api, &path, body.clone()).await.failure(code, reason);
        delete(&api, MAPS, body).await.failure(code, reason);
    }
    for dry_run in [json!({"dryRun": ["All"]}), Value::Null] {
        let path = if dry_run.is_null() { format!("{path}?dryRun=All") } else { path.clone() };
        assert_eq!(delete(&api, &path, dry_run).await.code, 200);
    }
    assert_eq!(delete(&api, &format!("{MAPS}?dryRun=All"), Value::Null).await.names(), ["a"]);
    assert_eq!(api.store.revision(), before);
}

#[tokio::test]
async fn collection_is_deleted_by_selectors_and_pages() {
    let api = Api::new();
    for (name, label) in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "x")] {
        create(&api, MAPS, json!({"name": name, "labels": {"l": label}})).await;
    }
    let first = delete(&api, &format!("{MAPS}?labelSelector=l%3Dx&limit=2"), Value::Null).await;
    assert_eq!(first.names(), ["a", "c"]);
    let token = first.json()["metadata"]["continue"].as_str().unwrap().replace('/', "%2F");
    let path = format!("{MAPS}?labelSelector=l%3Dx&limit=2&continue={token}");
    assert_eq!(delete(&api, &path, Value::Null).await.names(), ["d"]);
    assert_eq!(api.get(MAPS).await.names(), ["b"]);
    let path = format!("{MAPS}?fieldSelector=metadata.name%3Db");
    assert_eq!(delete(&api, &path, Value::Null).await.names(), ["b"]);
    for bad in ["limit=x", "continue=x", "labelSelector=%3D"] {
        delete(&api, &format!("{MAPS}?{bad}"), Value::Null).await.failure(400, "BadRequest");
    }
}

#[tokio::test]
async fn namespace_is_deleted_with_its_content() {
    let api = Api::new();
    create(&api, "/api/v1/namespaces", json!({"name": "n"})).await;
    create(&api, "/api/v1/namespaces/n/configmaps", json!({"name": "a"})).await;
    let object = delete(&api, "/api/v1/namespaces/n", Value::Null).await.json();
    assert_eq!(object["status"]["phase"], "Terminating");
    let protected = delete(&api, "/api/v1/namespaces/default", Value::Null).await;
    protected.failure(403, "Forbidden");
}
