//! Requests that change objects which earlier rules allowed.

use serde_json::{Value, json};

use crate::support::{Answer, Api};

const SLICE: &str = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/a";

/// Creates a slice in the store, as it remains after a start without `--allow-local-endpoints`.
async fn api_with_local_slice() -> Api {
    let api = Api::new();
    let metadata = json!({"name": "a", "finalizers": ["a.b/c"]});
    let slice = json!({
        "addressType": "IPv4", "endpoints": [{"addresses": ["127.0.0.1"]}], "ports": [{"port": 1}],
    });
    let (group, version) = ("discovery.k8s.io", "discovery.k8s.io/v1");
    let namespace = Some("default");
    api.create(group, "endpointslices", namespace, "EndpointSlice", version, metadata, slice).await;
    api
}

async fn patch(api: &Api, patch: Value) -> Answer {
    api.write("PATCH", SLICE, "application/merge-patch+json", patch.to_string()).await
}

#[tokio::test]
async fn slice_with_a_refused_address_can_be_labelled_and_deleted() {
    let api = api_with_local_slice().await;
    let labelled = patch(&api, json!({"metadata": {"labels": {"a": "b"}}})).await;
    assert_eq!(labelled.code, 200, "{}", labelled.json());
    let ports = patch(&api, json!({"ports": [{"port": 2}]})).await.failure(422, "Invalid");
    assert_eq!(ports["details"]["causes"][0]["field"], "endpoints[0].addresses[0]");
    assert_eq!(api.send("DELETE", SLICE, &[]).await.code, 200);
    let finalized = patch(&api, json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(finalized.code, 200, "{}", finalized.json());
    api.get(SLICE).await.failure(404, "NotFound");
}
