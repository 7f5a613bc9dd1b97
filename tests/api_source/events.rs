//! Events in the store.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sluicegate::Server;
use sluicegate::admission::catalog;
use sluicegate::sources::ApiSource;
use sluicegate::store::{Settings, Store};

use crate::harness::{Clock, Harness, write_usual};
use crate::objects::{config_map, gateway, route, service};
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
    let is_counted = |harness: &Harness| harness.get("Event", name).unwrap()["count"] == 2;
    harness.until("the Event is counted", is_counted).await;
    assert_ne!(harness.get("Event", name).unwrap()["lastTimestamp"], old);
    set_backend(&harness, "gone").await;
    harness.until("there is another Event", |harness| harness.events().len() == 2).await;

    clock.advance(HOUR + Duration::from_secs(1));
    // A write wakes the store.
    harness.create(config_map("wake", 1)).await;
    harness.until("the Events have expired", |harness| harness.events().is_empty()).await;
}

#[tokio::test]
async fn events_are_written_if_a_problem_lasts() {
    let harness = Harness::start().await;
    harness.until_programmed().await;
    let start = Instant::now();
    set_backend(&harness, "missing").await;
    harness.until_condition("TCPRoute", "r", "ResolvedRefs", "False").await;
    set_backend(&harness, "one").await;
    harness.until_condition("TCPRoute", "r", "ResolvedRefs", "True").await;
    // On a loaded machine, the problem may have lasted for the delay of Events.
    if start.elapsed() >= Duration::from_secs(2) {
        return;
    }
    set_backend(&harness, "gone").await;
    harness.until("there is an Event", |harness| !harness.events().is_empty()).await;
    let messages: Vec<_> =
        harness.events().iter().map(|event| event["message"].to_string()).collect();
    assert!(messages.len() == 1 && messages[0].contains("gone"), "{messages:?}");
}

/// Returns the reason and the subject of each Event, and the message without its end.
fn describe(harness: &Harness) -> Vec<String> {
    let describe = |event: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let involved = text(&event["involvedObject"]["name"]);
        let message = text(&event["message"]);
        let message = message.split(['.', ',', ';']).next().unwrap().to_owned();
        format!("{} {involved}: {message}", text(&event["reason"]))
    };
    let mut events: Vec<_> = harness.events().iter().map(describe).collect();
    events.sort();
    events
}

#[tokio::test]
async fn events_report_mistakes_of_authors() {
    let harness = Harness::start().await;
    harness.until_programmed().await;
    let mut protocol = gateway("protocol", free_port());
    protocol["spec"]["listeners"][0]["protocol"] = json!("HTTP");
    let mut class = gateway("class", free_port());
    class["spec"]["gatewayClassName"] = json!("egg");
    let mut section = route("section", "g", "one");
    section["spec"]["parentRefs"][0]["sectionName"] = json!("x");
    let mut parents = route("parents", "gg", "one");
    let mesh = json!({"group": "", "kind": "Service", "name": "one"});
    parents["spec"]["parentRefs"].as_array_mut().unwrap().push(mesh);
    let objects = [protocol, class, section, parents, service("two")];
    for object in objects.into_iter().chain([route("class", "class", "one")]) {
        harness.create(object).await;
    }
    set_backend(&harness, "two").await;

    harness.until("there are Events", |harness| harness.events().len() == 6).await;
    let expected = [
        "GatewayClassNotFound class: GatewayClass egg does not exist",
        "NoEndpoints r: Service default/two has no ready endpoint for port 1",
        "NoMatchingParent section: Gateway default/g has no listener x",
        "ParentNotFound class: spec",
        "ParentNotFound parents: spec",
        "UnsupportedProtocol protocol: Listener l: Protocol HTTP is not supported",
    ];
    assert_eq!(describe(&harness), expected);
    let events = harness.events();
    let message = |name: &str| {
        let is_of = |event: &&Value| {
            event["reason"] == "ParentNotFound" && event["involvedObject"]["name"] == name
        };
        events.iter().find(is_of).unwrap()["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        message("parents"),
        "spec.parentRefs[0]: Gateway default/gg does not exist; create it, or correct the \
         reference. spec.parentRefs[1]: Service one is not a Gateway, and no other kind is \
         supported; refer to a Gateway."
    );
    assert_eq!(
        message("class"),
        "spec.parentRefs[0]: GatewayClass egg of Gateway default/class does not exist; create it, or correct spec.gatewayClassName of the Gateway."
    );

    // A deleted Gateway leaves its routes without a parent. The other problems are not new.
    harness.delete("Gateway", "g").await;
    harness.until("there are more Events", |harness| harness.events().len() == 8).await;
    let of_r = |event: &Value| event["involvedObject"]["name"] == "r";
    let mut reasons: Vec<_> = harness.events().into_iter().filter(of_r).collect();
    reasons.retain(|event| event["reason"] == "ParentNotFound");
    assert_eq!(reasons.len(), 1);
    assert!(harness.events().iter().all(|event| event["count"] == 1));
}

#[tokio::test]
async fn missing_gateways_of_other_controllers_are_no_mistake() {
    let store = Store::in_memory(catalog(), Settings::new()).unwrap();
    let address = SocketAddr::new(own_address(), free_port());
    write_usual(&store, address.port()).await;
    let source = ApiSource::new(store.clone()).controller_name("example.com/c".parse().unwrap());
    let gateway = Server::builder().source(source).bind(address.ip()).start().await.unwrap();
    let harness = Harness { store, gateway, address };
    harness.until_programmed().await;
    // Warnings become Events in the order of their problems.
    harness.create(route("elsewhere", "elsewhere", "one")).await;
    set_backend(&harness, "missing").await;
    harness.until("there is an Event", |harness| !harness.events().is_empty()).await;
    assert_eq!(describe(&harness), ["BackendNotFound r: Service default/missing does not exist"]);
}
