//! Reports that are older than what they speak of, and status that is newer than both.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::api::{Api, Effect, Request};
use crate::objects::{condition, gateway, route, service, slice, usual};
use crate::stage::Stage;

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
async fn an_object_that_was_made_anew_is_told_of_as_it_is_now() {
    for name in [ROUTE, GATEWAY] {
        let api = Api::with(usual());
        let stage = Stage::settled(&api).await;
        for port in 5001..5005 {
            api.apply(gateway("g", port));
            api.apply(route("r", &format!("missing-{port}")));
        }
        api.until_object(name, speaks_of(5)).await;
        stage.settle().await;
        stage.slow_down(SLOW);
        api.forget();
        let before = api.get(name);
        api.delete(name);
        api.apply(if name == ROUTE { route("r", "s") } else { gateway("g", 5000) });
        assert_eq!(api.get(name)["metadata"]["generation"], 1);
        assert_ne!(api.get(name)["metadata"]["uid"], before["metadata"]["uid"]);
        stage.settle().await;
        assert!(speaks_of(1)(&api.get(name)), "{:#}", api.get(name)["status"]);
        let written = written(&api, name);
        let all: Vec<_> = written.iter().flat_map(observed).collect();
        assert!(all.iter().all(|generation| *generation == 1), "{name}: {all:?}");
    }
}

/// Also where it goes and comes again while a report of the one before is on its way.
#[tokio::test(start_paused = true)]
async fn a_report_of_an_object_that_is_gone_is_not_written_to_its_successor() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    stage.slow_down(SLOW);
    for number in 0..4 {
        api.apply(route("r", &format!("missing-{number}")));
    }
    sleep(SLOW / 2).await;
    api.forget();
    api.delete(ROUTE);
    sleep(Duration::from_secs(1)).await;
    api.apply(route("r", "s"));
    stage.settle().await;
    assert!(speaks_of(1)(&api.get(ROUTE)), "{:#}", api.get(ROUTE)["status"]);
    assert!(!is_refused(&api.get(ROUTE)), "{:#}", api.get(ROUTE)["status"]);
    let written = written(&api, ROUTE);
    let all: Vec<_> = written.iter().flat_map(observed).collect();
    assert!(all.iter().all(|generation| *generation == 1), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn generations_are_told_in_turn_and_none_before_it_is_there() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    stage.slow_down(SLOW);
    api.forget();
    for generation in 2..10 {
        api.apply(route("r", &format!("missing-{generation}")));
        sleep(SLOW / 3).await;
    }
    api.until_object(ROUTE, speaks_of(9)).await;
    stage.settle().await;
    let written = written(&api, ROUTE);
    let all: Vec<_> = written.iter().flat_map(observed).collect();
    assert!(all.is_sorted() && all.last() == Some(&9), "{all:?}");
}

/// It was taken back to an earlier state, as from a backup: nobody can have seen that generation of
/// this object.
#[tokio::test(start_paused = true)]
async fn what_speaks_of_a_generation_that_never_was_is_written_over() {
    for name in [ROUTE, GATEWAY] {
        let api = Api::with(usual());
        drop(Stage::settled(&api).await);
        let impossible = speaking_of(7, &api.get(name)["status"]);
        api.set_status(name, impossible.clone());
        let stage = Stage::settled(&api).await;
        assert!(speaks_of(1)(&api.get(name)), "at the start: {:#}", api.get(name)["status"]);

        api.set_status(name, impossible);
        api.until_object(name, speaks_of(1)).await;
        api.forget();
        stage.settle().await;
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
async fn what_speaks_of_a_generation_of_which_we_have_not_told_yet_is_left_alone() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    stage.slow_down(SLOW);
    api.forget();
    // There is something else to say of the first generation, but before it is said there is a
    // second one.
    api.delete("services/default/s");
    sleep(SLOW / 2).await;
    let said = get_ahead(&api);
    stage.settle().await;
    assert_eq!(written(&api, ROUTE), [] as [Value; 0]);
    assert_eq!(api.get(ROUTE)["status"], said);
}

#[tokio::test(start_paused = true)]
async fn what_speaks_of_a_generation_that_we_have_not_seen_yet_is_left_alone() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    api.spoil("watch,list", "tcproutes", Effect::Hold);
    api.close("tcproutes");
    stage.asked("the watch ends", |state| !state.streams.contains(&"tcproutes/".to_owned())).await;
    let said = get_ahead(&api);
    api.forget();
    api.delete("services/default/s");
    // It is tried, since we cannot know; the server refuses it, and tells us.
    stage.asked("a try", |state| state.count("update", "tcproutes") == 1).await;
    stage.settle().await;
    assert_eq!(api.get(ROUTE)["status"], said);
    api.heal();
    stage.settle().await;
    assert_eq!(api.get(ROUTE)["status"], said);
    assert_eq!(written(&api, ROUTE).len(), 1);
    assert_eq!(stage.warnings(""), 0, "{}", stage.log());
}
