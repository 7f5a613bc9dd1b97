//! Paths, methods and parameters: served and refused.

use serde_json::json;

use crate::support::Api;

#[tokio::test]
async fn unknown_path_is_not_found() {
    let api = Api::new();
    for path in [
        "/metrics",
        "/api/v2",
        "/api/v1/services/a",
        "/api/v1/namespaces/default/services/a/status/b",
        "/api//v1/services",
        "/apis/batch",
        "/apis/apps/v2",
        "/apis/apps/v1/deployments/a",
        "/apis/gateway.networking.k8s.io/v1/namespaces/default/gatewayclasses",
        "/openapi/v1",
        "/openapi/v2/a",
        "/openapi/v3/apis/batch/v1",
        "/healthz/etcd",
        "/%zz",
    ] {
        let status = api.get(path).await.failure(404, "NotFound");
        assert_eq!(status["message"], "the server could not find the requested resource", "{path}");
    }
}

#[tokio::test]
async fn resource_that_is_not_served_is_named() {
    let api = Api::new();
    let namespace = "/api/v1/namespaces/default";
    for (path, name) in [
        ("/api/v2/services", "services.v2"),
        ("/api/v1/pods", "pods.v1"),
        (&format!("{namespace}/pods/a/log"), "pods.v1"),
        (
            "/apis/gateway.networking.k8s.io/v1beta1/tcproutes",
            "tcproutes.v1beta1.gateway.networking.k8s.io",
        ),
    ] {
        let status = api.get(path).await.failure(404, "NotFound");
        let expected = format!(
            "the server could not find the requested resource: {name} is not served; kubectl \
             api-resources lists those that are"
        );
        assert_eq!(status["message"], expected, "{path}");
    }
}

#[tokio::test]
async fn subresource_that_is_not_served_has_a_remedy() {
    let api = Api::new();
    let scale = "/apis/apps/v1/namespaces/default/deployments/a/scale";
    let patch = api.write("PATCH", scale, "application/merge-patch+json", "{}").await;
    for answer in [api.get(scale).await, patch] {
        let status = answer.failure(404, "NotFound");
        let message = "deployments.apps has no subresource scale here; change spec.replicas of the \
                       object instead, as with kubectl patch";
        assert_eq!(status["message"], message);
        assert_eq!(status["details"], json!({"name": "a", "group": "apps", "kind": "deployments"}));
    }
    let status = api.get("/api/v1/namespaces/default/configmaps/a/status").await;
    let message = "configmaps has no subresource status here; only the object can be read and \
                   changed";
    assert_eq!(status.failure(404, "NotFound")["message"], message);
}

#[tokio::test]
async fn method_that_is_not_served_is_refused() {
    let api = Api::new();
    for (method, path) in [
        ("POST", "/api/v1/services"),
        ("POST", "/api/v1/namespaces/default/services/a"),
        ("PUT", "/api/v1/namespaces/default/services"),
        ("PATCH", "/api/v1/namespaces/default/services"),
        ("DELETE", "/api/v1/services"),
        ("DELETE", "/api/v1/namespaces"),
        ("DELETE", "/api/v1/namespaces/default/services/a/status"),
        ("OPTIONS", "/api/v1/services"),
        ("BREW", "/api/v1/namespaces/default/services/a"),
        ("POST", "/version"),
        ("DELETE", "/apis"),
        ("PUT", "/openapi/v3"),
        ("POST", "/healthz"),
    ] {
        let status = api.send(method, path, &[]).await.failure(405, "MethodNotAllowed");
        let message = "the server does not allow this method on the requested resource";
        assert_eq!(status["message"], message, "{method} {path}");
    }
}

#[tokio::test]
async fn request_without_token_is_unauthorized() {
    let api = Api::new();
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/version"),
        ("GET", "/api"),
        ("GET", "/apis/apps/v1"),
        ("GET", "/openapi/v3"),
        ("GET", "/openapi/v3/api/v1"),
        ("GET", "/readyz"),
        ("GET", "/none"),
        ("GET", "/api/v1/namespaces/default"),
        ("GET", "/api/v1/secrets"),
        ("GET", "/api/v1/services?watch=1"),
        ("POST", "/api/v1/namespaces"),
        ("PUT", "/api/v1/namespaces/default"),
        ("PATCH", "/api/v1/namespaces/default"),
        ("DELETE", "/api/v1/namespaces/default"),
        ("DELETE", "/api/v1/namespaces/default/services"),
        ("OPTIONS", "/api"),
    ] {
        let answer = api.send_without_token(method, path).await;
        let status = answer.failure(401, "Unauthorized");
        assert_eq!(status["message"], "Unauthorized", "{method} {path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{method} {path}");
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let api = Api::new();
    for path in ["/api/v1/namespaces/default", "/api/v1/services", "/version", "/livez", "/none"] {
        let get = api.get(path).await;
        let head = api.send("HEAD", path, &[]).await;
        assert_eq!((head.code, head.body.len()), (get.code, 0), "{path}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn probes_are_answered() {
    let api = Api::new();
    for path in ["/healthz", "/livez", "/readyz", "/readyz/ping", "/livez/"] {
        let answer = api.get(path).await;
        assert_eq!((answer.code, &answer.body[..]), (200, &b"ok"[..]), "{path}");
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
    let verbose = api.get("/readyz?verbose").await;
    assert_eq!(verbose.body, "[+]ping ok\nreadyz check passed\n");
}

#[tokio::test]
async fn unknown_parameters_are_ignored_and_invalid_values_refused() {
    let api = Api::new();
    let path = "/api/v1/namespaces/default/services";
    assert_eq!(api.get(&format!("{path}?pretty=x&limits=x&timeout=32s&&=&%zz")).await.code, 200);
    for query in [
        "limit=ten",
        "resourceVersion=x",
        "continue=x",
        "labelSelector=a%3D%3D%3Db",
        "labelSelector=a+in+(",
        "labelSelector=-a%3Db",
        "fieldSelector=metadata.name",
        "fieldSelector=spec.replicas%3D1",
        "watch=1&timeoutSeconds=x",
        "watch=1&resourceVersion=x",
        "watch=1&fieldSelector=x",
    ] {
        let status = api.get(&format!("{path}?{query}")).await.failure(400, "BadRequest");
        assert!(status["message"].as_str().is_some_and(|text| text.len() > 10), "{status}");
    }
    for query in ["resourceVersionMatch=Exact", "watch=1&sendInitialEvents=true"] {
        let status = api.get(&format!("{path}?{query}")).await.failure(422, "Invalid");
        assert_eq!(status["details"]["kind"], "ListOptions", "{status}");
        assert_eq!(status["details"]["causes"][0]["field"], "resourceVersionMatch", "{status}");
    }
    let object = api.get("/api/v1/namespaces/default?resourceVersion=x").await;
    object.failure(400, "BadRequest");
}

#[tokio::test]
async fn answers_are_not_cached() {
    let api = Api::new();
    for path in ["/api", "/version", "/api/v1/namespaces", "/livez", "/none"] {
        assert_eq!(api.get(path).await.header("cache-control"), "no-cache, private", "{path}");
    }
}
