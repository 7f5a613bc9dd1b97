//! Services of Gateways that the leader does not know, because its watch fails.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::sources::Election;
use tokio::time::sleep;

use super::{SERVICE, api, settled, template, written};
use crate::api::{Api, Effect};
use crate::harness::Harness;
use crate::objects::{OURS, THEIRS, class, gateway, with};

/// Longer than the leader election takes after the death of the leader.
const ELECTION: Duration = Duration::from_secs(30);

fn replica(api: &Api, name: &'static str) -> Harness {
    let election = Election::new("system/gate".parse().unwrap());
    Harness::reached_through_services(&api.of(name), |source| {
        source.services(template()).identity(name).election(election)
    })
}

/// The leader `a`, and a follower `b` that cannot watch a kind any longer.
async fn replicas(api: &Api, unknown: &'static str) -> (Harness, Harness) {
    let a = replica(api, "a");
    sleep(ELECTION).await;
    let b = replica(api, "b");
    sleep(ELECTION).await;
    api.spoil_of("b", "watch,list", unknown, Effect::Refuse(500));
    api.close(unknown);
    sleep(ELECTION).await;
    (a, b)
}

/// The names and uids of the Services of Gateways.
fn services(api: &Api) -> Vec<(String, Value)> {
    api.read(|state| {
        let services = state.store.all("services/system/");
        services.map(|(name, object)| (name, object["metadata"]["uid"].clone())).collect()
    })
}

fn reads(api: &Api, plural: &str) -> usize {
    api.read(|state| state.count("get", plural))
}

#[tokio::test(start_paused = true)]
async fn service_of_a_gateway_that_the_leader_does_not_know_is_kept() {
    let api = api();
    let (a, b) = replicas(&api, "gateways").await;
    api.apply(gateway("new", 5002));
    // A Gateway of the same name with another uid.
    api.delete("gateways/default/g");
    api.apply(gateway("g", 5000));
    sleep(ELECTION).await;
    let before = services(&api);
    assert_eq!(before.len(), 2);
    api.forget();
    drop(a);
    sleep(ELECTION).await;
    // The Gateways are read, but not without a pause.
    let first = reads(&api, "gateways");
    assert!(first >= 2, "{first}");
    b.settle().await;
    assert_eq!(services(&api), before);
    let later = reads(&api, "gateways") - first;
    assert!((20..=70).contains(&later), "{later} in a quarter of an hour");

    // The watch does not report the deletion of a Gateway that it has not reported before.
    api.delete("gateways/default/new");
    sleep(ELECTION * 2).await;
    assert_eq!(services(&api).len(), 1);
    api.heal();
    b.settle().await;
    assert_eq!(services(&api), [before[0].clone()]);
}

#[tokio::test(start_paused = true)]
async fn service_of_a_class_that_the_leader_does_not_know_is_kept() {
    let api = api();
    api.apply(class("d", THEIRS));
    let (a, b) = replicas(&api, "gatewayclasses").await;
    let before = services(&api);
    for name in ["d", "new"] {
        // Class `d` gets another controller, and class `new` is created.
        if name == "d" {
            api.delete("gatewayclasses/d");
        }
        api.apply(class(name, OURS));
    }
    for name in ["d", "new"] {
        api.apply(with("/spec/gatewayClassName", json!(name), gateway("g", 5000)));
        sleep(ELECTION).await;
        assert_eq!(services(&api), before);
    }
    drop(a);
    for name in ["d", "new"] {
        api.apply(with("/spec/gatewayClassName", json!(name), gateway("g", 5000)));
        b.settle().await;
        assert_eq!(services(&api), before);
    }
    api.heal();
    b.settle().await;
    assert_eq!(services(&api), before);
}

#[tokio::test(start_paused = true)]
async fn service_is_kept_while_its_gateway_cannot_be_read() {
    for effect in [Effect::Refuse(403), Effect::Refuse(500), Effect::Break, Effect::Lose] {
        let api = api();
        let harness = settled(&api).await;
        api.spoil("get", "gateways", effect);
        api.forget();
        api.delete("gateways/default/g");
        harness.settle().await;
        assert_eq!(written(&api), [] as [&str; 0], "{effect:?}");
        let tries = reads(&api, "gateways");
        assert!((20..=40).contains(&tries), "{tries} in a quarter of an hour");
        assert_eq!(harness.warnings("cannot delete Service objects: "), 1, "{}", harness.log());
        api.heal();
        harness.settle().await;
        assert_eq!(written(&api), [format!("delete {SERVICE}")], "{effect:?}");
    }
}

/// A Gateway keeps its address if its class is created again.
#[tokio::test(start_paused = true)]
async fn service_is_kept_when_the_class_is_deleted() {
    let api = api();
    let harness = settled(&api).await;
    let before = services(&api);
    api.set_finalizers("gatewayclasses/c", json!([]));
    api.delete("gatewayclasses/c");
    api.forget();
    harness.settle().await;
    assert_eq!(services(&api), before);
    assert_eq!(reads(&api, "gateways"), 0);
    api.apply(class("c", OURS));
    harness.settle().await;
    assert_eq!(services(&api), before);
    api.delete("gateways/default/g");
    harness.settle().await;
    assert_eq!(services(&api), []);
}
