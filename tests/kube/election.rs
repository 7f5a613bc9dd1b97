//! Leader election: of several replicas, one writes to the cluster.

use std::collections::BTreeSet;
use std::time::Duration;

use sluicegate::sources::{Feed, KubeSource, Source};
use tokio::time::{Instant, sleep};

use crate::api::{Api, Effect, Request, State};
use crate::harness::Harness;
use crate::objects::{OURS, condition, route, usual};
use crate::replica::{LEASE, Replica, election, holder};

const ROUTE: &str = "tcproutes/default/r";

/// The times of Kubernetes' own components.
const LEASE_DURATION: Duration = Duration::from_secs(15);
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// From one look of another replica at the Lease to the next, at most.
const LONGEST_LOOK: Duration = Duration::from_millis(2_500);

/// Starts a leader and a follower.
async fn two_replicas(api: &Api) -> [Replica; 2] {
    let first = Replica::start(api, "a");
    api.until_object(LEASE, |lease| lease["spec"]["holderIdentity"] == "a").await;
    let second = Replica::start(api, "b");
    first.harness.settle().await;
    [first, second]
}

/// The writes that only the leader makes, without the claims on classes, which are renewed.
fn elected(state: &State) -> Vec<Request> {
    let mut writes = state.writes();
    let is_claim = |write: &Request| write.body["metadata"]["annotations"].is_object();
    writes.retain(|write| write.plural != "leases" && !is_claim(write));
    writes
}

fn writers(api: &Api) -> BTreeSet<&'static str> {
    api.read(elected).iter().map(|write| write.client).collect()
}

/// Changes the route in a way that there is something to write of.
fn change(api: &Api, number: usize) {
    api.apply(route("r", &format!("missing-{number}")));
}

/// Waits until what was changed has been written of.
async fn caught_up(api: &Api) {
    api.until_object(ROUTE, |route| {
        let accepted = condition(&route["status"]["parents"][0], "Accepted");
        accepted["observedGeneration"] == route["metadata"]["generation"]
    })
    .await;
}

/// Changes the route from time to time until a replica has written of it.
async fn change_until_written_by(api: &Api, name: &str) {
    for number in 1_000..1_100 {
        change(api, number);
        sleep(Duration::from_millis(500)).await;
        if writers(api).contains(name) {
            return;
        }
    }
    panic!("{name} never writes");
}

#[tokio::test(start_paused = true)]
async fn election_lets_one_replica_write() {
    let api = Api::with(usual());
    let [first, second] = two_replicas(&api).await;
    assert_eq!(api.read(elected).len(), 4, "once: {:#?}", api.writes());
    for number in 0..5 {
        change(&api, number);
        caught_up(&api).await;
    }
    first.harness.settle().await;
    assert_eq!(writers(&api), ["a"].into());
    assert_eq!(api.read(elected).len(), 4 + 5);
    let says = |replica: &Replica| replica.harness.latest().resources.clone();
    assert_eq!(says(&first), says(&second));
    assert_eq!(holder(&api), "a");
}

#[tokio::test(start_paused = true)]
async fn election_replaces_a_dead_leader_when_the_lease_expires() {
    let api = Api::with(usual());
    let [first, _second] = two_replicas(&api).await;
    api.forget();
    let died = Instant::now();
    drop(first);
    change(&api, 1);
    caught_up(&api).await;
    assert_eq!(writers(&api), ["b"].into());
    let (least, most) =
        (LEASE_DURATION - RETRY_PERIOD, LEASE_DURATION + 2 * LONGEST_LOOK + Duration::from_secs(1));
    assert!((least..most).contains(&died.elapsed()), "{:?}", died.elapsed());
    assert_eq!(api.read(elected).len(), 1, "the rest is said already");
}

#[tokio::test(start_paused = true)]
async fn election_replaces_a_leader_at_once_after_release() {
    let api = Api::with(usual());
    let [first, _second] = two_replicas(&api).await;
    api.forget();
    let begun = Instant::now();
    first.lease.release().await;
    change(&api, 1);
    caught_up(&api).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!((writers(&api), holder(&api).as_str()), (["b"].into(), "b"));
}

#[tokio::test(start_paused = true)]
async fn election_change_of_leader_writes_nothing_twice() {
    let api = Api::with(usual());
    let [first, second] = two_replicas(&api).await;
    api.forget();
    first.lease.release().await;
    second.harness.settle().await;
    assert_eq!(holder(&api), "b");
    assert_eq!(api.read(elected).len(), 0, "{:#?}", api.writes());
    assert_eq!(api.events().len(), 0);
    drop(second);
    let third = Replica::start(&api, "c");
    third.harness.settle().await;
    assert_eq!(holder(&api), "c");
    assert_eq!(api.read(elected).len(), 0, "{:#?}", api.writes());
}

