//! A source that watches only some namespaces.

use std::time::Duration;

use serde_json::json;
use sluicegate::sources::Snapshot;
use tokio::time::{Instant, sleep};

use crate::api::{Api, Effect, Request};
use crate::harness::Harness;
use crate::objects::{THEIRS, class, gateway, namespace, route, service, usual, within};

fn cluster() -> Api {
    let mut objects = usual();
    for name in ["a", "b", "elsewhere"] {
        objects.push(namespace(name));
        objects.push(within(name, route("r", "s")));
        objects.push(within(name, service("s")));
    }
    objects.push(within("elsewhere", gateway("g", 7000)));
    objects.push(class("theirs", THEIRS));
    Api::with(objects)
}

fn start(api: &Api) -> Harness {
    let names = ["default", "a"].map(|name| name.parse().unwrap());
    Harness::with(api, crate::objects::OURS, |source| source.namespaces(names))
}

#[tokio::test(start_paused = true)]
async fn namespaces_limit_requests_and_snapshots() {
    let api = cluster();
    let harness = start(&api);
    harness.settle().await;
    let of_cluster = ["gatewayclasses", "namespaces"];
    for request in api.requests() {
        let is_object = !request.plural.is_empty() && request.plural != "customresourcedefinitions";
        if is_object && !of_cluster.contains(&request.plural.as_str()) {
            let namespace = request.namespace.as_deref();
            assert!(matches!(namespace, Some("default" | "a")), "{}", request.path);
        }
    }
    let resources = &harness.latest().resources;
    let found: Vec<_> = resources.tcp_routes.keys().map(ToString::to_string).collect();
    assert_eq!(found, ["a/r", "default/r"]);
    assert_eq!(resources.gateways.len(), 1);
    assert_eq!(resources.services.len(), 2);
}

/// A list of one namespace says nothing of the others.
#[tokio::test(start_paused = true)]
async fn namespaces_are_watched_separately() {
    let api = cluster();
    api.spoil("list,watch", "referencegrants", Effect::Hold);
    let harness = start(&api);
    harness.settle().await;
    assert!(!harness.is_published());
    api.heal();
    harness.settle().await;
    let published = harness.published();
    api.expire("tcproutes");
    harness.settle().await;
    assert_eq!(harness.published(), published);
    api.delete("tcproutes/a/r");
    harness.until("it is gone", |snapshot| snapshot.resources.tcp_routes.len() == 1).await;
}

fn routes(snapshot: &Snapshot) -> Vec<String> {
    snapshot.resources.tcp_routes.keys().map(ToString::to_string).collect()
}

fn has_both(snapshot: &Snapshot) -> bool {
    routes(snapshot) == ["a/r", "default/r"]
}

/// A time that is longer than the wait for permissions.
const SOON: Duration = Duration::from_secs(20);

