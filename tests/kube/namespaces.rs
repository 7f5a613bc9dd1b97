//! Only some namespaces are watched.

use crate::api::{Api, Effect};
use crate::objects::{THEIRS, class, gateway, namespace, route, service, usual, within};
use crate::stage::Stage;

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

fn stage(api: &Api) -> Stage {
    let names = ["default", "a"].map(|name| name.parse().unwrap());
    Stage::with(api, crate::objects::OURS, |source| source.namespaces(names))
}

#[tokio::test(start_paused = true)]
async fn nothing_outside_of_them_is_asked_for_or_published() {
    let api = cluster();
    let stage = stage(&api);
    stage.settle().await;
    let of_cluster = ["gatewayclasses", "namespaces"];
    for request in api.requests() {
        let is_object = !request.plural.is_empty() && request.plural != "customresourcedefinitions";
        if is_object && !of_cluster.contains(&request.plural.as_str()) {
            let namespace = request.namespace.as_deref();
            assert!(matches!(namespace, Some("default" | "a")), "{}", request.path);
        }
    }
    let resources = &stage.latest().resources;
    let found: Vec<_> = resources.tcp_routes.keys().map(ToString::to_string).collect();
    assert_eq!(found, ["a/r", "default/r"]);
    assert_eq!(resources.gateways.len(), 1);
    assert_eq!(resources.services.len(), 2);
}

/// A list of one namespace says nothing of the others.
#[tokio::test(start_paused = true)]
async fn each_is_followed_for_itself() {
    let api = cluster();
    api.spoil("list,watch", "referencegrants", Effect::Hold);
    let stage = stage(&api);
    stage.settle().await;
    assert!(!stage.is_published());
    api.heal();
    stage.settle().await;
    let published = stage.published();
    api.expire("tcproutes");
    stage.settle().await;
    assert_eq!(stage.published(), published);
    api.delete("tcproutes/a/r");
    stage.until("it is gone", |snapshot| snapshot.resources.tcp_routes.len() == 1).await;
}