#[tokio::test(start_paused = true)]
async fn election_leader_that_cannot_renew_stops_before_another_writes() {
    for effect in [Effect::Refuse(500), Effect::Break, Effect::Hold] {
        let api = Api::with(usual());
        let [_first, _second] = two_replicas(&api).await;
        api.until_object(LEASE, |lease| lease["spec"]["holderIdentity"] == "a").await;
        let renewals = api.read(|state| state.count("update", "leases"));
        api.until("it renews", |state| state.count("update", "leases") > renewals).await;
        let renewed = Instant::now();
        api.forget();
        api.spoil_of("a", "get,update,create", "leases", effect);
        change_until_written_by(&api, "b").await;

        let writes = api.read(elected);
        let of = |name: &'static str| writes.iter().filter(move |write| write.client == name);
        let last = of("a").map(|write| write.at).max().expect("it wrote for some time");
        let first = of("b").map(|write| write.at).min().unwrap();
        assert!(last - renewed > RENEW_DEADLINE / 2, "{effect:?}: {:?}", last - renewed);
        assert!(last - renewed <= RENEW_DEADLINE, "{effect:?}: {:?}", last - renewed);
        assert!(first - last > Duration::from_secs(3), "{effect:?}: {:?}", first - last);
        caught_up(&api).await;

        // When it can again, it follows.
        api.heal();
        api.forget();
        sleep(Duration::from_secs(60)).await;
        change(&api, 1);
        caught_up(&api).await;
        assert_eq!((writers(&api), holder(&api).as_str()), (["b"].into(), "b"));
    }
}

/// It is not known whether it still arrives, so it must not be sent for long.
#[tokio::test(start_paused = true)]
async fn election_cancels_writes_in_flight_at_the_renew_deadline() {
    let api = Api::with(usual());
    let [_first, _second] = two_replicas(&api).await;
    let renewals = api.read(|state| state.count("update", "leases"));
    api.until("it renews", |state| state.count("update", "leases") > renewals).await;
    let renewed = Instant::now();
    api.spoil_of("a", "get,update,create", "leases", Effect::Break);
    sleep(RENEW_DEADLINE / 2).await;
    api.spoil_of("a", "update", "tcproutes", Effect::Hold);
    change(&api, 1);
    let is_of_route = |write: &Request| write.client == "a" && write.plural == "tcproutes";
    api.until("it is given up", |state| state.given_up.iter().any(is_of_route)).await;
    assert!(renewed.elapsed() <= RENEW_DEADLINE, "{:?}", renewed.elapsed());
    assert_eq!(holder(&api), "a", "nobody else may write yet");

    caught_up(&api).await;
    assert_eq!(holder(&api), "b");
    assert!(renewed.elapsed() >= LEASE_DURATION, "{:?}", renewed.elapsed());
}

#[tokio::test(start_paused = true)]
async fn election_without_permission_prevents_writes() {
    let api = Api::with(usual());
    api.spoil("get,update,create", "leases", Effect::Refuse(403));
    let replica = Replica::start(&api, "a");
    replica.harness.settle().await;
    assert!(replica.harness.is_published(), "it forwards all the same");
    assert_eq!(api.read(elected).len(), 0, "{:#?}", api.writes());
    assert_eq!(
        replica.harness.warnings("permission denied for the Lease"),
        1,
        "{}",
        replica.harness.log()
    );
    api.heal();
    caught_up(&api).await;
}

#[tokio::test(start_paused = true)]
async fn election_is_skipped_by_a_read_only_source() {
    let api = Api::with(usual());
    let harness = Harness::with(&api, OURS, |source| source.election(election()).read_only());
    harness.settle().await;
    assert!(harness.is_published());
    assert!(api.requests().iter().all(|request| request.plural != "leases"));
}

#[tokio::test(start_paused = true)]
async fn empty_identity_ends_the_source_with_an_error() {
    let api = Api::with(usual());
    let source = KubeSource::new(api.client()).identity("").election(election());
    let (feed, _receiver) = Feed::channel();
    let error = Box::new(source).run(feed).await.unwrap_err();
    assert!(error.to_string().starts_with("KubeSource::identity is empty; set"), "{error}");
    assert_eq!(api.writes().len(), 0);
}
