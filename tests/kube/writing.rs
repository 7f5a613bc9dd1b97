//! Writes of status: content, conflicts, retries and rate.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::api::{Api, Effect, Request};
use crate::harness::Harness;
use crate::objects::{
    OURS, condition, is_pending, listener, parent, parent_status, route, service, usual, with,
};

const ROUTE: &str = "tcproutes/default/r";

/// What was written: the verb, and the object or its part.
fn written(api: &Api) -> Vec<String> {
    let describe = |write: &Request| match &write.subresource {
        Some(part) => format!("{} {}/{part}", write.verb, write.object()),
        None => format!("{} {}", write.verb, write.object()),
    };
    let mut written: Vec<_> = api.writes().iter().map(describe).collect();
    written.sort();
    written
}

/// The conditions of a route's only parent.
fn of_route(route: &Value, condition_type: &str) -> Value {
    condition(&route["status"]["parents"][0], condition_type).clone()
}

#[tokio::test(start_paused = true)]
async fn status_is_written_once() {
    let api = Api::with(usual());
    let _harness = Harness::settled(&api).await;
    assert_eq!(
        written(&api),
        [
            "patch gatewayclasses/c",
            "update gatewayclasses/c/status",
            "update gateways/default/g/status",
            "update tcproutes/default/r/status",
        ]
    );
    let gateway = api.get("gateways/default/g");
    assert_eq!(condition(&gateway["status"], "Accepted")["status"], "True");
    assert_eq!(condition(&gateway["status"], "Programmed")["status"], "True");
    assert_eq!(gateway["status"]["addresses"][0]["value"], "192.0.2.100");
    assert_eq!(gateway["status"]["listeners"][0]["attachedRoutes"], 1);
    let route = api.get(ROUTE);
    assert_eq!(route["status"]["parents"][0]["controllerName"], OURS);
    assert_eq!(route["status"]["parents"][0]["parentRef"], parent("g"));
    for condition_type in ["Accepted", "ResolvedRefs"] {
        let condition = of_route(&route, condition_type);
        assert_eq!(condition["status"], "True");
        assert_eq!(condition["observedGeneration"], 1);
        let time = condition["lastTransitionTime"].as_str().unwrap();
        assert!(time.len() == 20 && time.ends_with('Z'), "{time}: to the second");
    }
}

