//! The claim of a release on its GatewayClasses, if other programs or the API server disturb it.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::sources::{Election, KubeSource};
use tokio::time::{Instant, sleep};

use crate::api::{Api, Effect, Request};
use crate::harness::Harness;
use crate::objects::{OURS, class, condition, gateway, is_pending, namespace, usual};

const CLASS: &str = "gatewayclasses/c";
const GATEWAY: &str = "gateways/default/g";
const CLAIM: &str = "sluicegate.dev/claim";
const FAILURE: &str = "cannot claim GatewayClass objects";
const LOST: &str = "fields do not keep the value that this controller writes: \
                    metadata.annotations[sluicegate.dev/claim]";

fn release(api: &Api, name: &'static str) -> Harness {
    api.apply(namespace(name));
    let election = Election::new(format!("{name}/gate").parse().unwrap());
    let set_up = |source: KubeSource| source.identity(name).election(election);
    Harness::on_host(&api.of(name), "192.0.2.1", set_up)
}

fn claim(api: &Api) -> Value {
    api.get(CLASS)["metadata"]["annotations"][CLAIM].clone()
}

fn set_claim(api: &Api, claim: &Value) {
    let annotations = if claim.is_null() { json!({}) } else { json!({ CLAIM: claim }) };
    api.edit(CLASS, |class| class["metadata"]["annotations"] = annotations);
}

/// The requests that write claims.
fn claims(api: &Api) -> Vec<Request> {
    let is_claim = |write: &Request| write.body["metadata"]["annotations"].is_object();
    api.writes().into_iter().filter(is_claim).collect()
}

async fn minutes(count: u64) {
    sleep(Duration::from_secs(60 * count)).await;
}

