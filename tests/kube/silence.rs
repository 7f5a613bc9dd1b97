//! An API server, or a network to it, that is silent: connections are not refused, and requests get
//! no response.

use std::sync::Arc;
use std::time::Duration;

use sluicegate::model::ObjectKind;
use sluicegate::sources::Snapshot;
use tokio::time::{Instant, sleep};

use crate::api::{Api, Effect, Request};
use crate::harness::Harness;
use crate::objects::{OURS, route, usual};

/// Maximum time from the return of the network to a snapshot with a change.
const CATCH_UP: Duration = Duration::from_secs(30);

/// Maximum duration of a watch, with the time after it in which its end must arrive.
const LONGEST_WATCH: Duration = Duration::from_secs(95);

const RESPONSE_TIMEOUT: &str = "the API server did not respond within 15 s";

fn has(name: &str) -> impl Fn(&Snapshot) -> bool {
    move |snapshot| snapshot.resources.tcp_routes.keys().any(|route| route.name.as_str() == name)
}

/// Minor version 33 lists in pages, and 37 as the beginning of a watch.
#[tokio::test(start_paused = true)]
async fn list_without_response_is_repeated() {
    for (minor, effect) in
        [("33", Effect::Lose), ("37", Effect::Lose), ("33", Effect::Stall), ("37", Effect::Stall)]
    {
        let api = Api::with(usual());
        api.minor(minor);
        api.spoil_times(1, "list,watch", "tcproutes", effect);
        let started = Instant::now();
        let harness = Harness::start(&api);
        harness.until("the first snapshot", has("r")).await;
        assert!(started.elapsed() < CATCH_UP, "{minor} {effect:?}: {:?}", started.elapsed());
        let reported = harness.warnings("cannot watch TCPRoute objects: ");
        assert_eq!(reported, 1, "{minor} {effect:?}: {}", harness.log());
        assert_eq!(harness.latest().problems, [] as [&str; 0], "{minor} {effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn watch_request_without_response_is_repeated() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.spoil_times(1, "watch", "tcproutes", Effect::Lose);
    api.close("tcproutes");
    api.apply(route("new", "s"));
    let started = Instant::now();
    harness.until("the new route", has("new")).await;
    assert!(started.elapsed() < CATCH_UP, "{:?}", started.elapsed());
    assert!(harness.all().iter().any(|snapshot| {
        snapshot.problems.iter().any(|problem| problem.contains(RESPONSE_TIMEOUT))
    }));
}

/// Time alone is no evidence that a watch works.
#[tokio::test(start_paused = true)]
async fn watch_is_reported_as_resumed_only_after_a_response() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    for effect in [Effect::Hold, Effect::Lose] {
        let published = harness.published();
        let resumed = harness.log().matches("can watch TCPRoute objects again").count();
        api.spoil("watch", "tcproutes", effect);
        api.close("tcproutes");
        harness.settle().await;
        let log = harness.log();
        assert_eq!(log.matches("can watch TCPRoute objects again").count(), resumed, "{log}");
        assert_eq!(harness.latest().problems.len(), 1, "{:?}", harness.latest().problems);
        assert_eq!(harness.published(), published + 1, "{effect:?}: it is reported once");

        api.heal();
        harness.until("the end of it", |snapshot| snapshot.problems.is_empty()).await;
        let log = harness.log();
        assert_eq!(log.matches("can watch TCPRoute objects again").count(), resumed + 1, "{log}");
    }
}

#[tokio::test(start_paused = true)]
async fn watch_that_falls_silent_is_resumed() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    for name in ["one", "two", "three"] {
        api.silence("tcproutes");
        api.apply(route(name, "s"));
        let started = Instant::now();
        harness.until("the new route", has(name)).await;
        assert!(started.elapsed() <= LONGEST_WATCH, "{:?}", started.elapsed());
        // The next watch ends at another time.
        sleep(Duration::from_secs(17)).await;
    }
    let lists = api.read(|state| state.count("list", "tcproutes"));
    assert_eq!(lists, 0, "nothing is listed again");
}

#[tokio::test(start_paused = true)]
async fn watches_last_60_to_90_seconds_and_vary() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let requests = api.requests();
    let mut durations: Vec<u64> = requests
        .iter()
        .filter(|request| request.verb == "watch")
        .map(|request| request.query["timeoutSeconds"].parse().unwrap())
        .collect();
    assert!(durations.iter().all(|duration| (60..=90).contains(duration)), "{durations:?}");
    durations.sort_unstable();
    durations.dedup();
    assert!(durations.len() > 5, "{durations:?}");
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

