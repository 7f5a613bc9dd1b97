//! A server that goes away, or does not do everything any more.

use serde_json::json;
use sluicegate::sources::Snapshot;

use crate::api::{Api, Effect};
use crate::objects::{route, service, usual};
use crate::stage::Stage;

fn has(name: &str) -> impl Fn(&Snapshot) -> bool {
    move |snapshot| snapshot.resources.tcp_routes.keys().any(|route| route.name.as_str() == name)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_away_changes_nothing() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    let (before, published) = (stage.latest(), stage.published());
    api.forget();
    api.down();
    stage.settle().await;
    assert_eq!(stage.latest().resources, before.resources, "what is known stays");
    assert!(!stage.latest().problems.is_empty(), "it is said");
    api.up();
    stage.settle().await;
    assert_eq!(stage.latest().problems, [] as [&str; 0], "and that it is over");
    assert!(stage.all()[published..].iter().all(|snapshot| snapshot.resources == before.resources));
    assert_eq!(api.writes().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_happened_while_the_server_was_away_is_caught_up_with() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    let problems = stage.published();
    api.down();
    stage.settle().await;
    api.apply(route("new", "s"));
    api.delete("tcproutes/default/r");
    api.forget();
    api.up();
    stage.until("the new route", |snapshot| has("new")(snapshot) && !has("r")(snapshot)).await;
    stage.settle().await;
    let routes = |snapshot: &Snapshot| snapshot.resources.tcp_routes.len();
    assert!(stage.all()[problems..].iter().all(|snapshot| routes(snapshot) > 0));
    let written: Vec<_> = api.writes().iter().map(|write| write.object()).collect();
    assert_eq!(written, ["tcproutes/default/new"], "only what differs");
}

/// Everybody's connections break off at one moment; not everybody comes back at one moment.
#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_is_not_asked_all_the_time() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    api.forget();
    api.spoil("watch,list", "tcproutes", Effect::Break);
    api.close("tcproutes");
    let minute = std::time::Duration::from_secs(60);
    tokio::time::sleep(minute).await;
    let count = |api: &Api| {
        api.read(|state| state.count("watch", "tcproutes") + state.count("list", "tcproutes"))
    };
    assert!((10..=30).contains(&count(&api)), "{}", count(&api));
    let problems = stage.latest().problems.clone();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("cannot watch TCPRoute objects: "), "{problems:?}");
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_was_lost_is_named_and_everything_else_goes_on() {
    let api = Api::with(usual());
    let stage = Stage::settled(&api).await;
    let published = stage.published();
    api.forbid("services");
    let is_said = |snapshot: &Snapshot| !snapshot.problems.is_empty();
    let problems = stage.until("it is said", is_said).await.problems.clone();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].starts_with("cannot watch Service objects: services is forbidden"),
        "{problems:?}"
    );
    stage.settle().await;
    assert_eq!(stage.published(), published + 1, "it is said once");
    assert_eq!(stage.latest().resources.services.len(), 1, "what is known stays");

    api.apply(route("new", "s"));
    stage.until("everything else goes on", has("new")).await;
    api.until_object("tcproutes/default/new", |route| !route["status"].is_null()).await;

    // It is given back, and nothing happens to make a watch speak.
    api.heal();
    stage.until("its end is said", |snapshot| snapshot.problems.is_empty()).await;
    api.apply(service("t"));
    stage.until("a new Service", |snapshot| snapshot.resources.services.len() == 2).await;
}

/// Without a permission from the start, there is nothing to begin with: it says so, and waits.
#[tokio::test(start_paused = true)]
async fn a_permission_that_is_missing_from_the_start_is_waited_for() {
    let api = Api::with(usual());
    api.forbid("endpointslices");
    let stage = Stage::settled(&api).await;
    assert!(!stage.is_published());
    assert_eq!(
        stage.warnings("cannot watch EndpointSlice objects: endpointslices is forbidden"),
        1
    );
    api.heal();
    stage.until("everything", has("r")).await;
    assert_eq!(stage.latest().problems, [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_to_write_all_the_rest_goes_on() {
    let api = Api::with(usual());
    api.spoil("update,patch", "gatewayclasses", Effect::Refuse(403));
    let stage = Stage::settled(&api).await;
    assert_eq!(stage.warnings("cannot write the status of GatewayClass objects"), 1);
    assert!(!api.get("tcproutes/default/r")["status"].is_null());
    let tries = api.read(|state| state.count("update", "gatewayclasses"));
    assert!(tries < 40, "{tries} in a quarter of an hour");
    api.heal();
    api.until_object("gatewayclasses/c", |class| class["status"]["conditions"] != json!(null))
        .await;
}

/// A list that breaks off is no list.
#[tokio::test(start_paused = true)]
async fn a_list_that_fails_half_way_takes_nothing_away() {
    let api = Api::with(usual());
    (0..900).for_each(|number| api.apply(service(&format!("s-{number}"))));
    api.minor("33");
    let stage = Stage::settled(&api).await;
    let (before, published) = (stage.latest(), stage.published());
    api.forget();
    // One page comes, the next one does not.
    api.spoil_after(1, "list", "services", Effect::Refuse(500));
    api.expire("services");
    stage.settle().await;
    assert_eq!(api.read(|state| state.count("list", "services")), 4, "two pages, twice");
    let after = stage.all().split_off(published);
    assert!(after.iter().all(|snapshot| snapshot.resources == before.resources));
    assert_eq!(stage.latest().problems, [] as [&str; 0]);
}

/// Of an object that is gone the watch will tell. Until then, there is nothing to be done.
#[tokio::test(start_paused = true)]
async fn a_status_of_which_the_server_knows_nothing_is_not_written_again_and_again() {
    let api = Api::with(usual());
    api.spoil("update", "gateways", Effect::Refuse(404));
    let stage = Stage::settled(&api).await;
    let tries = api.read(|state| state.count("update", "gateways"));
    assert!(tries < 40, "{tries} in a quarter of an hour");
    assert!(!api.get("tcproutes/default/r")["status"].is_null());
    api.heal();
    api.until_object("gateways/default/g", |gateway| !gateway["status"].is_null()).await;
    drop(stage);
}
