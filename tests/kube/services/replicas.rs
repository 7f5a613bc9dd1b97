//! EndpointSlices that follow the replicas of this gateway.

use serde_json::{Value, json};

use super::{SLICE, api, replicas, settled, written};

/// The first address of each endpoint, and whether it is ready.
fn endpoints(slice: &Value) -> Vec<(&str, bool)> {
    let endpoints = slice["endpoints"].as_array().into_iter().flatten();
    endpoints
        .map(|endpoint| {
            let is_ready = endpoint["conditions"]["ready"] == true;
            (endpoint["addresses"][0].as_str().unwrap(), is_ready)
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn slices_follow_the_replicas() {
    let api = api();
    let harness = settled(&api).await;
    api.forget();
    api.apply(replicas("gate-2", &["10.0.0.0"]));
    let three = [("10.0.0.0", true), ("10.0.0.1", true), ("10.0.0.2", true)];
    api.until_object(SLICE, |slice| endpoints(slice) == three).await;
    let mut leaving = replicas("gate-1", &["10.0.0.1", "10.0.0.2"]);
    leaving["endpoints"][0]["conditions"] =
        json!({ "ready": false, "serving": true, "terminating": true });
    api.apply(leaving);
    api.until_object(SLICE, |slice| endpoints(slice)[1] == ("10.0.0.1", false)).await;
    assert_eq!(api.get(SLICE)["endpoints"][1]["conditions"]["terminating"], true);
    api.delete("endpointslices/system/gate-2");
    api.until_object(SLICE, |slice| endpoints(slice).len() == 2).await;
    harness.settle().await;
    assert_eq!(written(&api), vec![format!("update {SLICE}"); 3]);
}

#[tokio::test(start_paused = true)]
async fn slices_without_a_difference_are_not_written() {
    let api = api();
    let harness = settled(&api).await;
    api.forget();
    api.apply(replicas("gate-1", &["10.0.0.2", "10.0.0.1"]));
    api.apply(replicas("gate-2", &["10.0.0.1"]));
    harness.settle().await;
    assert_eq!(written(&api), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn slices_exist_for_each_address_family() {
    let api = api();
    let harness = settled(&api).await;
    api.forget();
    api.apply(replicas("gate-6", &["fd00::1"]));
    let ipv6 = "endpointslices/default/g-c-ipv6";
    api.until_object(ipv6, |slice| endpoints(slice) == [("fd00::1", true)]).await;
    assert_eq!(api.get(ipv6)["addressType"], "IPv6");
    assert_eq!(api.get(ipv6)["ports"], api.get(SLICE)["ports"]);
    harness.settle().await;
    assert_eq!(written(&api), [format!("create {ipv6}")]);
}

/// Something is wrong with what we see, rather than that nobody is there: we are.
#[tokio::test(start_paused = true)]
async fn slices_stay_while_no_replica_is_known() {
    let api = api();
    let harness = settled(&api).await;
    api.forget();
    api.delete("endpointslices/system/gate-1");
    harness.settle().await;
    assert_eq!(endpoints(&api.get(SLICE)).len(), 2);
    api.apply(replicas("gate-3", &["10.0.0.3"]));
    api.until_object(SLICE, |slice| endpoints(slice) == [("10.0.0.3", true)]).await;
    harness.settle().await;
    assert_eq!(written(&api), [format!("update {SLICE}")]);
}
