//! Several releases with one controller name.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::sources::{Election, KubeSource};
use tokio::time::{Instant, sleep};

use crate::api::{Api, Effect, Request};
use crate::harness::Harness;
use crate::objects::{OURS, class, condition, gateway, namespace, usual, with};

const CLASS: &str = "gatewayclasses/c";
const GATEWAY: &str = "gateways/default/g";
const SHARED: &str = "sluicegate.dev/ControllerNameShared";
const BLOCKED: &str =
    "another release claims the GatewayClasses of this controller name: the one with the Lease";

/// The addresses that the releases write, which show the release that has written a status.
const ONE: &str = "192.0.2.1";
const TWO: &str = "192.0.2.2";

/// Starts a release with a Lease. Client and Lease have the same name.
fn release(api: &Api, name: &'static str, host: &str) -> Harness {
    api.apply(namespace(name));
    let election = Election::new(format!("{name}/gate").parse().unwrap());
    let set_up = |source: KubeSource| source.identity(name).election(election);
    Harness::on_host(&api.of(name), host, set_up)
}

/// The writes of a client, without the Lease and the claims.
fn writes(api: &Api, client: &str) -> Vec<Request> {
    let is_claim = |write: &Request| {
        let metadata = &write.body["metadata"];
        write.plural == "leases" || metadata["annotations"].is_object()
    };
    let writes = api.writes().into_iter();
    writes.filter(|write| write.client == client && !is_claim(write)).collect()
}

/// Waits for longer than the validity of a claim and the interval of its renewal.
async fn settle() {
    sleep(Duration::from_secs(200)).await;
}

fn address(gateway: &Value) -> &Value {
    &gateway["status"]["addresses"][0]["value"]
}

fn shared(api: &Api) -> Value {
    condition(&api.get(CLASS)["status"], SHARED).clone()
}

