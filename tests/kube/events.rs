//! Kubernetes Events: what a person should notice, once.

use serde_json::{Value, json};

use crate::api::{Api, Effect};
use crate::objects::{gateway, route, service, usual, with, within};
use crate::stage::Stage;

/// The events, as in `Warning BackendNotFound of default/r`.
fn told(api: &Api) -> Vec<String> {
    let describe = |event: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of = &event["regarding"];
        assert_eq!(event["metadata"]["namespace"], of["namespace"]);
        assert!(of["uid"].as_str().unwrap().starts_with("uid-"), "{event:#}");
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
    objects.push(within("elsewhere", service("s")));
    objects
}

#[tokio::test(start_paused = true)]
async fn what_should_be_noticed_is_told_once() {
    let api = Api::with(noteworthy());
    let stage = Stage::settled(&api).await;
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
    stage.settle().await;
    drop(stage);
    let _stage = Stage::settled(&api).await;
    assert_eq!(told(&api), expected);
    assert_eq!(api.read(|state| state.count("patch", "events")), 0);
}

/// It was mended, and is broken again: that is said again, as the same event once more.
#[tokio::test(start_paused = true)]
async fn what_comes_again_is_told_again() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    for service in ["missing", "s", "missing"] {
        api.apply(route("r", service));
        stage.settle().await;
    }
    let count = |verb| api.read(|state| state.count(verb, "events"));
    assert_eq!(count("create") + count("patch"), 2);
    assert_eq!(told(&api)[0], "Warning BackendNotFound of r");
}

#[tokio::test(start_paused = true)]
async fn where_all_is_well_there_is_nothing_to_tell() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    api.apply(route("r", "s"));
    api.delete("endpointslices/default/s");
    stage.settle().await;
    assert_eq!(told(&api), [] as [&str; 0]);
}

/// Events are for people: where they cannot be had, all the rest goes on.
#[tokio::test(start_paused = true)]
async fn refused_events_keep_nothing_from_being_written() {
    let api = Api::with(noteworthy());
    api.spoil("create", "events", Effect::Refuse(403));
    let stage = Stage::settled(&api).await;
    assert_eq!(told(&api), [] as [&str; 0]);
    assert!(!api.get("tcproutes/default/late")["status"].is_null());
    assert_eq!(stage.warnings(""), 0, "{}", stage.log());
}
