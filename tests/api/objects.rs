//! Single objects: versions, warnings, revisions.

use serde_json::json;

use crate::support::{Api, GATEWAY_GROUP};

async fn create_route(api: &Api) {
    let api_version = format!("{GATEWAY_GROUP}/v1");
    let spec = json!({"spec": {"rules": []}});
    let metadata = json!({"name": "r"});
    api.create(
        GATEWAY_GROUP,
        "tcproutes",
        Some("default"),
        "TCPRoute",
        &api_version,
        metadata,
        spec,
    )
    .await;
}

#[tokio::test]
async fn missing_object_is_a_status_with_its_name() {
    let api = Api::new();
    let path = format!("/apis/{GATEWAY_GROUP}/v1/namespaces/default/gateways/a%22b");
    let status = api.get(&path).await.failure(404, "NotFound");
    assert_eq!(status["message"], "gateways.gateway.networking.k8s.io \"a\"b\" not found");
    let details = json!({"name": "a\"b", "group": GATEWAY_GROUP, "kind": "gateways"});
    assert_eq!(status["details"], details);
    let status = api.get("/api/v1/namespaces/none").await.failure(404, "NotFound");
    assert_eq!(status["message"], "namespaces \"none\" not found");
    assert_eq!(status["details"], json!({"name": "none", "kind": "namespaces"}));
}

#[tokio::test]
async fn object_has_the_version_of_the_path() {
    let api = Api::new();
    create_route(&api).await;
    for version in ["v1", "v1alpha2"] {
        let base = format!("/apis/{GATEWAY_GROUP}/{version}");
        let api_version = format!("{GATEWAY_GROUP}/{version}");
        let object = api.get(&format!("{base}/namespaces/default/tcproutes/r")).await.json();
        assert_eq!(object["apiVersion"], api_version);
        let status = api.get(&format!("{base}/namespaces/default/tcproutes/r/status")).await.json();
        assert_eq!(status, object);
        let list = api.get(&format!("{base}/tcproutes")).await.json();
        assert_eq!(
            (&list["apiVersion"], &list["kind"]),
            (&json!(api_version), &json!("TCPRouteList"))
        );
        assert_eq!(list["items"], json!([object]));
    }
}

#[tokio::test]
async fn deprecated_version_has_a_warning() {
    let api = Api::new();
    create_route(&api).await;
    for path in ["", "/r", "/missing", "?watch=1&timeoutSeconds=1&resourceVersion=1"] {
        let routes =
            |version| format!("/apis/{GATEWAY_GROUP}/{version}/namespaces/default/tcproutes{path}");
        let deprecated = api.response("GET", &routes("v1alpha2"), &[]).await;
        let warning = deprecated.headers()["warning"].to_str().unwrap();
        assert!(warning.starts_with("299 - \"") && warning.contains("v1alpha2"), "{warning}");
        assert_eq!(api.response("GET", &routes("v1"), &[]).await.headers().get("warning"), None);
    }
}

#[tokio::test]
async fn event_has_the_fields_of_its_group() {
    let api = Api::new();
    let event = json!({
        "involvedObject": {"kind": "Gateway", "name": "g"},
        "message": "text",
        "type": "Normal",
    });
    let metadata = json!({"name": "e"});
    api.create("", "events", Some("default"), "Event", "v1", metadata, event).await;
    let core = api.get("/api/v1/namespaces/default/events/e").await.json();
    assert_eq!((&core["apiVersion"], &core["message"]), (&json!("v1"), &json!("text")));
    let other = api.get("/apis/events.k8s.io/v1/namespaces/default/events/e").await.json();
    assert_eq!(
        (&other["apiVersion"], &other["note"]),
        (&json!("events.k8s.io/v1"), &json!("text"))
    );
    assert_eq!(other["regarding"]["name"], "g");
    for (path, count) in [
        ("/api/v1/events?fieldSelector=involvedObject.name%3Dg,type!=Warning", 1),
        ("/api/v1/events?fieldSelector=involvedObject.name%3Dh", 0),
        ("/apis/events.k8s.io/v1/events?fieldSelector=regarding.name%3Dg", 1),
        ("/apis/events.k8s.io/v1/events?fieldSelector=regarding.name%3Dh", 0),
    ] {
        assert_eq!(api.get(path).await.names().len(), count, "{path}");
    }
    let unknown = "/apis/events.k8s.io/v1/events?fieldSelector=involvedObject.name%3Dg";
    api.get(unknown).await.failure(400, "BadRequest");
}

#[tokio::test]
async fn revision_of_the_future_is_a_timeout() {
    let api = Api::new();
    let revision = api.create_config_map("a", json!({})).await;
    let path = "/api/v1/namespaces/default/configmaps/a?resourceVersion=";
    for known in ["", "0", "1", &revision] {
        assert_eq!(api.get(&format!("{path}{known}")).await.code, 200, "{known}");
    }
    let future: u64 = revision.parse::<u64>().unwrap() + 1;
    for path in [format!("{path}{future}"), format!("/api/v1/configmaps?resourceVersion={future}")]
    {
        let answer = api.get(&path).await;
        let status = answer.failure(504, "Timeout");
        let cause =
            json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        assert_eq!(status["details"]["causes"], json!([cause]));
        assert_eq!(answer.header("retry-after"), "1");
    }
}
