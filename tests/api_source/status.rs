//! Status in the store.

use serde_json::{Value, json};
use sluicegate::Server;
use sluicegate::sources::ApiSource;
use sluicegate::store::{Settings, Store};

use crate::harness::{Harness, create, write_usual};
use crate::objects::{gateway, route};
use crate::support::{free_port, own_address};

#[tokio::test]
async fn status_is_written_with_transition_times_that_stay() {
    let harness = Harness::start().await;
    harness.until_programmed().await;
    let class = harness.until_condition("GatewayClass", "c", "Accepted", "True").await;
    let before = harness.condition("Gateway", "g", "Programmed").unwrap();
    assert_eq!(before["observedGeneration"], 1);
    let status = &harness.get("Gateway", "g").unwrap()["status"];
    assert_eq!(status["addresses"][0]["value"], harness.address.ip().to_string());
    assert_eq!(status["listeners"][0]["attachedRoutes"], 1);
    for condition in [&class, &before] {
        let time = condition["lastTransitionTime"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.len() == "2026-11-28T12:00:00Z".len(), "{time}");
    }
    // The time must not depend on the second of the test.
    let old = "2020-01-01T00:00:00Z";
    harness
        .change_status("Gateway", "g", |status| {
            for condition in status["conditions"].as_array_mut().unwrap() {
                condition["lastTransitionTime"] = json!(old);
            }
        })
        .await;

    harness
        .change("Gateway", "g", |gateway| {
            gateway["spec"]["listeners"][0]["allowedRoutes"] =
                json!({"namespaces": {"from": "All"}});
        })
        .await;
    let is_observed = |harness: &Harness| {
        let condition = harness.condition("Gateway", "g", "Programmed");
        condition.is_some_and(|condition| condition["observedGeneration"] == 2)
    };
    harness.until("generation 2 is observed", is_observed).await;
    let after = harness.condition("Gateway", "g", "Programmed").unwrap();
    assert_eq!(after["lastTransitionTime"], old);
}

#[tokio::test]
async fn status_is_corrected_without_another_translation() {
    let harness = Harness::start().await;
    harness.until_programmed().await;
    let mut reports = harness.gateway.reports();
    reports.next().await.unwrap();
    let revision = harness.store.revision();
    harness
        .change_status("Gateway", "g", |status| {
            status["conditions"][0]["message"] = json!("changed by a client");
        })
        .await;
    let is_corrected = |harness: &Harness| {
        let gateway = harness.get("Gateway", "g").unwrap();
        gateway["status"]["conditions"][0]["message"] != "changed by a client"
    };
    harness.until("the message is corrected", is_corrected).await;
    // A label is part of an object, but translation reads those of other kinds only.
    harness.change("Gateway", "g", |gateway| gateway["metadata"]["labels"]["a"] = json!("b")).await;
    // Two revisions of the client, and one of the correction.
    assert_eq!(harness.store.revision().get() - revision.get(), 3);
    harness.create(gateway("other", free_port())).await;
    let report = reports.next().await.unwrap();
    assert_eq!(report.resources.gateways.len(), 2, "no report before that of the new Gateway");
}

/// Objects are compared in turns of 64.
#[tokio::test]
async fn status_is_written_to_each_of_many_objects() {
    let store = Store::in_memory(sluicegate::admission::catalog(), Settings::new()).unwrap();
    let port = free_port();
    write_usual(&store, port).await;
    // With the class, the Gateway and the usual route, there are exactly two turns.
    let names: Vec<_> = (0..125).map(|index| format!("route-{index}")).collect();
    for name in &names {
        create(&store, route(name, "g", "one")).await;
    }
    let harness = Harness::run(store, (own_address(), port).into()).await;
    for name in &names {
        harness.until_condition("TCPRoute", name, "Accepted", "True").await;
    }
    harness.until_programmed().await;
}

#[tokio::test]
async fn status_of_other_controllers_is_kept() {
    let store = Store::in_memory(sluicegate::admission::catalog(), Settings::new()).unwrap();
    let port = free_port();
    write_usual(&store, port).await;
    let address = own_address();
    let source = ApiSource::new(store.clone()).controller_name("example.com/c".parse().unwrap());
    let gateway = Server::builder().source(source).bind(address).start().await.unwrap();
    let harness = Harness { store, gateway, address: (address, port).into() };
    harness.until_programmed().await;
    let other = json!({
        "parentRef": {"name": "theirs"}, "controllerName": "example.com/other", "conditions": [],
    });
    harness
        .change_status("TCPRoute", "r", |status| {
            status["parents"].as_array_mut().unwrap().push(other.clone());
        })
        .await;
    harness
        .change("TCPRoute", "r", |route| route["spec"]["parentRefs"] = json!([{"name": "theirs"}]))
        .await;
    let parents =
        |harness: &Harness| harness.get("TCPRoute", "r").unwrap()["status"]["parents"].clone();
    harness.until("our entry is removed", |harness| parents(harness) == json!([other])).await;
}

#[tokio::test]
async fn status_is_written_to_objects_that_clients_keep_changing() {
    let harness = Harness::start().await;
    harness.until_programmed().await;
    for index in 0..20 {
        harness.create(route(&format!("route-{index}"), "g", "one")).await;
    }
    let change = async {
        for number in 0..200 {
            let change = |route: &mut Value| {
                route["metadata"]["labels"] = json!({"count": number.to_string()})
            };
            harness.change("TCPRoute", &format!("route-{}", number % 20), change).await;
        }
    };
    let settle = async {
        for index in 0..20 {
            let name = format!("route-{index}");
            harness.until_condition("TCPRoute", &name, "Accepted", "True").await;
        }
    };
    tokio::join!(change, settle);
    for index in 0..20 {
        let route = harness.get("TCPRoute", &format!("route-{index}")).unwrap();
        let label = route["metadata"]["labels"]["count"].as_str();
        assert_eq!(label, Some(&*(180 + index).to_string()), "no update of a client is lost");
    }
}
