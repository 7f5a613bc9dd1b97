//! Services and EndpointSlices that no route refers to.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sluicegate::model::{NamespacedName, default_namespace};
use sluicegate::sources::{ServiceTemplate, Snapshot};

use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{namespace, route, service, slice, usual, with, within};

fn endpoint(host: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host], 9000))
}

fn name(name: &str) -> NamespacedName {
    NamespacedName { namespace: default_namespace(), name: name.parse().unwrap() }
}

fn services(snapshot: &Snapshot) -> Vec<String> {
    snapshot.resources.services.keys().map(|name| name.name.to_string()).collect()
}

fn slices(snapshot: &Snapshot) -> Vec<String> {
    snapshot.resources.endpoint_slices.keys().map(|name| name.name.to_string()).collect()
}

/// The first address of a slice.
fn address(snapshot: &Snapshot, slice: &str) -> String {
    let slice = &snapshot.resources.endpoint_slices[&name(slice)];
    slice.endpoints[0].addresses[0].to_string()
}

#[tokio::test(start_paused = true)]
async fn unrelated_churn_publishes_nothing() {
    let api = Api::with(usual());
    for number in 0..20 {
        api.apply(service(&format!("other-{number}")));
        api.apply(slice(&format!("other-{number}"), endpoint(1)));
    }
    let harness = Harness::settled(&api).await;
    assert_eq!(services(&harness.latest()), ["s"]);
    assert_eq!(slices(&harness.latest()), ["s"]);
    let published = harness.published();
    for number in 0..20 {
        let other = format!("other-{number}");
        api.apply(slice(&other, endpoint(2)));
        api.apply(with("/spec/ports/0/port", json!(2), service(&other)));
        api.apply(service(&format!("new-{number}")));
        harness.settle().await;
        api.delete(&format!("services/default/{other}"));
        api.delete(&format!("endpointslices/default/{other}"));
    }
    api.expire("services");
    api.expire("endpointslices");
    harness.settle().await;
    assert_eq!(harness.published(), published);

    api.apply(slice("s", endpoint(2)));
    let changed = |snapshot: &Snapshot| address(snapshot, "s") == "192.0.2.2";
    harness.until("the endpoints of the route", changed).await;
    assert_eq!(harness.published(), published + 1);
}

/// A label, an annotation or the cluster IP of a backend makes no difference to connections.
#[tokio::test(start_paused = true)]
async fn fields_without_effect_publish_nothing() {
    let api = Api::with(usual());
    api.edit("services/default/s", |service| {
        service["spec"]["type"] = json!("NodePort");
        service["spec"]["ports"][0]["nodePort"] = json!(30_001);
    });
    let harness = Harness::settled(&api).await;
    let published = harness.published();
    for object in [
        "gatewayclasses/c",
        "gateways/default/g",
        "tcproutes/default/r",
        "services/default/s",
        "endpointslices/default/s",
        "namespaces/default",
    ] {
        api.edit(object, |object| {
            object["metadata"]["annotations"] = json!({ "note": "text" });
        });
    }
    api.edit("services/default/s", |service| {
        service["metadata"]["labels"] = json!({ "app": "db" });
        service["spec"]["clusterIP"] = json!("10.96.0.7");
        service["spec"]["ports"][0]["nodePort"] = json!(30_000);
    });
    harness.settle().await;
    assert_eq!(harness.published(), published);
}

#[tokio::test(start_paused = true)]
async fn new_route_gets_the_endpoints_of_its_service_at_once() {
    let api = Api::with(usual());
    api.apply(service("t"));
    api.apply(slice("t", endpoint(1)));
    let harness = Harness::settled(&api).await;
    let published = harness.published();
    api.apply(slice("t", endpoint(2)));
    api.apply(with("/metadata/name", json!("t-2"), slice("t", endpoint(3))));
    harness.settle().await;
    api.forget();

    api.apply(route("another", "t"));
    let has_route =
        |snapshot: &Snapshot| snapshot.resources.tcp_routes.contains_key(&name("another"));
    let snapshot = harness.until("the route", has_route).await;
    assert_eq!(harness.published(), published + 1, "the route and its backend come together");
    assert_eq!(services(&snapshot), ["s", "t"]);
    assert_eq!(slices(&snapshot), ["s", "t", "t-2"]);
    assert_eq!((address(&snapshot, "t"), address(&snapshot, "t-2")), ips(2, 3));
    let reads = api.requests().into_iter().filter(|request| request.plural.starts_with("serv"));
    assert_eq!(reads.filter(|request| request.verb == "get").count(), 0);

    api.apply(slice("t", endpoint(4)));
    harness.until("its changes", |snapshot| address(snapshot, "t") == "192.0.2.4").await;
}

fn ips(one: u8, other: u8) -> (String, String) {
    (endpoint(one).ip().to_string(), endpoint(other).ip().to_string())
}

#[tokio::test(start_paused = true)]
async fn service_is_left_out_after_its_last_route() {
    let api = Api::with(usual());
    api.apply(service("t"));
    api.apply(slice("t", endpoint(1)));
    api.apply(route("one", "t"));
    api.apply(route("two", "t"));
    let harness = Harness::settled(&api).await;
    assert_eq!(services(&harness.latest()), ["s", "t"]);
    api.apply(route("one", "s"));
    harness.settle().await;
    assert_eq!(services(&harness.latest()), ["s", "t"], "one route is left");
    api.delete("tcproutes/default/two");
    harness.until("no route", |snapshot| services(snapshot) == ["s"]).await;
    assert_eq!(slices(&harness.latest()), ["s"]);
    api.apply(route("one", "t"));
    harness.until("a route again", |snapshot| slices(snapshot) == ["s", "t"]).await;
}