/// Asserts that the source writes the status of both objects, and follows a change at once.
async fn assert_writes(api: &Api) {
    assert_eq!(condition(&api.get(CLASS)["status"], "Accepted")["status"], "True");
    let start = Instant::now();
    let port = api.get(GATEWAY)["spec"]["listeners"][0]["port"].as_u64().unwrap();
    api.apply(gateway("g", u16::try_from(port + 1).unwrap()));
    let generation = api.get(GATEWAY)["metadata"]["generation"].clone();
    api.until_object(GATEWAY, |gateway| {
        condition(&gateway["status"], "Accepted")["observedGeneration"] == generation
    })
    .await;
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn release_whose_claim_is_refused_writes() {
    for code in [422, 429, 500] {
        let api = Api::with(usual());
        api.spoil("patch", "gatewayclasses", Effect::Refuse(code));
        let release = release(&api, "one");
        sleep(Duration::from_secs(5)).await;
        assert_writes(&api).await;
        minutes(15).await;
        assert_writes(&api).await;
        let count = claims(&api).len();
        assert!((9..=11).contains(&count), "{count} attempts in a quarter of an hour");
        assert_eq!(release.warnings(FAILURE), 1, "{}", release.log());
        api.heal();
        minutes(5).await;
        assert!(claim(&api).is_string());
        assert!(release.log().contains("recovered: can claim GatewayClass objects again"));
    }
}

#[tokio::test(start_paused = true)]
async fn release_whose_renewals_fail_writes_on() {
    let api = Api::with(usual());
    let release = release(&api, "one");
    minutes(2).await;
    api.spoil("patch", "gatewayclasses", Effect::Refuse(500));
    for _ in 0..5 {
        minutes(1).await;
        assert_writes(&api).await;
    }
    assert_eq!(release.warnings(""), 1, "{}", release.log());
}

#[tokio::test(start_paused = true)]
async fn release_whose_claim_gets_no_response_writes() {
    let api = Api::with(usual());
    set_claim(&api, &json!(r#"{"lease":"x/y","renewTime":"2026-01-01T00:00:00Z"}"#));
    api.spoil("patch", "gatewayclasses", Effect::Hold);
    let _release = release(&api, "one");
    minutes(30).await;
    assert_writes(&api).await;
}

#[tokio::test(start_paused = true)]
async fn release_whose_claim_a_webhook_removes_writes() {
    let api = Api::with(usual());
    api.mutate("gatewayclasses", |class| {
        class["metadata"].as_object_mut().unwrap().remove("annotations");
    });
    let release = release(&api, "one");
    sleep(Duration::from_secs(5)).await;
    assert_writes(&api).await;
    minutes(10).await;
    assert_writes(&api).await;
    let count = claims(&api).len();
    assert!((8..=12).contains(&count), "{count} attempts in ten minutes");
    assert_eq!(release.warnings(LOST), 1, "{}", release.log());
    assert_eq!(release.warnings(""), 1, "{}", release.log());
    api.keep_as_written();
    minutes(40).await;
    assert!(claim(&api).is_string());
    let recovery = "metadata.annotations[sluicegate.dev/claim] of GatewayClass objects keeps";
    assert!(release.log().contains(recovery), "{}", release.log());
}

/// An admission webhook allows no change of annotations.
#[tokio::test(start_paused = true)]
async fn release_whose_renewals_are_reverted_writes() {
    let api = Api::with(usual());
    let release = release(&api, "one");
    minutes(2).await;
    let first = claim(&api);
    let old = first.clone();
    api.mutate("gatewayclasses", move |class| {
        class["metadata"]["annotations"] = json!({ CLAIM: old });
    });
    api.forget();
    minutes(10).await;
    assert_eq!(claim(&api), first);
    assert_writes(&api).await;
    let count = claims(&api).len();
    assert!((8..=13).contains(&count), "{count} attempts in ten minutes");
    assert_eq!(release.warnings(LOST), 1, "{}", release.log());
}

#[tokio::test(start_paused = true)]
async fn claim_that_another_client_removes_is_written_with_backoff() {
    let api = Api::with(usual());
    let release = release(&api, "one");
    minutes(1).await;
    api.forget();
    let other = tokio::spawn({
        let api = api.clone();
        async move {
            loop {
                if claim(&api).is_string() {
                    set_claim(&api, &Value::Null);
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
    });
    for _ in 0..10 {
        minutes(1).await;
        assert_writes(&api).await;
    }
    other.abort();
    let count = claims(&api).len();
    assert!((8..=13).contains(&count), "{count} attempts in ten minutes");
    assert_eq!(release.warnings(LOST), 1, "{}", release.log());
    assert_eq!(release.warnings(""), 1, "{}", release.log());
}

/// The time of a claim comes from another clock, and nothing in it extends its validity.
#[tokio::test(start_paused = true)]
async fn claim_of_another_release_expires_whatever_it_contains() {
    let claims = [
        r#"{"lease":"x/y","renewTime":"2026-01-01T00:00:00Z","validitySeconds":4294967295}"#,
        r#"{"lease":"x/y","renewTime":"2999-01-01T00:00:00Z"}"#,
        r#"{"lease":"x/y","renewTime":"-001999-01-01T00:00:00Z"}"#,
    ];
    for foreign in claims {
        let api = Api::with(usual());
        set_claim(&api, &json!(foreign));
        let release = release(&api, "one");
        sleep(Duration::from_secs(100)).await;
        assert_eq!(claim(&api), foreign);
        assert!(is_pending(&api.get(GATEWAY)), "{:#}", api.get(GATEWAY)["status"]);
        sleep(Duration::from_secs(40)).await;
        assert_writes(&api).await;
        assert!(claim(&api).to_string().contains("one/gate"));
        assert_eq!(release.warnings(""), 1, "{}", release.log());
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_class_that_decides_is_claimed() {
    let api = Api::with(usual());
    for number in 0..20 {
        let mut young = class(&format!("a{number}"), OURS);
        young["metadata"]["creationTimestamp"] = json!("2026-02-01T00:00:00Z");
        api.apply(young);
    }
    let _release = release(&api, "one");
    minutes(10).await;
    let claims = claims(&api);
    assert!(claims.iter().all(|write| write.object() == CLASS));
    assert!((14..=16).contains(&claims.len()), "{} claims in ten minutes", claims.len());
}

#[tokio::test(start_paused = true)]
async fn release_with_a_new_name_writes_at_once_after_clean_up() {
    let api = Api::with(usual());
    let old = release(&api, "one");
    minutes(5).await;
    let other = release(&api, "other");
    minutes(5).await;
    let shared = "sluicegate.dev/ControllerNameShared";
    assert_eq!(condition(&api.get(CLASS)["status"], shared)["status"], "True");
    drop((old, other));
    let source = KubeSource::new(api.client()).controller_name(OURS.parse().unwrap());
    source.clean_up().await.unwrap();
    let class = api.get(CLASS);
    assert_eq!(class["metadata"]["annotations"], json!({}));
    assert_eq!(*condition(&class["status"], shared), Value::Null);
    assert_eq!(condition(&class["status"], "Accepted")["status"], "True");
    let new = release(&api, "new");
    sleep(Duration::from_secs(20)).await;
    assert!(claim(&api).to_string().contains("new/gate"));
    assert_writes(&api).await;
    assert_eq!(new.warnings("another release"), 0, "{}", new.log());
}
