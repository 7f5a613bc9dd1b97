//! Requests that patch objects.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::Api;

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

const MAP: &str = "/api/v1/namespaces/default/configmaps/a";
const GATEWAY: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways/a";

async fn api_with_objects() -> Api {
    let api = Api::new();
    let map = json!({"metadata": {"name": "a"}, "data": {"a": "1"}});
    let listener = json!({"name": "a", "protocol": "TCP", "port": 8080});
    let gateway = json!({
        "metadata": {"name": "a"},
        "spec": {"gatewayClassName": "c", "listeners": [listener]},
    });
    for (path, object) in [(MAP, map), (GATEWAY, gateway)] {
        let collection = path.strip_suffix("/a").unwrap();
        let answer = api.write("POST", collection, "application/json", object.to_string()).await;
        assert_eq!(answer.code, 201, "{}", answer.json());
    }
    api
}

#[tokio::test]
async fn each_type_of_patch_is_applied() {
    let api = api_with_objects().await;
    for (content_type, patch) in [
        (JSON_PATCH, json!([{"op": "add", "path": "/data/b", "value": "2"}])),
        (MERGE, json!({"data": {"c": "3"}})),
        (STRATEGIC, json!({"data": {"d": "4"}})),
    ] {
        let answer = api.write("PATCH", MAP, content_type, patch.to_string()).await;
        assert_eq!(answer.code, 200, "{}", answer.json());
    }
    let expected = json!({"a": "1", "b": "2", "c": "3", "d": "4"});
    assert_eq!(api.get(MAP).await.json()["data"], expected);
    // A patch that changes nothing keeps the revision.
    let before = api.store.revision();
    assert_eq!(api.write("PATCH", MAP, MERGE, r#"{"data": {"a": "1"}}"#).await.code, 200);
    assert_eq!(api.store.revision(), before);
}

#[tokio::test]
async fn unsupported_patch_error_names_the_alternative() {
    let api = api_with_objects().await;
    let message = |answer: crate::support::Answer| {
        answer.failure(415, "UnsupportedMediaType")["message"].as_str().unwrap().to_owned()
    };
    for content_type in ["application/apply-patch+yaml", "application/apply-patch+cbor"] {
        let found = message(api.write("PATCH", MAP, content_type, "{}").await);
        assert!(found.contains("without --server-side"), "{found}");
    }
    let found = message(api.write("PATCH", GATEWAY, STRATEGIC, "{}").await);
    assert!(
        found.ends_with("(application/merge-patch+json), with kubectl patch --type=merge"),
        "{found}"
    );
    let found = message(api.write("PATCH", GATEWAY, "text/plain", "{}").await);
    assert!(
        found.ends_with("include: application/json-patch+json, application/merge-patch+json"),
        "{found}"
    );
    let found = message(api.write("PATCH", MAP, "application/json", "{}").await);
    assert!(found.ends_with(STRATEGIC), "{found}");
}

#[tokio::test]
async fn refused_patch_has_its_code() {
    let api = api_with_objects().await;
    let before = api.store.revision();
    for (path, content_type, patch, code, reason) in [
        (MAP, MERGE, json!([]), 400, "BadRequest"),
        (MAP, JSON_PATCH, json!([{"op": "x", "path": "/a"}]), 400, "BadRequest"),
        (MAP, JSON_PATCH, json!([{"op": "test", "path": "/data/a", "value": "2"}]), 422, "Invalid"),
        (MAP, JSON_PATCH, json!([{"op": "remove", "path": "/x"}]), 422, "Invalid"),
        (
            MAP,
            JSON_PATCH,
            json!(vec![json!({"op": "test", "path": "/data/a", "value": "1"}); 10_001]),
            413,
            "RequestEntityTooLarge",
        ),
        (MAP, MERGE, json!({"metadata": {"name": "b"}}), 400, "BadRequest"),
        (MAP, MERGE, json!({"metadata": {"labels": {"a b": "c"}}}), 422, "Invalid"),
        (MAP, MERGE, json!({"metadata": {"resourceVersion": "1"}}), 409, "Conflict"),
        (MAP, MERGE, json!({"metadata": {"uid": "x"}}), 409, "Conflict"),
        (GATEWAY, MERGE, json!({"spec": {"listeners": []}}), 422, "Invalid"),
        (GATEWAY, MERGE, json!({"metadata": {"resourceVersion": null}}), 422, "Invalid"),
    ] {
        let answer = api.write("PATCH", path, content_type, patch.to_string()).await;
        answer.failure(code, reason);
    }
    let missing = "/api/v1/namespaces/default/configmaps/b";
    api.write("PATCH", missing, MERGE, "{}").await.failure(404, "NotFound");
    assert_eq!(api.store.revision(), before);
}

/// `kubectl edit` opens the editor again if the error has causes.
#[tokio::test]
async fn unknown_field_of_a_strict_patch_is_a_cause() {
    let api = api_with_objects().await;
    for content_type in [MERGE, STRATEGIC] {
        let path = format!("{MAP}?fieldValidation=Strict");
        let answer = api.write("PATCH", &path, content_type, r#"{"foo": 1}"#).await;
        let status = answer.failure(422, "Invalid");
        let message = "Invalid value: strict decoding error: unknown field \"foo\"";
        let cause = json!({"reason": "FieldValueInvalid", "field": "patch", "message": message});
        assert_eq!(status["details"]["causes"], json!([cause]));
        assert_eq!(status["message"], format!("ConfigMap \"a\" is invalid: patch: {message}"));
    }
}

#[tokio::test]
async fn status_is_patched_apart() {
    let api = api_with_objects().await;
    let patch = json!({
        "status": {"addresses": [{"type": "IPAddress", "value": "10.0.0.1"}]},
        "spec": {"gatewayClassName": "d"},
    });
    let path = format!("{GATEWAY}/status");
    let object = api.write("PATCH", &path, MERGE, patch.to_string()).await.json();
    assert_eq!(object["status"]["addresses"][0]["value"], "10.0.0.1");
    assert_eq!(object["spec"]["gatewayClassName"], "c");
    let object = api.write("PATCH", GATEWAY, MERGE, r#"{"status": null}"#).await.json();
    assert_eq!(object["status"]["addresses"][0]["value"], "10.0.0.1");
    let path = format!("{MAP}/status");
    assert_eq!(api.write("PATCH", &path, MERGE, "{}").await.code, 404);
}

/// Sends a patch, and repeats it after conflicts with other writers, as a client does.
async fn patch_until_applied(api: Api, key: usize) {
    let patch = json!({"data": {format!("key-{key}"): "x"}}).to_string();
    loop {
        let answer = api.write("PATCH", MAP, MERGE, patch.clone()).await;
        match answer.code {
            200 => return,
            code => assert_eq!(code, 409, "{}", answer.json()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_patches_lose_no_update() {
    let api = api_with_objects().await;
    let mut writers = JoinSet::new();
    for key in 0..40 {
        writers.spawn(patch_until_applied(api.clone(), key));
    }
    writers.join_all().await;
    let data = api.get(MAP).await.json()["data"].clone();
    assert_eq!(data.as_object().map(serde_json::Map::len), Some(41), "{data}");
}

/// Adds one to a number with an expected revision, and repeats it after conflicts.
async fn increment(api: Api) {
    loop {
        let mut object = api.get(MAP).await.json();
        let number: u32 = object["data"]["a"].as_str().unwrap().parse().unwrap();
        object["data"]["a"] = (number + 1).to_string().into();
        let answer = api.write("PUT", MAP, "application/json", object.to_string()).await;
        match answer.code {
            200 => return,
            code => assert_eq!(code, 409, "{}", answer.json()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_updates_lose_no_update() {
    let api = api_with_objects().await;
    let mut writers = JoinSet::new();
    for _ in 0..20 {
        writers.spawn(increment(api.clone()));
    }
    writers.join_all().await;
    assert_eq!(api.get(MAP).await.json()["data"]["a"], "21");
}

#[tokio::test]
async fn no_request_causes_an_error_of_the_server() {
    let api = api_with_objects().await;
    let bodies = [
        "",
        "{",
        "[]",
        "null",
        "5",
        "\"x\"",
        "{}",
        "[{}]",
        "{\"metadata\": 5}",
        "\u{0}",
        "a: *b",
        "{\"metadata\": {\"name\": 5}}",
        "{\"metadata\": {\"name\": \"a/b\"}}",
        "{\"apiVersion\": [], \"kind\": {}}",
        "{\"spec\": null, \"metadata\": {\"name\": \"a\"}}",
        "[{\"op\": \"replace\", \"path\": \"\", \"value\": 5}]",
        "[{\"op\": \"remove\", \"path\": \"/metadata\"}]",
        "{\"metadata\": {\"labels\": [], \"annotations\": 7, \"ownerReferences\": {\"a\": 1}}}",
        "{\"metadata\": {\"finalizers\": [1], \"resourceVersion\": 5}}",
        "{\"$patch\": \"delete\"}",
        "{\"propagationPolicy\": 5}",
        "{\"dryRun\": \"All\"}",
        "{\"preconditions\": {\"resourceVersion\": \"x\"}}",
        "{\"kind\": \"Status\"}",
    ];
    let deep = "[".repeat(100_000);
    let types = ["application/json", "application/yaml", JSON_PATCH, MERGE, STRATEGIC, "", ";"];
    let paths = [
        MAP,
        GATEWAY,
        "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways/a/status",
        "/api/v1/namespaces/default/configmaps?dryRun=All&limit=x",
        "/api/v1/namespaces/default/configmaps?dryRun=All&continue=x",
        "/api/v1/namespaces/default/configmaps?dryRun=All&labelSelector=%2C%2C",
        "/api/v1/namespaces/default/services?dryRun=All",
        "/apis/apps/v1/namespaces/default/deployments?dryRun=All",
        "/api/v1/namespaces/a%00b/configmaps/%2F",
    ];
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for path in paths {
            for content_type in types {
                for body in bodies.into_iter().chain([deep.as_str()]) {
                    let answer = api.write(method, path, content_type, body.to_owned()).await;
                    let place = format!("{method} {path} {content_type} {body:.60}");
                    assert!(answer.code < 500, "{place}: {}", answer.json());
                }
            }
        }
    }
}

#[tokio::test]
async fn warnings_of_a_patch_are_sent() {
    let api = api_with_objects().await;
    for (content_type, patch, duplicate) in [
        (MERGE, r#"{"x": 1, "data": {"a": "2", "a": "3"}}"#, "data.a"),
        (JSON_PATCH, r#"[{"op": "add", "path": "/x", "value": 1, "value": 2}]"#, "[0].value"),
    ] {
        let answer = api.write("PATCH", MAP, content_type, patch).await;
        let warnings: Vec<_> =
            answer.headers.get_all("warning").iter().map(|value| value.to_str().unwrap()).collect();
        let expected = [
            &format!("299 - \"duplicate field \\\"{duplicate}\\\"\""),
            "299 - \"unknown field \\\"x\\\"\"",
        ];
        assert_eq!((answer.code, warnings), (200, expected.to_vec()), "{patch}");
        let _: Value = answer.json();
    }
}
