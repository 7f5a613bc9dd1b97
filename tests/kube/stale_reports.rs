//! Reports of an old version of an object, and status of a version not yet observed.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::api::{Api, Effect, Request};
use crate::harness::Harness;
use crate::objects::{condition, gateway, route, service, slice, usual};

const ROUTE: &str = "tcproutes/default/r";
const GATEWAY: &str = "gateways/default/g";

/// How long the gateway takes.
const SLOW: Duration = Duration::from_secs(10);

/// Every generation that is spoken of anywhere in a status.
fn observed(status: &Value) -> Vec<i64> {
    let within: Vec<_> = match status {
        Value::Array(values) => values.iter().flat_map(observed).collect(),
        Value::Object(fields) => fields.values().flat_map(observed).collect(),
        _ => Vec::new(),
    };
    status["observedGeneration"].as_i64().into_iter().chain(within).collect()
}

/// Whether a status speaks of this generation and of no other.
fn speaks_of(generation: i64) -> impl Fn(&Value) -> bool {
    move |object| {
        let observed = observed(&object["status"]);
        !observed.is_empty() && observed.iter().all(|other| *other == generation)
    }
}

/// The same status, as if it spoke of another generation.
fn speaking_of(generation: i64, status: &Value) -> Value {
    match status {
        Value::Array(values) => values.iter().map(|value| speaking_of(generation, value)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(field, value)| match &**field {
                "observedGeneration" => (field.clone(), json!(generation)),
                _ => (field.clone(), speaking_of(generation, value)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// What was written of an object's status since everything was forgotten.
fn written(api: &Api, object: &str) -> Vec<Value> {
    let is_of = |write: &&Request| write.object() == object && write.subresource.is_some();
    api.writes().iter().filter(is_of).map(|write| write.body["status"].clone()).collect()
}

fn is_refused(route: &Value) -> bool {
    condition(&route["status"]["parents"][0], "ResolvedRefs")["status"] == "False"
}

#[tokio::test(start_paused = true)]
async fn recreated_object_gets_the_status_of_its_own_generation() {
    for name in [ROUTE, GATEWAY] {
        let api = Api::with(usual());
        let harness = Harness::settled(&api).await;
        for port in 5001..5005 {
            api.apply(gateway("g", port));
            api.apply(route("r", &format!("missing-{port}")));
        }
        api.until_object(name, speaks_of(5)).await;
        harness.settle().await;
        harness.slow_down(SLOW);
        api.forget();
        let before = api.get(name);
        api.delete(name);
        api.apply(if name == ROUTE { route("r", "s") } else { gateway("g", 5000) });
        assert_eq!(api.get(name)["metadata"]["generation"], 1);
        assert_ne!(api.get(name)["metadata"]["uid"], before["metadata"]["uid"]);
        harness.settle().await;
        assert!(speaks_of(1)(&api.get(name)), "{:#}", api.get(name)["status"]);
        let written = written(&api, name);
        let all: Vec<_> = written.iter().flat_map(observed).collect();
        assert!(all.iter().all(|generation| *generation == 1), "{name}: {all:?}");
    }
}

/// Also where it goes and comes again while a report of the one before is on its way.
#[tokio::test(start_paused = true)]
async fn recreated_object_does_not_get_the_report_of_its_predecessor() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    harness.slow_down(SLOW);
    for number in 0..4 {
        api.apply(route("r", &format!("missing-{number}")));
    }
    sleep(SLOW / 2).await;
    api.forget();
    api.delete(ROUTE);
    sleep(Duration::from_secs(1)).await;
    api.apply(route("r", "s"));
    harness.settle().await;
    assert!(speaks_of(1)(&api.get(ROUTE)), "{:#}", api.get(ROUTE)["status"]);
    assert!(!is_refused(&api.get(ROUTE)), "{:#}", api.get(ROUTE)["status"]);
    let written = written(&api, ROUTE);
    let all: Vec<_> = written.iter().flat_map(observed).collect();
    assert!(all.iter().all(|generation| *generation == 1), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn generations_are_written_in_order() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    harness.slow_down(SLOW);
    api.forget();
    for generation in 2..10 {
        api.apply(route("r", &format!("missing-{generation}")));
        sleep(SLOW / 3).await;
    }
    api.until_object(ROUTE, speaks_of(9)).await;
    harness.settle().await;
    let written = written(&api, ROUTE);
    let all: Vec<_> = written.iter().flat_map(observed).collect();
    assert!(all.is_sorted() && all.last() == Some(&9), "{all:?}");
}

/// It was taken back to an earlier state, as from a backup: nobody can have seen that generation of
/// this object.
#[tokio::test(start_paused = true)]
async fn generation_that_never_existed_is_overwritten() {
    for name in [ROUTE, GATEWAY] {
        let api = Api::with(usual());
        drop(Harness::settled(&api).await);
        let impossible = speaking_of(7, &api.get(name)["status"]);
        api.set_status(name, impossible.clone());
        let harness = Harness::settled(&api).await;
        assert!(speaks_of(1)(&api.get(name)), "at the start: {:#}", api.get(name)["status"]);

        api.set_status(name, impossible);
        api.until_object(name, speaks_of(1)).await;
        api.forget();
        harness.settle().await;
        assert_eq!(written(&api, name), [] as [Value; 0], "once");
    }
}

/// The route as another replica sees it that is ahead of us, and what it has said.
fn get_ahead(api: &Api) -> Value {
    let said = speaking_of(2, &api.get(ROUTE)["status"]);
    api.apply(service("t"));
    api.apply(slice("t", SocketAddr::from(([192, 0, 2, 2], 9000))));
    api.apply(route("r", "t"));
    api.set_status(ROUTE, said.clone());
    said
}

#[tokio::test(start_paused = true)]
async fn generation_not_reported_yet_is_left_unchanged() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    harness.slow_down(SLOW);
    api.forget();
    // There is something else to say of the first generation, but before it is said there is a
    // second one.
    api.delete("services/default/s");
    sleep(SLOW / 2).await;
    let said = get_ahead(&api);
    harness.settle().await;
    assert_eq!(written(&api, ROUTE), [] as [Value; 0]);
    assert_eq!(api.get(ROUTE)["status"], said);
}

#[tokio::test(start_paused = true)]
async fn generation_not_observed_yet_is_left_unchanged() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.spoil("watch,list", "tcproutes", Effect::Hold);
    api.close("tcproutes");
    harness
        .asked("the watch ends", |state| !state.streams.contains(&"tcproutes/".to_owned()))
        .await;
    let said = get_ahead(&api);
    api.forget();
    api.delete("services/default/s");
    // It is tried, since we cannot know; the server refuses it, and tells us.
    harness.asked("a try", |state| state.count("update", "tcproutes") == 1).await;
    harness.settle().await;
    assert_eq!(api.get(ROUTE)["status"], said);
    api.heal();
    harness.settle().await;
    assert_eq!(api.get(ROUTE)["status"], said);
    assert_eq!(written(&api, ROUTE).len(), 1);
    let of_age = harness.warnings("nothing received from the API server");
    assert_eq!(harness.warnings(""), of_age, "{}", harness.log());
}