#[tokio::test(start_paused = true)]
async fn status_is_not_written_after_a_restart() {
    let api = Api::with(usual());
    drop(Harness::settled(&api).await);
    api.forget();
    let harness = Harness::settled(&api).await;
    assert!(harness.is_published());
    assert_eq!(written(&api), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn status_is_written_only_if_it_differs() {
    let api = Api::with(usual());
    let _harness = Harness::settled(&api).await;
    api.forget();
    api.apply(service("t"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(written(&api), [] as [&str; 0]);

    api.apply(route("r", "t"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(written(&api), ["update tcproutes/default/r/status"]);
    assert_eq!(of_route(&api.get(ROUTE), "Accepted")["observedGeneration"], 2);

    api.forget();
    api.delete("services/default/t");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(written(&api), ["update tcproutes/default/r/status"]);
    assert_eq!(of_route(&api.get(ROUTE), "ResolvedRefs")["reason"], "BackendNotFound");
}

#[tokio::test(start_paused = true)]
async fn status_transition_time_changes_with_the_condition() {
    let api = Api::with(usual());
    let _harness = Harness::settled(&api).await;
    let old = "2020-01-01T00:00:00Z";
    let mut status = api.get(ROUTE)["status"].clone();
    for condition in status["parents"][0]["conditions"].as_array_mut().unwrap() {
        condition["lastTransitionTime"] = json!(old);
    }
    api.set_status(ROUTE, status);
    let observed = |generation: i64| {
        move |route: &Value| of_route(route, "Accepted")["observedGeneration"] == generation
    };
    api.apply(route("r", "missing"));
    api.until_object(ROUTE, observed(2)).await;
    let route = api.get(ROUTE);
    assert_eq!(of_route(&route, "Accepted")["lastTransitionTime"], old);
    assert_eq!(of_route(&route, "ResolvedRefs")["status"], "False");
    assert_ne!(of_route(&route, "ResolvedRefs")["lastTransitionTime"], old);
}

/// A newer version of us, or one that is ahead of us, has seen more.
#[tokio::test(start_paused = true)]
async fn status_of_a_future_generation_is_corrected() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let mut status = api.get(ROUTE)["status"].clone();
    status["parents"][0]["conditions"][0]["observedGeneration"] = json!(3);
    // As of a backup, from which the object was made anew.
    api.set_status(ROUTE, status);
    harness.settle().await;
    assert_eq!(of_route(&api.get(ROUTE), "Accepted")["observedGeneration"], 1);
}

/// What somebody else wrote meanwhile stays, and ours is there too.
#[tokio::test(start_paused = true)]
async fn conflict_is_read_and_retried() {
    let api = Api::with(usual());
    let theirs = parent_status("theirs", "example.com/x");
    api.spoil("update", "tcproutes", Effect::Hold);
    let harness = Harness::start(&api);
    harness.asked("a write", |state| state.count("update", "tcproutes") == 1).await;
    // The news of it come later than the conflict.
    api.spoil("watch,list", "tcproutes", Effect::Hold);
    api.close("tcproutes");
    harness
        .asked("the watch ends", |state| !state.streams.contains(&"tcproutes/".to_owned()))
        .await;
    api.set_status(ROUTE, json!({ "parents": [theirs] }));
    api.heal();
    api.until_object(ROUTE, |route| route["status"]["parents"].as_array().unwrap().len() == 2)
        .await;
    harness.settle().await;
    let parents = api.get(ROUTE)["status"]["parents"].clone();
    assert_eq!((&parents[0], &parents[1]["controllerName"]), (&theirs, &json!(OURS)));
    assert_eq!(api.read(|state| state.count("update", "tcproutes")), 2);
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

#[tokio::test(start_paused = true)]
async fn failure_is_retried_with_backoff_and_logged_once() {
    for effect in [Effect::Refuse(500), Effect::Break] {
        let api = Api::with(usual());
        api.spoil_times(4, "update", "gateways", effect);
        let harness = Harness::settled(&api).await;
        let writes = api.writes();
        let of_gateways = writes.iter().filter(|write| write.plural == "gateways");
        let times: Vec<_> = of_gateways.map(|write| write.at).collect();
        let waits: Vec<_> = times.windows(2).map(|two| (two[1] - two[0]).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8]);
        assert_eq!(harness.warnings("cannot write the status of Gateway objects"), 1);
        assert_eq!(harness.warnings(""), 1, "{}", harness.log());
        assert!(harness.log().contains("can write the status of Gateway objects again"));
    }
}

/// A write that nobody answers is given up, and tried again.
#[tokio::test(start_paused = true)]
async fn write_without_a_response_is_retried() {
    let api = Api::with(usual());
    api.spoil("update", "gateways", Effect::Hold);
    let harness = Harness::start(&api);
    harness.asked("a second write", |state| state.count("update", "gateways") == 2).await;
    assert!(!api.get(ROUTE)["status"].is_null(), "others are not kept waiting");
    api.heal();
    api.until_object("gateways/default/g", |gateway| !is_pending(gateway)).await;
}

/// While one write is under way there is no second one, and then it is the newest that counts.
#[tokio::test(start_paused = true)]
async fn writes_of_a_burst_are_debounced() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.forget();
    for number in 0..50 {
        api.apply(route("r", &format!("missing-{number}")));
        sleep(Duration::from_millis(9)).await;
    }
    api.until_object(ROUTE, |route| of_route(route, "Accepted")["observedGeneration"] == 51).await;
    harness.settle().await;
    let writes = api.writes();
    assert!(writes.len() <= 3, "{}", writes.len());
    assert!(writes.windows(2).all(|two| two[1].at - two[0].at >= Duration::from_millis(500)));
}

#[tokio::test(start_paused = true)]
async fn writes_of_one_object_do_not_overlap() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.forget();
    api.spoil("update", "tcproutes", Effect::Hold);
    api.apply(route("r", "missing"));
    harness.asked("a write", |state| state.count("update", "tcproutes") == 1).await;
    api.apply(route("r", "missing-too"));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(api.read(|state| state.count("update", "tcproutes")), 1);
    api.heal();
    api.until_object(ROUTE, |route| of_route(route, "Accepted")["observedGeneration"] == 3).await;
}

#[tokio::test(start_paused = true)]
async fn writes_are_rate_limited() {
    let api = Api::with(usual());
    // More than are written in the first second.
    let number_of = 350;
    api.create_all((0..number_of).map(|number| route(&format!("route-{number}"), "s")));
    let (harness, start) = (Harness::start(&api), Instant::now());
    harness.asked("a write for each", |state| state.count("update", "tcproutes") > number_of).await;
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    harness.settle().await;
    let writes = api.writes();
    assert_eq!(writes.len(), number_of + 4, "one for each");
    for (number, first) in writes.iter().enumerate() {
        let within = |write: &&Request| write.at - first.at < Duration::from_secs(1);
        let count = writes[number..].iter().take_while(within).count();
        assert!(count <= 305, "{count} in a second");
    }
}

#[tokio::test(start_paused = true)]
async fn writes_in_flight_are_limited() {
    let api = Api::with(usual());
    api.create_all((0..40).map(|number| route(&format!("route-{number}"), "s")));
    api.spoil("update", "tcproutes", Effect::Hold);
    let harness = Harness::start(&api);
    harness.asked("writes", |state| state.count("update", "tcproutes") > 0).await;
    sleep(Duration::from_secs(5)).await;
    assert!(api.writes().len() <= 16 + 3, "{}", api.writes().len());
    api.heal();
    harness.settle().await;
    assert!(!api.get("tcproutes/default/route-39")["status"].is_null());
}

#[tokio::test(start_paused = true)]
async fn status_of_listeners_follows_the_spec_and_keeps_foreign_fields() {
    let api = Api::with(usual());
    // The foreign fields are of a newer definition.
    api.loosen("gateways");
    let gateway = "gateways/default/g";
    let foreign = json!({
        "type": "example.com/Checked", "status": "True", "reason": "Fine", "message": "",
        "observedGeneration": 1, "lastTransitionTime": "2020-01-01T00:00:00.5Z", "extra": [1, { "b": null }],
    });
    api.set_status(gateway, json!({
        "conditions": [
            { "type": "Accepted", "status": "Unknown", "reason": "Pending", "message": "Waiting for controller", "lastTransitionTime": "1970-01-01T00:00:00Z" },
            foreign,
        ],
        "listeners": [
            { "name": "gone", "attachedRoutes": 3, "supportedKinds": [], "conditions": [] },
            { "name": "l", "attachedRoutes": 3, "supportedKinds": [], "conditions": [foreign], "unknown": "stays" },
        ],
        "unknown": { "stays": true },
    }));
    let harness = Harness::settled(&api).await;
    let status = api.get(gateway)["status"].clone();
    assert_eq!(status["unknown"], json!({ "stays": true }));
    assert_eq!(status["conditions"][1], foreign);
    assert_eq!(condition(&status, "Accepted")["status"], "True");
    assert_eq!(status["listeners"].as_array().unwrap().len(), 1);
    assert_eq!(status["listeners"][0]["conditions"][0], foreign);
    assert_eq!(status["listeners"][0]["unknown"], "stays");
    assert_eq!(status["listeners"][0]["attachedRoutes"], 1);

    let listeners = json!([listener("k", 5001), listener("l", 5000)]);
    api.apply(with("/spec/listeners", listeners, crate::objects::gateway("g", 5000)));
    harness.settle().await;
    let names = |status: &Value| -> Vec<Value> {
        let listeners = status["listeners"].as_array().unwrap();
        listeners.iter().map(|listener| listener["name"].clone()).collect()
    };
    assert_eq!(names(&api.get(gateway)["status"]), ["k", "l"]);
    api.apply(with(
        "/spec/listeners",
        json!([listener("k", 5001)]),
        crate::objects::gateway("g", 5000),
    ));
    harness.settle().await;
    assert_eq!(names(&api.get(gateway)["status"]), ["k"]);
}
