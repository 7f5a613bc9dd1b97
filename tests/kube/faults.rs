//! Outages of the API server, and missing permissions.

use sluicegate::sources::Snapshot;

use crate::api::{Api, Effect};
use crate::harness::Harness;
use crate::objects::{is_pending, route, service, usual};

fn has(name: &str) -> impl Fn(&Snapshot) -> bool {
    move |snapshot| snapshot.resources.tcp_routes.keys().any(|route| route.name.as_str() == name)
}

#[tokio::test(start_paused = true)]
async fn outage_changes_no_object() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let (before, published) = (harness.latest(), harness.published());
    api.forget();
    api.down();
    harness.settle().await;
    assert_eq!(harness.latest().resources, before.resources, "what is known stays");
    assert!(!harness.latest().problems.is_empty(), "it is said");
    api.up();
    harness.settle().await;
    assert_eq!(harness.latest().problems, [] as [&str; 0], "and that it is over");
    assert!(
        harness.all()[published..].iter().all(|snapshot| snapshot.resources == before.resources)
    );
    assert_eq!(api.writes().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn outage_is_followed_by_the_changes_meanwhile() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let problems = harness.published();
    api.down();
    harness.settle().await;
    api.apply(route("new", "s"));
    api.delete("tcproutes/default/r");
    api.forget();
    api.up();
    harness.until("the new route", |snapshot| has("new")(snapshot) && !has("r")(snapshot)).await;
    harness.settle().await;
    let routes = |snapshot: &Snapshot| snapshot.resources.tcp_routes.len();
    assert!(harness.all()[problems..].iter().all(|snapshot| routes(snapshot) > 0));
    let written: Vec<_> = api.writes().iter().map(|write| write.object()).collect();
    assert_eq!(written, ["tcproutes/default/new"], "only what differs");
}

/// Everybody's connections break off at one moment; not everybody comes back at one moment.
#[tokio::test(start_paused = true)]
async fn outage_is_probed_with_backoff() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.forget();
    api.spoil("watch,list", "tcproutes", Effect::Break);
    api.close("tcproutes");
    let minute = std::time::Duration::from_secs(60);
    tokio::time::sleep(minute).await;
    let count = |api: &Api| {
        api.read(|state| state.count("watch", "tcproutes") + state.count("list", "tcproutes"))
    };
    assert!((10..=30).contains(&count(&api)), "{}", count(&api));
    let problems = harness.latest().problems.clone();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("cannot watch TCPRoute objects: "), "{problems:?}");
}

#[tokio::test(start_paused = true)]
async fn permission_lost_is_reported_and_the_rest_continues() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let published = harness.published();
    api.forbid("services");
    let is_said = |snapshot: &Snapshot| !snapshot.problems.is_empty();
    let problems = harness.until("it is said", is_said).await.problems.clone();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].starts_with("cannot watch Service objects: services is forbidden"),
        "{problems:?}"
    );
    harness.settle().await;
    assert_eq!(harness.published(), published + 1, "it is said once");
    assert_eq!(harness.latest().resources.services.len(), 1, "what is known stays");

    api.apply(route("new", "s"));
    harness.until("everything else goes on", has("new")).await;
    api.until_object("tcproutes/default/new", |route| !route["status"].is_null()).await;

    // It is given back, and nothing happens to make a watch speak.
    api.heal();
    harness.until("its end is said", |snapshot| snapshot.problems.is_empty()).await;
    api.apply(route("another", "t"));
    api.apply(service("t"));
    harness.until("a new Service", |snapshot| snapshot.resources.services.len() == 2).await;
}

/// Without a permission from the start, there is nothing to begin with: it says so, and waits.
#[tokio::test(start_paused = true)]
async fn permission_missing_at_the_start_is_waited_for() {
    let api = Api::with(usual());
    api.forbid("endpointslices");
    let harness = Harness::settled(&api).await;
    assert!(!harness.is_published());
    assert_eq!(
        harness.warnings("cannot watch EndpointSlice objects: endpointslices is forbidden"),
        1
    );
    api.heal();
    harness.until("everything", has("r")).await;
    assert_eq!(harness.latest().problems, [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn permission_to_write_missing_is_reported_and_the_rest_continues() {
    let api = Api::with(usual());
    api.spoil("update,patch", "gatewayclasses", Effect::Refuse(403));
    let harness = Harness::settled(&api).await;
    assert_eq!(harness.warnings("cannot write the status of GatewayClass objects"), 1);
    assert!(!api.get("tcproutes/default/r")["status"].is_null());
    let tries = api.read(|state| state.count("update", "gatewayclasses"));
    assert!(tries < 40, "{tries} in a quarter of an hour");
    api.heal();
    api.until_object("gatewayclasses/c", |class| !is_pending(class)).await;
}

/// A list that breaks off is no list.
#[tokio::test(start_paused = true)]
async fn list_that_fails_half_way_deletes_no_object() {
    let api = Api::with(usual());
    // With the usual Service, one more than a page has.
    api.create_all((0..500).map(|number| service(&format!("s-{number}"))));
    api.minor("33");
    let harness = Harness::settled(&api).await;
    let (before, published) = (harness.latest(), harness.published());
    api.forget();
    // One page comes, the next one does not.
    api.spoil_after(1, "list", "services", Effect::Refuse(500));
    api.expire("services");
    harness.settle().await;
    assert_eq!(api.read(|state| state.count("list", "services")), 4, "two pages, twice");
    let after = harness.all().split_off(published);
    assert!(after.iter().all(|snapshot| snapshot.resources == before.resources));
    assert_eq!(harness.latest().problems, [] as [&str; 0]);
}

/// Of an object that is gone the watch will tell. Until then, there is nothing to be done.
#[tokio::test(start_paused = true)]
async fn status_write_with_not_found_is_retried_with_backoff() {
    let api = Api::with(usual());
    api.spoil("update", "gateways", Effect::Refuse(404));
    let harness = Harness::settled(&api).await;
    let tries = api.read(|state| state.count("update", "gateways"));
    assert!(tries < 40, "{tries} in a quarter of an hour");
    assert!(!api.get("tcproutes/default/r")["status"].is_null());
    api.heal();
    api.until_object("gateways/default/g", |gateway| !is_pending(gateway)).await;
    drop(harness);
}
