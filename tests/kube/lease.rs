//! The Lease: how replicas acquire, renew and release it, and that only one at a time is the
//! leader.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::api::{Api, Effect};
use crate::objects::namespace;
use crate::replica::{LEASE, Replica, election, holder, lease_spec};

const READ_AND_WRITE: &str = "get,create,update";

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

/// A server that allows to watch Leases, or does not.
fn api(can_watch: bool) -> Api {
    let api = Api::new();
    if !can_watch {
        forbid_watching(&api);
    }
    api
}

fn forbid_watching(api: &Api) {
    api.spoil("list,watch", "leases", Effect::Refuse(403));
}

/// Writes the Lease as another client.
fn put(api: &Api, spec: Value) {
    api.apply(namespace("system"));
    api.apply(json!({
        "kind": "Lease",
        "metadata": { "name": "gate", "namespace": "system" },
        "spec": spec,
    }));
}

#[tokio::test(start_paused = true)]
async fn lease_is_created_if_missing() {
    let api = Api::new();
    let replica = Replica::start(&api, "a");
    assert!(replica.until_leader().await < Duration::from_secs(1));
    let spec = lease_spec(&api);
    assert_eq!(spec["holderIdentity"], "a");
    assert_eq!((&spec["leaseDurationSeconds"], &spec["leaseTransitions"]), (&json!(15), &json!(0)));
    assert_eq!(spec["acquireTime"], spec["renewTime"]);

    // A renewal is no transition.
    api.forget();
    seconds(60).await;
    assert!(replica.lease.is_leader());
    assert_eq!(lease_spec(&api)["acquireTime"], spec["acquireTime"]);
    assert_eq!(lease_spec(&api)["leaseTransitions"], 0);
    let renewals = api.read(|state| state.count("update", "leases"));
    assert!((25..=30).contains(&renewals), "{renewals} renewals in a minute");
}

#[tokio::test(start_paused = true)]
async fn lease_durations_are_configurable() {
    let api = Api::new();
    let election = election()
        .with_lease_duration(Duration::from_millis(30_500))
        .with_renew_deadline(Duration::from_secs(20))
        .with_retry_period(Duration::from_secs(5));
    let replica = Replica::with(&api, "a", election);
    replica.until_leader().await;
    assert_eq!(lease_spec(&api)["leaseDurationSeconds"], 31);
    api.forget();
    seconds(61).await;
    assert_eq!(api.read(|state| state.count("update", "leases")), 12);
    api.spoil(READ_AND_WRITE, "leases", Effect::Break);
    seconds(14).await;
    assert!(replica.lease.is_leader());
    seconds(6).await;
    assert!(!replica.lease.is_leader());
}

#[tokio::test(start_paused = true)]
async fn lease_is_kept_by_a_live_leader() {
    let api = Api::new();
    let first = Replica::start(&api, "a");
    first.until_leader().await;
    let second = Replica::start(&api, "b");
    for _ in 0..60 {
        seconds(1).await;
        assert!(first.lease.is_leader() && !second.lease.is_leader());
    }
}

/// In a large cluster, polling every few seconds would cause most of the load of the API server.
#[tokio::test(start_paused = true)]
async fn lease_is_followed_by_its_watch_alone() {
    let api = Api::new();
    let first = Replica::start(&api.of("a"), "a");
    first.until_leader().await;
    let second = Replica::start(&api.of("b"), "b");
    seconds(60).await;
    api.forget();
    seconds(600).await;
    let count = |verb: &str| {
        let requests = api.requests();
        let of_second = requests.iter().filter(|request| {
            request.client == "b" && request.plural == "leases" && request.verb == verb
        });
        of_second.count()
    };
    assert_eq!((count("get"), count("list")), (0, 0));
    assert!((6..=10).contains(&count("watch")), "{} watches in 10 min", count("watch"));

    // A watch that is silent looks like a Lease that has expired: it is read then.
    api.spoil_of("b", "watch", "leases", Effect::Lose);
    api.silence("leases");
    seconds(300).await;
    assert!((1..=20).contains(&count("get")), "{} reads in 5 min", count("get"));
    assert!(first.lease.is_leader() && !second.lease.is_leader());
}

#[tokio::test(start_paused = true)]
async fn lease_of_a_dead_holder_is_acquired_when_it_expires() {
    // The times in the Lease have no effect: they come from another clock.
    for time in ["1999-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"] {
        let api = api(false);
        put(
            &api,
            json!({
                "holderIdentity": "dead", "leaseDurationSeconds": 30, "leaseTransitions": 4,
                "acquireTime": time, "renewTime": time,
            }),
        );
        let replica = Replica::start(&api, "a");
        let took = replica.until_leader().await;
        assert!((30..=33).contains(&took.as_secs()), "{took:?}");
        assert_eq!(holder(&api), "a");
        assert_eq!(lease_spec(&api)["leaseTransitions"], 5);
    }
}

#[tokio::test(start_paused = true)]
async fn lease_of_a_previous_process_counts_as_another_holder() {
    let api = Api::new();
    let first = Replica::start(&api, "a");
    first.until_leader().await;
    drop(first);
    let second = Replica::start(&api, "a");
    assert!(second.until_leader().await >= Duration::from_secs(15));
    assert_eq!(lease_spec(&api)["leaseTransitions"], 1);
}

