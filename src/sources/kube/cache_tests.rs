//! Tests of the cache: the order of versions, and the objects of the snapshot.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::cache::Cache;
use super::observed::Observed;
use super::raw_object::RawObject;
use super::scope::Scope;
use super::watch::WatchEvent;
use crate::model::{ObjectKey, ObjectKind, PortNumber, default_namespace};

const GATEWAYS: Scope = Scope { kind: ObjectKind::Gateway, namespace: None };
const ROUTES: Scope = Scope { kind: ObjectKind::TcpRoute, namespace: None };
const SERVICES: Scope = Scope { kind: ObjectKind::Service, namespace: None };

fn observed(kind: ObjectKind, object: Value) -> Observed {
    let namespace = default_namespace();
    serde_json::from_value::<RawObject>(object).unwrap().parse(kind, Some(&namespace)).unwrap()
}

/// A Gateway with a listener on this port.
fn gateway(version: u64, port: u16) -> Observed {
    let listener = json!({ "name": "l", "protocol": "TCP", "port": port });
    observed(
        ObjectKind::Gateway,
        json!({
            "metadata": {
                "namespace": "default", "name": "g", "uid": "1",
                "resourceVersion": version.to_string(),
            },
            "spec": { "gatewayClassName": "c", "listeners": [listener] },
        }),
    )
}

fn service(uid: &str, spec: Value) -> Observed {
    let metadata = json!({
        "namespace": "default", "name": "s", "uid": uid, "resourceVersion": "1",
        "labels": { "app": "s" },
    });
    observed(ObjectKind::Service, json!({ "metadata": metadata, "spec": spec }))
}

fn valid() -> Value {
    json!({ "ports": [{ "port": 1 }] })
}

fn route(service: &str) -> Observed {
    let backend = json!({ "name": service, "port": 1 });
    observed(
        ObjectKind::TcpRoute,
        json!({
            "metadata": {
                "namespace": "default", "name": "r", "uid": "1", "resourceVersion": "1",
            },
            "spec": { "rules": [{ "backendRefs": [backend] }] },
        }),
    )
}

fn apply(cache: &mut Cache, scope: &Scope, event: WatchEvent) -> bool {
    cache.apply(scope, event, &mut BTreeSet::new())
}

/// The port of the Gateway's listener.
fn port(cache: &Cache) -> u16 {
    let gateway = &cache.resources().gateways[&"default/g".parse().unwrap()];
    PortNumber::get(gateway.spec.listeners[0].port)
}

fn service_count(cache: &Cache) -> usize {
    cache.resources().services.len()
}

fn problems(cache: &Cache) -> Vec<String> {
    cache.snapshot(std::iter::empty()).problems
}

/// The resource versions of a cluster go back if its etcd is restored.
#[test]
fn list_replaces_newer_versions() {
    let mut cache = Cache::default();
    assert!(apply(&mut cache, &GATEWAYS, WatchEvent::Listed(vec![gateway(900, 1)])));
    assert!(apply(&mut cache, &GATEWAYS, WatchEvent::Applied(gateway(901, 2))));
    assert!(apply(&mut cache, &GATEWAYS, WatchEvent::Listed(vec![gateway(7, 3)])));
    assert_eq!(port(&cache), 3);
    assert!(apply(&mut cache, &GATEWAYS, WatchEvent::Applied(gateway(8, 4))));
    assert_eq!(port(&cache), 4);
}

#[tokio::test(start_paused = true)]
async fn list_does_not_replace_the_response_to_a_recent_write() {
    let mut cache = Cache::default();
    apply(&mut cache, &GATEWAYS, WatchEvent::Listed(vec![gateway(7, 1)]));
    assert!(cache.record_response(gateway(9, 2)));
    assert!(!apply(&mut cache, &GATEWAYS, WatchEvent::Listed(vec![gateway(8, 1)])));
    assert!(!apply(&mut cache, &GATEWAYS, WatchEvent::Applied(gateway(8, 1))));
    assert_eq!(port(&cache), 2);
    assert!(!cache.record_response(gateway(6, 1)), "a response that arrives late");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(apply(&mut cache, &GATEWAYS, WatchEvent::Listed(vec![gateway(5, 3)])));
    assert_eq!(port(&cache), 3);
}

