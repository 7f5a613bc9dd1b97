//! The state of this replica in EndpointSlices.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::sources::EndpointHandle;
use tokio::time::timeout;

use super::{SLICE, api, replicas, template};
use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{service, within};

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

/// A slice of the replicas, of which the first is terminating.
fn terminating() -> Value {
    let mut slice = replicas("gate-1", &["10.0.0.1", "10.0.0.2"]);
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
    let (_harness, mut handle) = start(&api, &["fd00::1", "10.0.0.1"]).await;
    assert!(handle.is_ready());
    assert!(!is_unready_within(&mut handle, 60).await);

    api.apply(terminating());
    api.until_object(SLICE, |slice| slice["endpoints"][0]["conditions"]["ready"] == false).await;
    assert!(is_unready_within(&mut handle, 60).await);
    assert!(!handle.is_ready());
}

#[tokio::test(start_paused = true)]
async fn endpoint_is_ready_while_the_slice_of_a_gateway_is_late() {
    let api = api();
    drop(start(&api, &[]).await);
    // Another replica is the leader, so this one writes nothing.
    let mut handle = None;
    let harness = Harness::reached_through_services(&api, |source| {
        let source = source
            .services(template())
            .read_only()
            .endpoint_addresses(["10.0.0.1".parse().unwrap()]);
        handle = Some(source.endpoint_handle());
        source
    });
    harness.settle().await;
    let mut handle = handle.unwrap();
    api.apply(terminating());
    assert!(!is_unready_within(&mut handle, 60).await);
    let mut copy = api.get(SLICE);
    copy["endpoints"] = json!([copy["endpoints"][1]]);
    api.apply(copy);
    assert!(is_unready_within(&mut handle, 60).await);
}

#[tokio::test(start_paused = true)]
async fn endpoint_of_other_services_does_not_count() {
    let api = api();
    api.apply(within("system", service("other")));
    let mut other = replicas("other-1", &["10.0.0.9"]);
    other["metadata"]["labels"] = json!({ "kubernetes.io/service-name": "other" });
    api.apply(other);
    let (_harness, handle) = start(&api, &["10.0.0.9"]).await;
    assert!(!handle.is_ready());
}

#[tokio::test(start_paused = true)]
async fn endpoint_is_not_ready_without_addresses_or_source() {
    let api = api();
    let (_harness, mut handle) = start(&api, &[]).await;
    assert!(!handle.is_ready());
    assert!(is_unready_within(&mut handle, 1).await);

    let (harness, mut handle) = start(&api, &["10.0.0.2"]).await;
    assert!(handle.is_ready());
    drop(harness);
    assert!(is_unready_within(&mut handle, 1).await);
    assert!(!handle.is_ready());
}
