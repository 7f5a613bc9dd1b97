//! Kubernetes Events for conditions that need attention.

use serde_json::{Value, json};

use crate::api::{Api, Effect};
use crate::harness::Harness;
use crate::objects::{class, gateway, listener, namespace, route, service, usual, with, within};

/// The events, as in `Warning BackendNotFound of default/r`.
fn told(api: &Api) -> Vec<String> {
    let describe = |event: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of = &event["regarding"];
        assert_eq!(event["metadata"]["namespace"], of["namespace"]);
        assert!(!of["uid"].as_str().unwrap().is_empty(), "{event:#}");
        format!("{} {} of {}", text(&event["type"]), text(&event["reason"]), text(&of["name"]))
    };
    let mut told: Vec<_> = api.events().iter().map(describe).collect();
    told.sort();
    told
}

fn to_elsewhere(name: &str) -> Value {
    let backend = json!([{ "name": "s", "namespace": "elsewhere", "port": 1 }]);
    with("/spec/rules/0/backendRefs", backend, route(name, "s"))
}

fn noteworthy() -> Vec<Value> {
    let mut objects = usual();
    let mut young = gateway("young", 5000);
    young["metadata"]["creationTimestamp"] = json!("2026-02-01T00:00:00Z");
    objects.push(young);
    let mut late = to_elsewhere("late");
    late["metadata"]["creationTimestamp"] = json!("2026-02-01T00:00:00Z");
    objects.push(late);
    objects.push(namespace("elsewhere"));
    objects.push(within("elsewhere", service("s")));
    objects
}

#[tokio::test(start_paused = true)]
async fn events_are_sent_once() {
    let api = Api::with(noteworthy());
    let harness = Harness::settled(&api).await;
    let expected = [
        "Warning PortUnavailable of young",
        "Warning RefNotPermitted of late",
        "Warning Shadowed of late",
    ];
    assert_eq!(told(&api), expected);
    for event in api.events() {
        assert_eq!(event["reportingController"], crate::objects::OURS);
        assert_eq!(event["reportingInstance"], "test");
        assert!(!event["note"].as_str().unwrap().is_empty() && !event["action"].is_null());
    }
    let events = api.events();
    let port = events.iter().find(|event| event["reason"] == "PortUnavailable").unwrap();
    assert!(port["note"].as_str().unwrap().starts_with("Listener l: "), "{port:#}");

    // Neither what others do, nor time, nor a restart is a reason to say it again.
    api.apply(with("/spec/parentRefs", json!([]), route("another", "s")));
    harness.settle().await;
    drop(harness);
    let _harness = Harness::settled(&api).await;
    assert_eq!(told(&api), expected);
}

/// It was mended, and is broken again.
#[tokio::test(start_paused = true)]
async fn events_are_sent_again_when_a_condition_returns() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    for service in ["missing", "s", "missing-too"] {
        api.apply(route("r", service));
        harness.settle().await;
    }
    assert_eq!(told(&api), ["Warning BackendNotFound of r"; 2]);
    let notes: Vec<_> = api.events().iter().map(|event| event["note"].to_string()).collect();
    assert!(notes[0].contains("missing") && notes[1].contains("missing-too"), "{notes:?}");
}

/// Each with its own words.
#[tokio::test(start_paused = true)]
async fn events_name_each_listener() {
    let api = Api::with(noteworthy());
    let listeners = json!([listener("a", 5000), listener("b", 5001), listener("c", 5002)]);
    api.apply(with("/spec/listeners", listeners.clone(), gateway("g", 5000)));
    api.apply(with("/spec/listeners", listeners, gateway("young", 5000)));
    let _harness = Harness::settled(&api).await;
    let events = api.events();
    let of_listeners = events.iter().filter(|event| event["regarding"]["name"] == "young");
    let mut places: Vec<_> =
        of_listeners.map(|event| event["note"].as_str().unwrap()[..12].to_owned()).collect();
    places.sort();
    assert_eq!(places, ["Listener a: ", "Listener b: ", "Listener c: "]);
}

#[tokio::test(start_paused = true)]
async fn events_are_not_sent_without_a_problem() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.apply(route("r", "s"));
    api.delete("endpointslices/default/s");
    harness.settle().await;
    assert_eq!(told(&api), [] as [&str; 0]);
}

/// Events are for people: where they cannot be had, all the rest goes on.
#[tokio::test(start_paused = true)]
async fn events_that_are_refused_do_not_stop_writes() {
    let api = Api::with(noteworthy());
    api.spoil("create", "events", Effect::Refuse(403));
    let harness = Harness::settled(&api).await;
    assert_eq!(told(&api), [] as [&str; 0]);
    assert!(!api.get("tcproutes/default/late")["status"].is_null());
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

#[tokio::test(start_paused = true)]
async fn events_of_a_flapping_condition_are_limited_and_counted() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    for _ in 0..65 {
        for service in ["missing", "s"] {
            api.apply(route("r", service));
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        }
    }
    harness.settle().await;
    let counts: Vec<_> =
        api.events().iter().map(|event| event["series"]["count"].clone()).collect();
    let mut expected = vec![json!(null); 5];
    expected.extend([json!(26), json!(30)]);
    assert_eq!(counts, expected);
    assert!(api.events()[6]["series"]["lastObservedTime"].is_string());
}

/// The API server refuses an Event whose reporting controller is not a qualified name.
#[tokio::test(start_paused = true)]
async fn events_name_the_controller_as_a_qualified_name() {
    let controller = "example.com/team/gateways~1";
    let mut objects = noteworthy();
    let position = objects.iter().position(|object| object["kind"] == "GatewayClass").unwrap();
    objects[position] = class("c", controller);
    let api = Api::with(objects);
    let harness = Harness::with(&api, controller, |source| source);
    harness.settle().await;
    let events = api.events();
    assert_eq!(events.len(), 3);
    assert!(
        events.iter().all(|event| event["reportingController"] == "example.com/team-gateways-1")
    );
}
