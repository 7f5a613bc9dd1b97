//! Events in the store.

use std::time::Duration;

use serde_json::json;
use sluicegate::admission::catalog;
use sluicegate::store::Store;

use crate::harness::{Clock, Harness, config_map, write_usual};
use crate::support::{free_port, own_address};

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn set_backend(harness: &Harness, name: &str) {
    harness
        .change("TCPRoute", "r", |route| {
            route["spec"]["rules"][0]["backendRefs"][0]["name"] = json!(name);
        })
        .await;
}

#[tokio::test]
async fn events_are_counted_and_expire() {
    let clock = Clock::default();
    let store = Store::in_memory(catalog(), clock.settings()).unwrap();
    let port = free_port();
    write_usual(&store, port).await;
    let harness = Harness::run(store, (own_address(), port).into()).await;
    harness.until_programmed().await;
    assert!(harness.events().is_empty());

    set_backend(&harness, "missing").await;
    harness.until("there is an Event", |harness| harness.events().len() == 1).await;
    let event = harness.events().remove(0);
    let route = harness.get("TCPRoute", "r").unwrap();
    let involved = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "TCPRoute", "namespace": "default",
        "name": "r", "uid": route["metadata"]["uid"],
    });
    assert_eq!(event["involvedObject"], involved);
    assert_eq!(event["type"], "Warning");
    assert_eq!(event["reason"], "BackendNotFound");
    assert_eq!(event["count"], 1);
    assert_eq!(event["source"]["component"], "sluicegate.dev/gateway-controller");
    let condition = harness.condition("TCPRoute", "r", "ResolvedRefs").unwrap();
    assert_eq!(event["message"], condition["message"]);

    // A new generation with the same condition causes no Event.
    harness
        .change("TCPRoute", "r", |route| {
            route["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(2);
        })
        .await;
    let is_observed = |harness: &Harness| {
        let generation = &harness.get("TCPRoute", "r").unwrap()["metadata"]["generation"];
        let condition = harness.condition("TCPRoute", "r", "ResolvedRefs").unwrap();
        condition["observedGeneration"] == *generation
    };
    harness.until("the new generation is observed", is_observed).await;
    let name = event["metadata"]["name"].as_str().unwrap();
    let old = "2020-01-01T00:00:00Z";
    harness.change("Event", name, |event| event["lastTimestamp"] = json!(old)).await;
    set_backend(&harness, "one").await;
    harness.until_condition("TCPRoute", "r", "ResolvedRefs", "True").await;
    set_backend(&harness, "missing").await;
    harness.until_condition("TCPRoute", "r", "ResolvedRefs", "False").await;
    set_backend(&harness, "gone").await;
    // Events are written in the order of the conditions.
    harness.until("there is another Event", |harness| harness.events().len() == 2).await;
    let event = harness.get("Event", name).unwrap();
    assert_eq!(event["count"], 2);
    assert_ne!(event["lastTimestamp"], old);

    clock.advance(HOUR + Duration::from_secs(1));
    // A write wakes the store.
    harness.create(config_map("wake", 1)).await;
    harness.until("the Events have expired", |harness| harness.events().is_empty()).await;
}