#[tokio::test(start_paused = true)]
async fn leadership_ends_at_the_renew_deadline() {
    let faults = [
        (READ_AND_WRITE, Effect::Break),
        (READ_AND_WRITE, Effect::Hold),
        ("create,update", Effect::Refuse(403)),
    ];
    for (verbs, effect) in faults {
        let api = Api::new();
        let replica = Replica::start(&api, "a");
        replica.until_leader().await;
        seconds(5).await;
        let renewed = Instant::now();
        api.spoil(verbs, "leases", effect);
        seconds(7).await;
        assert!(replica.lease.is_leader(), "{effect:?}: the deadline is not over");
        while replica.lease.is_leader() {
            sleep(Duration::from_millis(10)).await;
        }
        assert!(renewed.elapsed() <= Duration::from_secs(10), "{:?}", renewed.elapsed());

        // No other replica has acquired it meanwhile.
        api.heal();
        assert!(replica.until_leader().await < Duration::from_secs(8));
        assert_eq!(lease_spec(&api)["leaseTransitions"], 0);
    }
}

#[tokio::test(start_paused = true)]
async fn leadership_survives_edits_of_the_lease() {
    let api = Api::new();
    let replica = Replica::start(&api, "a");
    replica.until_leader().await;
    for _ in 0..10 {
        api.edit(LEASE, |lease| lease["metadata"]["labels"] = json!({ "team": "edge" }));
        seconds(3).await;
        assert!(replica.lease.is_leader());
    }
    assert_eq!(api.get(LEASE)["metadata"]["labels"]["team"], "edge");

    api.delete(LEASE);
    seconds(3).await;
    assert!(replica.lease.is_leader());
    assert_eq!(holder(&api), "a");
}

#[tokio::test(start_paused = true)]
async fn leadership_ends_when_the_lease_is_taken() {
    let api = Api::new();
    let replica = Replica::start(&api, "a");
    replica.until_leader().await;
    put(&api, json!({ "holderIdentity": "b", "leaseDurationSeconds": 15 }));
    seconds(3).await;
    assert!(!replica.lease.is_leader());
    assert_eq!(holder(&api), "b");
}

#[tokio::test(start_paused = true)]
async fn lease_release_is_followed_at_once() {
    for can_watch in [true, false] {
        let api = api(can_watch);
        let first = Replica::start(&api, "a");
        first.until_leader().await;
        let second = Replica::start(&api, "b");
        seconds(20).await;

        let started = Instant::now();
        first.lease.release().await;
        assert!(started.elapsed() < Duration::from_millis(100), "{:?}", started.elapsed());
        assert!(!first.lease.is_leader());
        let limit = if can_watch { 1_000 } else { 2_500 };
        assert!(second.until_leader().await < Duration::from_millis(limit));
        assert_eq!(holder(&api), "b");
        assert_eq!(lease_spec(&api)["leaseTransitions"], 1);

        // The first one does not become the leader again.
        second.lease.release().await;
        seconds(60).await;
        assert_eq!(holder(&api), "");
        first.lease.release().await;
    }
}

#[tokio::test(start_paused = true)]
async fn lease_release_waits_for_a_limited_time() {
    let api = Api::new();
    let replica = Replica::start(&api, "a");
    replica.until_leader().await;
    api.spoil(READ_AND_WRITE, "leases", Effect::Hold);
    let started = Instant::now();
    replica.lease.release().await;
    assert!(!replica.lease.is_leader());
    assert!(started.elapsed() <= Duration::from_millis(2_100), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn lease_released_before_the_start_is_never_acquired() {
    let api = Api::new();
    let election = election();
    election.handle().release().await;
    let replica = Replica::with(&api, "a", election);
    seconds(60).await;
    assert!(!replica.lease.is_leader());
    assert!(api.get(LEASE).is_null());
}

/// With random faults, there is never more than one leader, and there is one again and again.
#[tokio::test(start_paused = true)]
async fn leaders_never_overlap() {
    for seed in 0..6 {
        fastrand::seed(seed);
        let api = Api::new();
        // Two replicas have the same identity by mistake.
        let clients = [("a", "a"), ("b", "b"), ("c", "b")];
        let replicas =
            clients.map(|(client, identity)| Replica::with(&api.of(client), identity, election()));
        let mut led = 0;
        for step in 0..3_000 {
            if step % 200 == 0 {
                api.heal();
                if seed % 2 == 1 {
                    forbid_watching(&api);
                }
                let flaky = Some(Effect::Flaky);
                let effects = [None, flaky, flaky, Some(Effect::Break), Some(Effect::Hold)];
                for (client, _) in clients {
                    if let Some(effect) = effects[fastrand::usize(..effects.len())] {
                        api.spoil_of(client, "get,list,watch,create,update", "leases", effect);
                    }
                }
            }
            sleep(Duration::from_millis(100)).await;
            let leaders: Vec<_> = (0..3).filter(|&it| replicas[it].lease.is_leader()).collect();
            assert!(leaders.len() <= 1, "seed {seed}: {leaders:?} lead after {step} steps");
            led += leaders.len();
        }
        assert!(led > 150, "seed {seed}: there was a leader in {led} of 3000 steps only");
    }
}
