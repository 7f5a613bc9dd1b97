//! Which kinds the server has, and in which version.

use serde_json::{Value, json};
use sluicegate::sources::Snapshot;

use crate::api::{Api, Effect, Installed};
use crate::objects::{condition, usual};
use crate::stage::Stage;

fn has_route(snapshot: &Snapshot) -> bool {
    !snapshot.resources.tcp_routes.is_empty()
}

#[tokio::test(start_paused = true)]
async fn missing_definitions_are_one_warning_and_picked_up_when_they_come() {
    let api = Api::with(usual());
    api.install(Installed::Nothing);
    let stage = Stage::settled(&api).await;
    assert_eq!(stage.published(), 1);
    let says =
        "the API server does not know GatewayClass, Gateway, TCPRoute, ReferenceGrant; install ";
    let problems = stage.latest().problems.clone();
    assert!(problems.len() == 1 && problems[0].starts_with(says), "{problems:?}");
    assert_eq!(stage.latest().resources.services.len(), 1, "what there is is there");

    api.install(Installed::Both);
    stage.until("the route", has_route).await;
    stage.settle().await;
    assert_eq!(stage.latest().problems, [] as [&str; 0]);
    assert_eq!(stage.warnings(""), 0, "{}", stage.log());
}

#[tokio::test(start_paused = true)]
async fn definitions_that_are_removed_and_come_again() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    let before = stage.latest().resources.clone();
    api.install(Installed::Nothing);
    stage.settle().await;
    assert_eq!(stage.latest().resources, before, "what is known stays");
    assert_eq!(stage.latest().problems.len(), 1, "{:?}", stage.latest().problems);
    api.delete("tcproutes/default/r");
    api.install(Installed::Both);
    stage.until("the route is gone", |snapshot| !has_route(snapshot)).await;
    stage.settle().await;
    assert_eq!(stage.latest().resources.gateways, before.gateways);
    assert_eq!(stage.latest().problems, [] as [&str; 0]);
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
async fn routes_are_read_as_v1_where_they_are_served_so() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    assert!(has_route(&stage.latest()));
    assert_eq!(versions(&api), ["gateway.networking.k8s.io/v1"]);
}

#[tokio::test(start_paused = true)]
async fn routes_are_read_as_v1alpha2_where_that_is_all_and_as_v1_after_an_upgrade() {
    let api = Api::with(usual());
    api.install(Installed::Before16);
    api.bundle(Some("v1.5.1"));
    let stage = Stage::settled(&api).await;
    assert!(has_route(&stage.latest()));
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
    stage.settle().await;
    assert_eq!(versions(&api)[0], "gateway.networking.k8s.io/v1");
    assert_eq!(supported(&api.get("gatewayclasses/c")), yes);
    assert!(stage.all().iter().all(|snapshot| has_route(snapshot)), "it was there all the time");
}

/// What is half seen is not published, nor written of.
#[tokio::test(start_paused = true)]
async fn definitions_that_come_late_are_seen_whole_first() {
    let api = Api::with(usual());
    drop(Stage::settled(&api).await);
    let status = api.get("tcproutes/default/r")["status"].clone();
    api.install(Installed::Nothing);
    let stage = Stage::settled(&api).await;
    api.forget();
    api.spoil("list,watch", "gateways", Effect::Hold);
    api.install(Installed::Both);
    stage.settle().await;
    assert!(!stage.all().iter().any(|snapshot| has_route(snapshot)));
    assert_eq!(api.get("tcproutes/default/r")["status"], status);
    api.heal();
    stage.until("the route", has_route).await;
    stage.settle().await;
    assert_eq!(api.writes().len(), 0);
}
