//! Discovery: missing kinds, and kinds in several versions.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::sources::Snapshot;
use tokio::time::{Instant, sleep};

use crate::api::{Api, Effect, Installed};
use crate::harness::Harness;
use crate::objects::{condition, route, usual};

fn has_route(snapshot: &Snapshot) -> bool {
    !snapshot.resources.tcp_routes.is_empty()
}

#[tokio::test(start_paused = true)]
async fn definitions_missing_are_reported_once_and_found_later() {
    let api = Api::with(usual());
    api.install(Installed::Nothing);
    let harness = Harness::settled(&api).await;
    assert_eq!(harness.published(), 1);
    let says =
        "the API server does not serve GatewayClass, Gateway, TCPRoute, ReferenceGrant; install ";
    let problems = harness.latest().problems.clone();
    assert!(problems.len() == 1 && problems[0].starts_with(says), "{problems:?}");
    assert_eq!(
        harness.latest().resources.namespaces.len(),
        1,
        "the objects of the installed kinds are in the snapshot"
    );

    api.install(Installed::Both);
    harness.until("the route", has_route).await;
    harness.settle().await;
    assert_eq!(harness.latest().problems, [] as [&str; 0]);
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

#[tokio::test(start_paused = true)]
async fn definitions_removed_keep_objects_until_they_return() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let before = harness.latest().resources.clone();
    api.install(Installed::Nothing);
    harness.settle().await;
    assert_eq!(harness.latest().resources, before, "what is known stays");
    assert_eq!(harness.latest().problems.len(), 1, "{:?}", harness.latest().problems);
    api.delete("tcproutes/default/r");
    api.install(Installed::Both);
    harness.until("the route is gone", |snapshot| !has_route(snapshot)).await;
    harness.settle().await;
    assert_eq!(harness.latest().resources.gateways, before.gateways);
    assert_eq!(harness.latest().problems, [] as [&str; 0]);
}

/// How routes were asked for.
fn versions(api: &Api) -> Vec<String> {
    let requests = api.requests();
    let of_routes = requests.iter().filter(|request| request.plural == "tcproutes");
    let mut versions: Vec<_> = of_routes.map(|request| request.group_version.clone()).collect();
    versions.sort();
    versions.dedup();
    versions
}

#[tokio::test(start_paused = true)]
async fn routes_are_read_as_v1_if_it_is_served() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    assert!(has_route(&harness.latest()));
    assert_eq!(versions(&api), ["gateway.networking.k8s.io/v1"]);
}

#[tokio::test(start_paused = true)]
async fn routes_are_read_as_v1alpha2_until_an_upgrade() {
    let api = Api::with(usual());
    api.install(Installed::Before16);
    api.bundle(Some("v1.5.1"));
    let harness = Harness::settled(&api).await;
    assert!(has_route(&harness.latest()));
    assert_eq!(versions(&api), ["gateway.networking.k8s.io/v1alpha2"]);
    let accepted = api.get("tcproutes/default/r")["status"]["parents"][0].clone();
    assert_eq!(condition(&accepted, "Accepted")["status"], "True");
    let supported = |class: &Value| {
        let supported = condition(&class["status"], "SupportedVersion");
        (supported["status"].clone(), supported["reason"].clone())
    };
    let (no, yes) =
        ((json!("False"), json!("UnsupportedVersion")), (json!("True"), json!("SupportedVersion")));
    assert_eq!(supported(&api.get("gatewayclasses/c")), no);

    api.forget();
    api.install(Installed::Both);
    api.bundle(Some("v1.6.3"));
    harness.settle().await;
    assert_eq!(versions(&api)[0], "gateway.networking.k8s.io/v1");
    assert_eq!(supported(&api.get("gatewayclasses/c")), yes);
    assert!(harness.all().iter().all(|snapshot| has_route(snapshot)), "it was there all the time");
}

/// What is half seen is not published, nor written of.
#[tokio::test(start_paused = true)]
async fn definitions_installed_late_are_listed_before_publication() {
    let api = Api::with(usual());
    drop(Harness::settled(&api).await);
    let status = api.get("tcproutes/default/r")["status"].clone();
    api.install(Installed::Nothing);
    let harness = Harness::settled(&api).await;
    api.forget();
    api.spoil("list,watch", "gateways", Effect::Hold);
    api.install(Installed::Both);
    sleep(Duration::from_secs(25)).await;
    assert!(!harness.all().iter().any(|snapshot| has_route(snapshot)));
    assert_eq!(api.get("tcproutes/default/r")["status"], status);
    api.heal();
    harness.until("the route", has_route).await;
    harness.settle().await;
    assert_eq!(api.writes().len(), 0);
}

/// One of the definitions that were installed later is never listed: its requests get no response,
/// or its list does not end.
#[tokio::test(start_paused = true)]
async fn definition_installed_late_and_never_listed_delays_changes_for_30_seconds() {
    for effect in [Effect::Lose, Effect::Stall] {
        let api = Api::with(usual());
        api.install(Installed::Nothing);
        let harness = Harness::settled(&api).await;
        api.spoil("list,watch", "referencegrants", effect);
        api.install(Installed::Both);
        let has = |name: &'static str| {
            move |snapshot: &Snapshot| {
                snapshot.resources.tcp_routes.keys().any(|route| route.name.as_str() == name)
            }
        };
        let started = Instant::now();
        // A discovery repeats after 6 s.
        harness.until("the routes", has("r")).await;
        let elapsed = started.elapsed();
        assert!(elapsed < Duration::from_secs(40), "{effect:?}: {elapsed:?}");

        for name in ["one", "two", "three"] {
            sleep(Duration::from_secs(7)).await;
            api.apply(route(name, "s"));
            let started = Instant::now();
            harness.until("a change", has(name)).await;
            let elapsed = started.elapsed();
            assert!(elapsed < Duration::from_secs(1), "{effect:?}: {elapsed:?}");
        }
        api.heal();
        let is_healed = |snapshot: &Snapshot| snapshot.problems.is_empty();
        harness.until("the end of the errors", is_healed).await;
    }
}