#[tokio::test(start_paused = true)]
async fn second_release_writes_nothing_and_both_report_it() {
    let api = Api::with(usual());
    let _first = release(&api, "one", ONE);
    settle().await;
    assert_eq!(address(&api.get(GATEWAY)), ONE);
    assert_eq!(shared(&api), Value::Null);
    api.forget();
    let second = release(&api, "two", TWO);
    settle().await;
    assert!(writes(&api, "two").is_empty(), "{:#?}", writes(&api, "two"));
    let of_first: Vec<_> = writes(&api, "one").iter().map(Request::object).collect();
    assert_eq!(of_first, [CLASS], "the condition");
    assert_eq!(second.warnings(&format!("{BLOCKED} one/gate")), 1, "{}", second.log());
    assert_eq!(second.warnings(""), 2, "and one of the first release: {}", second.log());
    assert_eq!(shared(&api)["status"], "True");
    assert_eq!(shared(&api)["observedGeneration"], 1);
    let message = shared(&api)["message"].to_string();
    assert!(message.contains("the Lease two/gate") && message.contains(OURS), "{message}");
    let patches = api.read(|state| state.count("patch", "gatewayclasses"));
    assert!((8..=12).contains(&patches), "{patches} renewals of two releases in 200 s");

    // Both releases observe each change, and one of them writes.
    api.forget();
    api.apply(gateway("g", 5001));
    settle().await;
    assert_eq!(address(&api.get(GATEWAY)), ONE);
    assert!(writes(&api, "two").is_empty());

    drop(second);
    settle().await;
    assert_eq!(shared(&api), Value::Null);
    assert_eq!(api.get(CLASS)["metadata"]["annotations"]["sluicegate.dev/contender"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn second_release_takes_over_when_the_claim_expires() {
    let api = Api::with(usual());
    let first = release(&api, "one", ONE);
    settle().await;
    let second = release(&api, "two", TWO);
    settle().await;
    drop(first);
    let start = Instant::now();
    api.until_object(GATEWAY, |gateway| address(gateway) == TWO).await;
    let elapsed = start.elapsed().as_secs();
    assert!((75..125).contains(&elapsed), "after {elapsed} s");
    settle().await;
    assert_eq!(second.warnings(BLOCKED), 1, "{}", second.log());
    let published = second.published();
    settle().await;
    assert_eq!(second.published(), published, "a renewal does not count as a change of the class");

    // The first release starts again, for example after an outage.
    let _first = release(&api, "one", ONE);
    settle().await;
    assert_eq!(address(&api.get(GATEWAY)), TWO);
}

/// No release can renew its claim meanwhile.
#[tokio::test(start_paused = true)]
async fn outage_of_the_server_changes_no_holder() {
    for _ in 0..2 {
        let api = Api::with(usual());
        let first = release(&api, "one", ONE);
        settle().await;
        let second = release(&api, "two", TWO);
        settle().await;
        api.forget();
        api.down();
        settle().await;
        api.up();
        settle().await;
        assert_eq!(address(&api.get(GATEWAY)), ONE);
        assert!(writes(&api, "two").is_empty(), "{:#?}", writes(&api, "two"));
        drop((first, second));
    }
}

#[tokio::test(start_paused = true)]
async fn releases_that_start_together_agree() {
    for _ in 0..3 {
        let api = Api::with(usual());
        api.spoil("get,create,update,patch", "leases", Effect::Hold);
        let releases = [release(&api, "one", ONE), release(&api, "two", TWO)];
        sleep(Duration::from_secs(5)).await;
        api.heal();
        sleep(Duration::from_secs(60)).await;
        assert_eq!(releases[1].warnings("this controller name"), 2, "{}", releases[1].log());
        let counts = ["one", "two"].map(|client| writes(&api, client).len());
        assert!(counts.contains(&0) && counts != [0, 0], "{counts:?}");
    }
}

/// The claim on the oldest class decides, and the release that has it claims the others too.
#[tokio::test(start_paused = true)]
async fn claim_outlives_the_class_that_decides() {
    let api = Api::with(usual());
    let mut younger = class("a", OURS);
    younger["metadata"]["creationTimestamp"] = json!("2026-02-01T00:00:00Z");
    api.apply(younger);
    let _first = release(&api, "one", ONE);
    settle().await;
    let _second = release(&api, "two", TWO);
    settle().await;
    api.delete(GATEWAY);
    settle().await;
    api.delete(CLASS);
    api.apply(with("/spec/gatewayClassName", json!("a"), gateway("g", 5000)));
    settle().await;
    assert_eq!(address(&api.get(GATEWAY)), ONE);
    assert!(writes(&api, "two").is_empty(), "{:#?}", writes(&api, "two"));
}

#[tokio::test(start_paused = true)]
async fn replicas_of_one_release_share_the_claim() {
    let api = Api::with(usual());
    let leader = release(&api, "one", ONE);
    settle().await;
    let election = Election::new("one/gate".parse().unwrap());
    let set_up = |source: KubeSource| source.identity("follower").election(election);
    let follower = Harness::on_host(&api.of("follower"), TWO, set_up);
    settle().await;
    drop(leader);
    let start = Instant::now();
    api.until_object(GATEWAY, |gateway| address(gateway) == TWO).await;
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    assert_eq!(follower.warnings(""), 0, "{}", follower.log());
}

#[tokio::test(start_paused = true)]
async fn source_without_election_respects_a_claim() {
    let api = Api::with(usual());
    let first = release(&api, "one", ONE);
    settle().await;
    let sole = Harness::on_host(&api.of("sole"), TWO, |source| source);
    settle().await;
    assert!(writes(&api, "sole").is_empty(), "{:#?}", writes(&api, "sole"));
    assert_eq!(sole.warnings(BLOCKED), 1, "{}", sole.log());
    drop(first);
    api.until_object(GATEWAY, |gateway| address(gateway) == TWO).await;
    assert_eq!(api.get(CLASS)["metadata"]["annotations"]["sluicegate.dev/contender"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn release_that_takes_over_from_a_source_without_election_stops_it() {
    let api = Api::with(usual());
    let _sole = Harness::on_host(&api.of("sole"), TWO, |source| source);
    settle().await;
    assert_eq!(address(&api.get(GATEWAY)), TWO);
    let _release = release(&api, "one", ONE);
    settle().await;
    assert_eq!(address(&api.get(GATEWAY)), ONE);
    api.forget();
    settle().await;
    assert!(writes(&api, "sole").is_empty() && writes(&api, "one").is_empty());
}

#[tokio::test(start_paused = true)]
async fn release_without_permission_for_a_claim_writes() {
    let api = Api::with(usual());
    api.spoil("patch", "gatewayclasses", Effect::Refuse(403));
    let release = release(&api, "one", ONE);
    settle().await;
    assert_eq!(address(&api.get(GATEWAY)), ONE);
    assert_eq!(condition(&api.get(CLASS)["status"], "Accepted")["status"], "True");
    assert_eq!(release.warnings("cannot claim GatewayClass objects"), 1, "{}", release.log());
    api.heal();
    api.until_object(CLASS, |class| {
        class["metadata"]["annotations"]["sluicegate.dev/claim"].is_string()
    })
    .await;
}

/// Another client edits the annotation.
#[tokio::test(start_paused = true)]
async fn claim_that_is_invalid_or_removed_is_written_again() {
    let api = Api::with(usual());
    let release = release(&api, "one", ONE);
    settle().await;
    for claim in [Some("nonsense"), None] {
        api.edit(CLASS, |class| {
            let annotations = class["metadata"]["annotations"].as_object_mut().unwrap();
            match claim {
                None => _ = annotations.remove("sluicegate.dev/claim"),
                Some(claim) => annotations["sluicegate.dev/claim"] = json!(claim),
            }
        });
        sleep(Duration::from_secs(2)).await;
        let claim = api.get(CLASS)["metadata"]["annotations"]["sluicegate.dev/claim"].clone();
        assert!(claim.as_str().unwrap().contains("one/gate"), "{claim}");
    }
    assert_eq!(release.warnings(""), 0, "{}", release.log());
}
