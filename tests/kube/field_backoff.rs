//! Fields that do not keep the value that the source writes: the API server drops them, or another
//! client changes them.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::sources::ServiceTemplate;
use tokio::time::{Instant, sleep};

use crate::api::{Api, Request};
use crate::harness::Harness;
use crate::objects::{condition, gateway, namespace, usual};

const GATEWAY: &str = "gateways/default/g";
const CLASS: &str = "gatewayclasses/c";
const WARNING: &str = "fields do not keep the value";

/// The times of the writes of a kind.
fn times(api: &Api, plural: &str) -> Vec<Instant> {
    let is_of = |write: &&Request| write.plural == plural;
    api.writes().iter().filter(is_of).map(|write| write.at).collect()
}

/// The seconds between the writes of a kind.
fn waits(api: &Api, plural: &str) -> Vec<u64> {
    let times = times(api, plural);
    times.windows(2).map(|two| (two[1] - two[0]).as_secs()).collect()
}

/// Removes a field of every listener's status.
fn drop_supported_kinds(object: &mut Value) {
    let listeners = object["status"]["listeners"].as_array_mut();
    for listener in listeners.into_iter().flatten() {
        listener.as_object_mut().unwrap().remove("supportedKinds");
    }
}

#[tokio::test(start_paused = true)]
async fn field_that_the_server_drops_is_written_with_backoff_and_reported_once() {
    let api = Api::with(usual());
    api.mutate("gateways", drop_supported_kinds);
    let harness = Harness::settled(&api).await;
    // The first write contains all fields, the second one only the field that is missing.
    assert_eq!(waits(&api, "gateways"), [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256]);
    assert_eq!(harness.warnings(WARNING), 1, "{}", harness.log());
    assert_eq!(harness.warnings("status.listeners[l].supportedKinds. "), 1, "{}", harness.log());
    harness.settle().await;
    harness.settle().await;
    assert_eq!(waits(&api, "gateways")[11..], [512, 600, 600]);
    assert_eq!(harness.warnings(""), 1, "{}", harness.log());

    // The rest of the status follows changes at once.
    let start = Instant::now();
    api.apply(gateway("g", 5001));
    api.until_object(GATEWAY, |gateway| {
        condition(&gateway["status"], "Accepted")["observedGeneration"] == 2
    })
    .await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());

    // It is stored at the next attempt after the server keeps it.
    api.keep_as_written();
    harness.settle().await;
    assert!(!api.get(GATEWAY)["status"]["listeners"][0]["supportedKinds"].is_null());
    api.forget();
    harness.settle().await;
    assert_eq!(api.writes().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn field_that_keeps_its_value_again_is_reported_and_corrected_at_once() {
    let api = Api::with(usual());
    api.mutate("gateways", drop_supported_kinds);
    let harness = Harness::settled(&api).await;
    api.keep_as_written();
    harness.settle().await;
    harness.settle().await;
    for _ in 0..2 {
        let (start, mut status) = (Instant::now(), api.get(GATEWAY)["status"].clone());
        status["listeners"][0]["supportedKinds"] = json!([]);
        api.set_status(GATEWAY, status);
        api.until_object(GATEWAY, |gateway| {
            gateway["status"]["listeners"][0]["supportedKinds"] != json!([])
        })
        .await;
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
    let recovery = "status.listeners[l].supportedKinds of Gateway objects keeps its value again";
    assert!(harness.log().contains(recovery), "{}", harness.log());
}

/// An admission webhook replaces a label of each Service.
#[tokio::test(start_paused = true)]
async fn label_that_a_webhook_replaces_is_written_with_backoff_and_reported_once() {
    let api = Api::with(usual());
    api.apply(namespace("system"));
    api.mutate("services", |service| {
        service["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"] = json!("team");
    });
    let selector = [("app".to_owned(), "gate".to_owned())].into();
    let template = ServiceTemplate::new("system".parse().unwrap(), selector);
    let harness = Harness::behind_services(&api, template);
    harness.settle().await;
    let waits = waits(&api, "services");
    assert!((9..=12).contains(&waits.len()), "{waits:?}");
    assert!(waits.is_sorted(), "{waits:?}");
    let field = "metadata.labels[gateway.networking.k8s.io/gateway-name]";
    assert_eq!(harness.warnings(field), 1, "{}", harness.log());
    assert_eq!(harness.warnings(WARNING), 1, "{}", harness.log());

    let start = Instant::now();
    api.apply(gateway("g", 5001));
    harness
        .asked("the new port", |state| {
            let mut services = state.store.all("services/system/");
            services.any(|(_, service)| service["spec"]["ports"][0]["port"] == 5001)
        })
        .await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

/// Two sources of one controller without an election write different addresses.
#[tokio::test(start_paused = true)]
async fn status_that_two_sources_write_is_written_with_backoff_and_reported() {
    let api = Api::with(usual());
    let other = Harness::on_host(&api.of("other"), "192.0.2.200", |source| source);
    other.settle().await;
    api.forget();
    let harness = Harness::settled(&api).await;
    let count = times(&api, "gateways").len();
    assert!((8..30).contains(&count), "{count} writes in a quarter of an hour");
    // The log contains the warnings of both.
    assert_eq!(harness.warnings("status.addresses"), 2, "{}", harness.log());
    assert_eq!(harness.warnings(""), 2, "{}", harness.log());
    drop(other);
    harness.settle().await;
    assert_eq!(api.get(GATEWAY)["status"]["addresses"][0]["value"], "192.0.2.100");
}

#[tokio::test(start_paused = true)]
async fn finalizer_that_another_client_removes_is_written_with_backoff() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.forget();
    let other = tokio::spawn({
        let api = api.clone();
        async move {
            loop {
                if api.get(CLASS)["metadata"]["finalizers"][0].is_string() {
                    api.set_finalizers(CLASS, json!([]));
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
    });
    harness.settle().await;
    other.abort();
    let waits = waits(&api, "gatewayclasses");
    assert!((8..=12).contains(&waits.len()), "{waits:?}");
    assert_eq!(harness.warnings("metadata.finalizers[gateway-exists-finalizer"), 1);
}
