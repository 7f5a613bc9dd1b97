//! A source that watches only some namespaces.

use crate::api::{Api, Effect};
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