#[test]
fn service_without_references_changes_nothing() {
    let mut cache = Cache::default();
    let mut touched = BTreeSet::new();
    for event in [
        WatchEvent::Listed(vec![service("1", valid())]),
        WatchEvent::Applied(service("1", json!({ "ports": [{ "port": 2 }] }))),
        WatchEvent::Applied(service("1", json!("invalid"))),
        WatchEvent::Deleted(service("1", valid()).key),
        WatchEvent::Applied(service("2", json!("invalid"))),
        WatchEvent::Listed(Vec::new()),
    ] {
        assert!(!cache.apply(&SERVICES, event, &mut touched));
        assert_eq!((service_count(&cache), problems(&cache)), (0, Vec::new()));
    }
    assert_eq!(touched, BTreeSet::<ObjectKey>::new());
}

#[test]
fn last_valid_version_of_a_service_without_references_is_kept() {
    let mut cache = Cache::default();
    apply(&mut cache, &SERVICES, WatchEvent::Listed(vec![service("1", valid())]));
    apply(&mut cache, &SERVICES, WatchEvent::Applied(service("1", json!("invalid"))));
    assert!(apply(&mut cache, &ROUTES, WatchEvent::Applied(route("s"))));
    assert_eq!(service_count(&cache), 1);
    assert!(problems(&cache)[0].contains("the last valid version stays in use"));

    assert!(apply(&mut cache, &SERVICES, WatchEvent::Applied(service("2", json!("invalid")))));
    assert_eq!(service_count(&cache), 0);
    assert!(problems(&cache)[0].contains("it is ignored"));

    assert!(apply(&mut cache, &ROUTES, WatchEvent::Applied(route("another"))));
    assert_eq!(problems(&cache), [] as [&str; 0]);
}

#[test]
fn service_that_a_list_lacks_is_removed() {
    let mut cache = Cache::default();
    apply(&mut cache, &ROUTES, WatchEvent::Applied(route("s")));
    assert!(apply(&mut cache, &SERVICES, WatchEvent::Listed(vec![service("1", valid())])));
    assert!(!apply(&mut cache, &SERVICES, WatchEvent::Listed(vec![service("1", valid())])));
    assert_eq!(service_count(&cache), 1);
    assert!(apply(&mut cache, &SERVICES, WatchEvent::Listed(Vec::new())));
    assert_eq!(service_count(&cache), 0);
}

/// A Service with the label of this program is kept whole, until the label is removed.
#[test]
fn managed_service_is_always_part_of_the_snapshot() {
    let managed = || {
        let metadata = json!({
            "namespace": "default", "name": "s", "uid": "1", "resourceVersion": "1",
            "labels": { "app.kubernetes.io/managed-by": "sluicegate" },
        });
        observed(ObjectKind::Service, json!({ "metadata": metadata, "spec": valid() }))
    };
    let slice = json!({
        "metadata": {
            "namespace": "default", "name": "e", "uid": "1", "resourceVersion": "1",
            "labels": { "kubernetes.io/service-name": "s" },
        },
        "addressType": "IPv4",
    });
    let slice = observed(ObjectKind::EndpointSlice, slice);
    let slices = Scope { kind: ObjectKind::EndpointSlice, namespace: None };
    let mut cache = Cache::default();
    let count = |cache: &Cache| (service_count(cache), cache.resources().endpoint_slices.len());
    assert!(!apply(&mut cache, &slices, WatchEvent::Listed(vec![slice])));
    for _ in 0..2 {
        assert!(apply(&mut cache, &SERVICES, WatchEvent::Applied(managed())));
        assert_eq!((count(&cache), cache.managed().count()), ((1, 1), 1));
        assert!(apply(&mut cache, &SERVICES, WatchEvent::Applied(service("1", valid()))));
        assert_eq!((count(&cache), cache.managed().count()), ((0, 0), 0));
    }
    apply(&mut cache, &SERVICES, WatchEvent::Applied(managed()));
    assert!(apply(&mut cache, &SERVICES, WatchEvent::Deleted(managed().key)));
    assert_eq!(count(&cache), (0, 0));
}