/// The connections break, and later requests get no response: neither lists nor watches nor
/// discovery.
#[tokio::test(start_paused = true)]
async fn silence_after_connecting_is_followed_by_the_changes_meanwhile() {
    for seed in 0..8 {
        fastrand::seed(seed);
        let api = Api::with(usual());
        let harness = Harness::settled(&api).await;
        api.spoil_all(Effect::Lose);
        api.down();
        sleep(Duration::from_millis(10)).await;
        api.up();
        sleep(Duration::from_secs(20 + seed)).await;
        api.apply(route("new", "s"));
        api.heal();
        let returned = Instant::now();
        harness.until("the new route", has("new")).await;
        assert!(returned.elapsed() < CATCH_UP, "{seed}: {:?}", returned.elapsed());
        harness.settle().await;
        assert_eq!(harness.latest().problems, [] as [&str; 0]);
        let reports = |snapshot: &Arc<Snapshot>| {
            snapshot.problems.iter().any(|problem| problem.contains(RESPONSE_TIMEOUT))
        };
        assert!(harness.all().iter().any(reports), "{seed}: it is reported");
    }
}

#[tokio::test(start_paused = true)]
async fn age_of_what_was_received_is_reported_after_two_minutes() {
    let api = Api::with(usual());
    let mut handle = None;
    let harness = Harness::with(&api, OURS, |source| {
        handle = Some(source.watch_handle());
        source
    });
    let handle = handle.unwrap();
    assert!(handle.last_received().is_empty(), "the source does not run yet");
    let warning = "nothing received from the API server for 120 s";
    let end = "the API server responds again";
    for _ in 0..900 {
        sleep(Duration::from_secs(1)).await;
        let ages = handle.last_received();
        assert_eq!(ages.len(), 7, "{ages:?}");
        assert!(ages.values().all(|age| *age <= LONGEST_WATCH), "{ages:?}");
    }
    assert_eq!(harness.warnings(warning), 0, "{}", harness.log());

    let two_minutes = Duration::from_secs(120);
    api.spoil("watch", "tcproutes", Effect::Lose);
    api.spoil("watch", "services", Effect::Refuse(403));
    api.close("services");
    api.silence("tcproutes");
    for _ in 0..240 {
        sleep(Duration::from_secs(1)).await;
        let ages = handle.last_received();
        for (kind, name) in [(ObjectKind::TcpRoute, "TCPRoute"), (ObjectKind::Service, "Service")] {
            let warnings = harness.warnings(name);
            assert!(warnings <= 1, "{warnings} of {name}: {}", harness.log());
            assert!(warnings == 0 || ages[&kind] > two_minutes, "{name}: {ages:?}");
            let is_due = ages[&kind] > two_minutes + Duration::from_secs(6);
            assert!(warnings == 1 || !is_due, "{name}: {ages:?}");
        }
    }
    let ages = handle.last_received();
    let is_stale = |kind| ages[&kind] > two_minutes;
    assert!(is_stale(ObjectKind::TcpRoute) && is_stale(ObjectKind::Service), "{ages:?}");
    assert!(!is_stale(ObjectKind::Gateway) && !is_stale(ObjectKind::Namespace), "{ages:?}");
    assert!(!harness.log().contains(end), "{}", harness.log());

    api.heal();
    sleep(CATCH_UP).await;
    assert!(harness.log().contains(end), "{}", harness.log());
    assert!(handle.last_received().values().all(|age| *age <= LONGEST_WATCH));
    harness.settle().await;
    let log = harness.log();
    for kind in ["TCPRoute", "Service"] {
        let ends = log.lines().filter(|line| line.contains(end) && line.contains(kind)).count();
        assert_eq!(ends, 1, "{kind}: {log}");
    }
}

/// Every request has a limit, also those of discovery, the Lease and Events.
#[tokio::test(start_paused = true)]
async fn requests_without_response_time_out() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.spoil_all(Effect::Lose);
    for plural in ["tcproutes", "gateways", "services", "endpointslices", "namespaces"] {
        api.close(plural);
    }
    let started = Instant::now();
    harness.settle().await;
    let open = api.read(|state| {
        let since = |requests: &[Request]| requests.iter().filter(|it| it.at > started).count();
        since(&state.requests) - since(&state.given_up)
    });
    assert!(
        open <= 8,
        "{open} requests wait, and the maximum is one for each kind and one of discovery"
    );
}
