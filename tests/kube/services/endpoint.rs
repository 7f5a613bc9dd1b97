//! The state of this replica in EndpointSlices.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::sources::EndpointHandle;
use tokio::time::{sleep, timeout};

use super::{api, template};
use crate::api::Api;
use crate::harness::Harness;

/// Starts a source for the replica with these addresses.
async fn start(api: &Api, addresses: &[&str]) -> (Harness, EndpointHandle) {
    let mut handle = None;
    let harness = Harness::reached_through_services(api, |source| {
        let addresses = addresses.iter().map(|address| address.parse().unwrap());
        let source = source.services(template()).endpoint_addresses(addresses);
        handle = Some(source.endpoint_handle());
        source
    });
    harness.settle().await;
    (harness, handle.unwrap())
}

/// A slice of a Service of a Gateway.
fn replicas(name: &str, addresses: &[&str]) -> Value {
    let endpoint = |address: &&str| {
        json!({
            "addresses": [address],
            "conditions": { "ready": true, "serving": true, "terminating": false },
        })
    };
    let is_v6 = addresses.iter().any(|address| address.contains(':'));
    json!({
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "namespace": "system",
            "labels": { "kubernetes.io/service-name": name },
        },
        "addressType": if is_v6 { "IPv6" } else { "IPv4" },
        "endpoints": addresses.iter().map(endpoint).collect::<Vec<_>>(),
        "ports": [{ "name": "health", "port": 8081, "protocol": "TCP" }],
    })
}

/// A slice of which the first endpoint is terminating.
fn terminating(name: &str) -> Value {
    let mut slice = replicas(name, &["10.0.0.1", "10.0.0.2"]);
    slice["endpoints"][0]["conditions"] =
        json!({ "ready": false, "serving": true, "terminating": true });
    slice
}

async fn is_unready_within(handle: &mut EndpointHandle, seconds: u64) -> bool {
    timeout(Duration::from_secs(seconds), handle.until_not_ready()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn endpoint_is_ready_until_all_slices_follow() {
    let api = api();
    for name in ["gate-1", "gate-2"] {
        api.apply(replicas(name, &["10.0.0.1", "10.0.0.2"]));
    }
    let (_harness, mut handle) = start(&api, &["fd00::1", "10.0.0.1"]).await;
    assert!(handle.is_ready());
    api.apply(terminating("gate-1"));
    assert!(!is_unready_within(&mut handle, 60).await);
    api.apply(terminating("gate-2"));
    assert!(is_unready_within(&mut handle, 60).await);
    assert!(!handle.is_ready());

    api.apply(replicas("gate-3", &["10.0.0.1"]));
    while !handle.is_ready() {
        sleep(Duration::from_millis(10)).await;
    }
    api.delete("endpointslices/system/gate-3");
    assert!(is_unready_within(&mut handle, 60).await);
}

#[tokio::test(start_paused = true)]
async fn endpoint_in_other_namespaces_does_not_count() {
    let api = api();
    let mut slice = replicas("other", &["10.0.0.1"]);
    slice["metadata"]["namespace"] = json!("default");
    api.apply(slice);
    let (_harness, handle) = start(&api, &["10.0.0.1"]).await;
    assert!(!handle.is_ready());
}

#[tokio::test(start_paused = true)]
async fn endpoint_is_not_ready_without_addresses_or_source() {
    let api = api();
    api.apply(replicas("gate-1", &["10.0.0.1", "10.0.0.2"]));
    let (_harness, mut handle) = start(&api, &[]).await;
    assert!(!handle.is_ready());
    assert!(is_unready_within(&mut handle, 1).await);

    let (harness, mut handle) = start(&api, &["10.0.0.2"]).await;
    assert!(handle.is_ready());
    drop(harness);
    assert!(is_unready_within(&mut handle, 1).await);
    assert!(!handle.is_ready());
}

/// With `publishNotReadyAddresses`, a terminating endpoint is listed as ready.
#[tokio::test(start_paused = true)]
async fn terminating_endpoint_is_not_ready_if_not_ready_addresses_are_published() {
    let api = api();
    api.apply(replicas("published", &["10.0.0.1"]));
    let (_harness, mut handle) = start(&api, &["10.0.0.1"]).await;
    assert!(handle.is_ready());
    let mut slice = replicas("published", &["10.0.0.1"]);
    slice["endpoints"][0]["conditions"]["terminating"] = json!(true);
    api.apply(slice);
    assert!(is_unready_within(&mut handle, 60).await);
}