#[tokio::test(start_paused = true)]
async fn endpoint_slice_that_moves_to_another_service_is_followed() {
    let api = Api::with(usual());
    api.apply(service("t"));
    let harness = Harness::settled(&api).await;
    let moved = |to: &str| with("/metadata/name", json!("s"), slice(to, endpoint(1)));
    api.apply(moved("t"));
    harness.until("it has moved", |snapshot| slices(snapshot).is_empty()).await;
    api.apply(route("another", "t"));
    harness.until("the new service", |snapshot| slices(snapshot) == ["s"]).await;
    api.delete("tcproutes/default/another");
    harness.until("no route", |snapshot| slices(snapshot).is_empty()).await;
    api.apply(moved("s"));
    harness.until("the slice has moved back", |snapshot| slices(snapshot) == ["s"]).await;
    api.edit("endpointslices/default/s", |slice| slice["metadata"]["labels"] = json!({}));
    harness.until("no service", |snapshot| slices(snapshot).is_empty()).await;
}

/// Anyone can set the label of managed Services in a namespace of their own.
#[tokio::test(start_paused = true)]
async fn label_of_managed_services_counts_only_in_their_namespace() {
    let managed = |mut service: Value| {
        service["metadata"]["labels"] = json!({ "app.kubernetes.io/managed-by": "sluicegate" });
        service
    };
    for has_services in [false, true] {
        let api = Api::with(usual());
        api.apply(namespace("system"));
        api.apply(managed(service("other")));
        api.apply(slice("other", endpoint(1)));
        let harness = Harness::reached_through_services(&api, |source| match has_services {
            true => {
                let selector = [("app".to_owned(), "gate".to_owned())].into();
                source.services(ServiceTemplate::new("system".parse().unwrap(), selector))
            }
            false => source,
        });
        harness.settle().await;
        let published = harness.published();
        for host in 2..20 {
            api.apply(slice("other", endpoint(host)));
            harness.settle().await;
        }
        assert_eq!(harness.published(), published, "{has_services}");
        let names = services(&harness.latest());
        assert!(!names.contains(&"other".to_owned()), "{names:?}");

        api.apply(route("another", "other"));
        let has_slice = |snapshot: &Snapshot| slices(snapshot).contains(&"other".to_owned());
        harness.until("the endpoints of the route", has_slice).await;
        api.apply(within("system", managed(service("system"))));
        if has_services {
            let has_managed =
                |snapshot: &Snapshot| services(snapshot).contains(&"system".to_owned());
            harness.until("the Service of the namespace", has_managed).await;
        }
    }
}

/// The last valid version of a Service is kept even if no route refers to it yet.
#[tokio::test(start_paused = true)]
async fn invalid_service_is_reported_once_a_route_refers_to_it() {
    let broken = |name: &str| with("/spec/ports", json!("none"), service(name));
    let api = Api::with(usual());
    api.loosen("services");
    api.apply(service("kept"));
    api.apply(broken("new"));
    let harness = Harness::settled(&api).await;
    let published = harness.published();
    api.apply(broken("kept"));
    harness.settle().await;
    assert_eq!(harness.published(), published);
    assert_eq!(harness.latest().problems, [] as [&str; 0]);

    api.apply(route("to-kept", "kept"));
    api.apply(route("to-new", "new"));
    let reported = |snapshot: &Snapshot| snapshot.problems.len() == 2;
    let snapshot = harness.until("both problems", reported).await;
    assert_eq!(services(&snapshot), ["kept", "s"]);
    let problem = |of: &str| snapshot.problems.iter().find(|text| text.contains(of)).unwrap();
    assert!(problem("default/kept: ").contains("the last valid version stays in use"));
    assert!(problem("default/new: ").contains("it is ignored"));

    api.delete("services/default/kept");
    api.apply(broken("kept"));
    let recreated = |snapshot: &Snapshot| services(snapshot) == ["s"];
    let snapshot = harness.until("another object of the name", recreated).await;
    assert_eq!(snapshot.problems.len(), 2);
    api.apply(service("kept"));
    api.apply(service("new"));
    let valid = |snapshot: &Snapshot| services(snapshot) == ["kept", "new", "s"];
    assert_eq!(harness.until("valid", valid).await.problems, [] as [&str; 0]);
}

/// Changes that arrive before the gateway is ready for a snapshot are coalesced.
#[tokio::test(start_paused = true)]
async fn burst_of_changes_is_one_snapshot() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let published = harness.published();
    for number in 0..300_u16 {
        api.apply(slice("s", SocketAddr::from(([192, 0, 2, 1], 1 + number))));
    }
    let port = |snapshot: &Snapshot| {
        let slice: Value = json!(snapshot.resources.endpoint_slices[&name("s")].ports[0].port);
        slice.as_u64()
    };
    harness.until("the last one", |snapshot| port(snapshot) == Some(300)).await;
    assert_eq!(harness.published(), published + 1);
}
