//! Watches: changes, resumption, expiry and invalid objects.

use serde_json::json;
use sluicegate::model::{NamespacedName, default_namespace};
use sluicegate::sources::Snapshot;

use crate::api::{Api, Effect};
use crate::harness::Harness;
use crate::objects::{namespace, route, usual, with};

fn name(name: &str) -> NamespacedName {
    NamespacedName { namespace: default_namespace(), name: name.parse().unwrap() }
}

fn routes(snapshot: &Snapshot) -> Vec<String> {
    snapshot.resources.tcp_routes.keys().map(|name| name.name.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn watch_publishes_changes() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.apply(route("another", "s"));
    harness.until("a new route", |snapshot| routes(snapshot) == ["another", "r"]).await;
    api.apply(route("another", "t"));
    let leads_to = |snapshot: &Snapshot, service: &str| {
        let route = &snapshot.resources.tcp_routes[&name("another")];
        route.spec.rules[0].backend_refs[0].name.as_str() == service
    };
    harness.until("its change", |snapshot| leads_to(snapshot, "t")).await;
    api.delete("tcproutes/default/another");
    harness.until("its end", |snapshot| routes(snapshot) == ["r"]).await;
}

/// The deletion comes before the bookmark that ends the list.
#[tokio::test(start_paused = true)]
async fn object_deleted_during_a_list_is_not_in_the_snapshot() {
    let api = Api::with(usual());
    api.apply(route("gone", "s"));
    api.delete_during_lists("tcproutes/default/gone");
    let harness = Harness::settled(&api).await;
    assert!(harness.all().iter().all(|snapshot| routes(snapshot) == ["r"]));
    api.expire("tcproutes");
    api.apply(route("new", "s"));
    harness.until("another list", |snapshot| routes(snapshot) == ["new", "r"]).await;
}

/// What is not read from an object makes no difference.
#[tokio::test(start_paused = true)]
async fn watch_ignores_status_changes() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let published = harness.published();
    for _ in 0..3 {
        api.set_status("tcproutes/default/r", json!({ "parents": [] }));
        harness.settle().await;
    }
    assert_eq!(harness.published(), published);
}

#[tokio::test(start_paused = true)]
async fn watch_is_resumed_without_loss() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let lists = api.read(|state| state.count("list", "tcproutes"));
    api.spoil("watch", "tcproutes", Effect::Hold);
    api.close("tcproutes");
    api.apply(route("another", "s"));
    harness
        .asked("the watch is asked for again", |state| {
            !state.streams.contains(&"tcproutes/".to_owned())
        })
        .await;
    api.heal();
    harness.until("the new route", |snapshot| routes(snapshot) == ["another", "r"]).await;
    assert_eq!(api.read(|state| state.count("list", "tcproutes")), lists);
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

/// What the server has forgotten is listed anew: what was deleted meanwhile goes, and at no moment
/// does it look as if more had gone.
#[tokio::test(start_paused = true)]
async fn watch_that_is_expired_lists_again() {
    for minor in ["37", "33"] {
        let api = Api::with(usual());
        api.minor(minor);
        let others: Vec<_> = (0..50).map(|number| format!("route-{number:02}")).collect();
        api.create_all(others.iter().map(|other| route(other, "s")));
        let harness = Harness::settled(&api).await;
        let before = harness.published();
        api.spoil("watch,list", "tcproutes", Effect::Hold);
        api.close("tcproutes");
        harness
            .asked("the watch is asked for again", |state| {
                !state.streams.contains(&"tcproutes/".to_owned())
            })
            .await;
        api.delete("tcproutes/default/route-00");
        api.apply(route("new", "s"));
        api.expire("tcproutes");
        api.heal();
        harness.until("what is new", |snapshot| routes(snapshot).contains(&"new".to_owned())).await;
        harness.settle().await;
        let after = harness.all().split_off(before);
        assert_eq!(after.len(), 1, "one step from what was to what is");
        assert_eq!(routes(&after[0]).len(), 51);
        assert!(!routes(&after[0]).contains(&"route-00".to_owned()));
        assert_eq!(harness.warnings(""), 0, "nothing that a person should mend: {}", harness.log());
    }
}

/// The server says so at once, or within the stream.
#[tokio::test(start_paused = true)]
async fn watch_expiry_without_changes_publishes_nothing() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let published = harness.published();
    api.apply(namespace("another"));
    harness.settle().await;
    assert_eq!(harness.published(), published + 1);
    api.spoil_times(1, "watch", "services", Effect::Refuse(410));
    api.expire("services");
    api.expire("gateways");
    harness.settle().await;
    assert_eq!(harness.published(), published + 1);
    assert_eq!(harness.latest().problems, [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn invalid_object_is_reported_and_stalls_nothing() {
    let broken = || with("/spec/rules", json!("none"), route("broken", "s"));
    let api = Api::with(usual());
    api.loosen("tcproutes");
    api.apply(broken());
    let harness = Harness::settled(&api).await;
    assert_eq!(routes(&harness.latest()), ["r"]);
    let problems = harness.latest().problems.clone();
    assert_eq!(problems.len(), 1);
    let says = "TCPRoute default/broken: field `spec.rules` is invalid: ";
    assert!(problems[0].starts_with(says), "{problems:?}");
    assert!(problems[0].contains("expected a sequence"), "{problems:?}");

    api.apply(namespace("another"));
    harness.until("the others go on", |snapshot| snapshot.resources.namespaces.len() == 2).await;
    api.apply(route("another", "s"));
    harness.until("its own kind too", |snapshot| routes(snapshot) == ["another", "r"]).await;
    api.apply(route("broken", "s"));
    let mended = |snapshot: &Snapshot| routes(snapshot) == ["another", "broken", "r"];
    assert_eq!(harness.until("it is mended", mended).await.problems, [] as [&str; 0]);

    api.apply(broken());
    let reported = |snapshot: &Snapshot| !snapshot.problems.is_empty();
    let snapshot = harness.until("it breaks again", reported).await;
    assert_eq!(routes(&snapshot), ["another", "broken", "r"], "the last good version stays");
    assert!(snapshot.problems[0].contains("; the last valid version stays in use"));
    api.delete("tcproutes/default/broken");
    let snapshot = harness.until("it is gone", |snapshot| snapshot.problems.is_empty()).await;
    assert_eq!(routes(&snapshot), ["another", "r"]);
}

/// Those that cannot be kept from being there.
#[tokio::test(start_paused = true)]
async fn invalid_objects_of_any_form_stall_nothing() {
    let api = Api::with(usual());
    api.loosen("tcproutes");
    let odd = [json!(null), json!([]), json!("spec"), json!({ "parentRefs": 7 })];
    for (number, spec) in odd.into_iter().enumerate() {
        api.apply(with("/spec", spec, route(&format!("odd-{number}"), "s")));
    }
    let harness = Harness::settled(&api).await;
    assert!(routes(&harness.latest()).contains(&"r".to_owned()));
    assert!(!harness.latest().problems.is_empty());
}