/// A Role is deleted with its namespace.
#[tokio::test(start_paused = true)]
async fn namespace_missing_at_the_start_delays_nothing() {
    let api = cluster();
    api.delete("namespaces/a");
    api.spoil_in("a", "*", Effect::Refuse(403));
    let started = Instant::now();
    let harness = start(&api);
    let first = harness.until("the other namespace", |_| true).await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(routes(&first), ["default/r"]);
    let says = "these watched namespaces do not exist: a; ";
    assert!(first.problems.len() == 1 && first.problems[0].starts_with(says), "{first:?}");
    harness.settle().await;
    let asked =
        api.requests().iter().filter(|request| request.namespace.as_deref() == Some("a")).count();
    assert_eq!(asked, 0, "there is no request in a namespace that does not exist");

    api.heal();
    api.apply(namespace("a"));
    api.apply(within("a", route("r", "s")));
    let snapshot = harness.until("the namespace", has_both).await;
    assert_eq!(snapshot.problems, [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn namespace_deleted_at_run_time_delays_nothing() {
    let api = cluster();
    let harness = start(&api);
    harness.until("everything", has_both).await;
    api.spoil_in("a", "*", Effect::Refuse(403));
    for plural in ["tcproutes", "services", "gateways", "endpointslices", "referencegrants"] {
        api.close(plural);
    }
    // This process does not observe the deletion of the objects: it has no permission any more.
    api.delete("namespaces/a");
    harness.until("its route is gone", |snapshot| routes(snapshot) == ["default/r"]).await;
    api.forget();
    harness.settle().await;
    let problems = harness.latest().problems.clone();
    assert!(problems.len() == 1 && problems[0].contains("do not exist: a;"), "{problems:?}");
    let is_within = |request: &&Request| request.namespace.as_deref() == Some("a");
    assert_eq!(api.requests().iter().filter(is_within).count(), 0);

    api.apply(route("another", "s"));
    let expected = ["default/another", "default/r"];
    harness
        .until("the other namespace is still followed", |snapshot| routes(snapshot) == expected)
        .await;
    api.heal();
    api.apply(namespace("a"));
    api.apply(within("a", route("r", "s")));
    let expected = ["a/r", "default/another", "default/r"];
    harness.until("the namespace exists again", |snapshot| routes(snapshot) == expected).await;
}

#[tokio::test(start_paused = true)]
async fn namespace_terminating_delays_nothing() {
    let api = cluster();
    api.spoil_in("a", "*", Effect::Refuse(403));
    api.edit("namespaces/a", |namespace| {
        namespace["metadata"]["finalizers"] = json!(["example.com/hold"]);
    });
    api.delete("namespaces/a");
    let started = Instant::now();
    let harness = start(&api);
    harness.until("the other namespace", |snapshot| routes(snapshot) == ["default/r"]).await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn namespace_without_permission_delays_the_others_for_seconds_only() {
    let api = cluster();
    api.spoil_in("a", "*", Effect::Refuse(403));
    let started = Instant::now();
    let harness = start(&api);
    let first = harness.until("the other namespace", |_| true).await;
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert_eq!(routes(&first), ["default/r"]);
    let says = "cannot watch TCPRoute objects in namespace a: tcproutes is forbidden";
    assert!(first.problems.iter().any(|problem| problem.starts_with(says)), "{first:?}");
    harness.settle().await;
    let published = harness.published();
    harness.settle().await;
    assert_eq!(harness.published(), published, "it is reported once");
    api.heal();
    let is_complete = |snapshot: &Snapshot| has_both(snapshot) && snapshot.problems.is_empty();
    harness.until("permission is granted", is_complete).await;
}

/// A Role that is created a moment later than the pod.
#[tokio::test(start_paused = true)]
async fn namespace_with_late_permission_is_in_the_first_snapshot() {
    let api = cluster();
    api.spoil_in("a", "*", Effect::Refuse(403));
    let harness = start(&api);
    sleep(Duration::from_secs(3)).await;
    assert!(!harness.is_published());
    api.heal();
    assert!(has_both(&*harness.until("everything", |_| true).await));
}

/// Other errors are temporary, so the source waits for the namespace.
#[tokio::test(start_paused = true)]
async fn namespace_with_another_error_is_waited_for() {
    for effect in [Effect::Refuse(500), Effect::Break, Effect::Lose] {
        let api = cluster();
        api.spoil_in("a", "*", effect);
        let harness = start(&api);
        harness.settle().await;
        assert!(!harness.is_published(), "{effect:?}");
        api.heal();
        assert!(has_both(&*harness.until("everything", |_| true).await));
    }
}

/// The finalizer was set when all namespaces were watched.
#[tokio::test(start_paused = true)]
async fn namespaces_do_not_prevent_the_deletion_of_an_unused_class() {
    const CLASS: &str = "gatewayclasses/c";
    let finalizer = "gateway-exists-finalizer.gateway.networking.k8s.io";
    let api = cluster();
    api.set_finalizers(CLASS, json!([finalizer]));
    let harness = start(&api);
    harness.settle().await;
    api.delete("gateways/default/g");
    harness.settle().await;
    assert_eq!(api.get(CLASS)["metadata"]["finalizers"], json!([finalizer]));

    api.apply(gateway("g", 5000));
    api.delete(CLASS);
    harness.settle().await;
    assert_eq!(api.get(CLASS)["metadata"]["finalizers"], json!([finalizer]), "it is used");
    api.delete("gateways/default/g");
    api.until("the class is deleted", |state| state.store.get(CLASS).is_none()).await;
}
