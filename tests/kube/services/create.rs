//! Creation of the Service of a Gateway.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::model::ServiceType;
use tokio::time::sleep;

use super::{SERVICE, api, balance, of_type, ports, says, settled, template, written};
use crate::harness::Harness;
use crate::objects::{OURS, gateway, listener, namespace, with};

const GATEWAY: &str = "gateways/default/g";

#[tokio::test(start_paused = true)]
async fn service_is_created_in_the_namespace_of_the_replicas() {
    let api = api();
    let mut gateway = gateway("g", 5000);
    gateway["spec"]["infrastructure"] =
        json!({ "labels": { "team": "db" }, "annotations": { "theirs": "y" } });
    api.apply(gateway);
    let annotations = [("ours".to_owned(), "x".to_owned())].into();
    let harness = Harness::behind_services(&api, template().with_annotations(annotations));
    harness.settle().await;

    let service = api.get(SERVICE);
    let metadata = &service["metadata"];
    let labels = json!({
        "app.kubernetes.io/managed-by": "sluicegate",
        "gateway.networking.k8s.io/gateway-name": "g",
        "gateway.networking.k8s.io/gateway-class-name": "c",
        "sluicegate.dev/gateway-namespace": "default",
        "sluicegate.dev/gateway-uid": api.get(GATEWAY)["metadata"]["uid"],
        "team": "db",
    });
    assert_eq!(metadata["labels"], labels);
    assert_eq!(metadata["annotations"]["sluicegate.dev/gateway"], "default/g");
    assert_eq!(metadata["annotations"]["sluicegate.dev/controller"], OURS);
    assert_eq!(metadata["annotations"]["ours"], "x");
    assert_eq!(metadata["annotations"]["theirs"], "y");
    let spec = &service["spec"];
    assert_eq!(spec["type"], "LoadBalancer");
    assert_eq!(spec["selector"], json!({ "app": "gate" }));
    assert_eq!(spec["ports"][0]["name"], "tcp-5000");
    assert_eq!(spec["ports"][0]["protocol"], "TCP");
    let ports = ports(&service);
    assert!(ports.len() == 1 && ports[0].0 == 5000, "{ports:?}");
    assert!((20_000..30_000).contains(&ports[0].1), "{ports:?}");
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

#[tokio::test(start_paused = true)]
async fn service_is_written_once_and_not_after_a_restart() {
    for service_type in [ServiceType::LoadBalancer, ServiceType::ClusterIP, ServiceType::NodePort] {
        let api = api();
        let harness = Harness::behind_services(&api, of_type(service_type));
        harness.settle().await;
        assert_eq!(written(&api), [format!("create {SERVICE}")]);
        drop(harness);
        api.forget();
        let harness = Harness::behind_services(&api, of_type(service_type));
        harness.settle().await;
        assert!(harness.is_published());
        assert_eq!(api.writes().len(), 0, "{service_type:?}: {:#?}", api.writes());
    }
}

#[tokio::test(start_paused = true)]
async fn service_address_comes_from_the_load_balancer() {
    let api = api();
    let harness = settled(&api).await;
    let programmed = says(&api, "g", "Programmed");
    assert_eq!(programmed["status"], "False");
    assert_eq!(programmed["reason"], "AddressNotAssigned");
    assert_eq!(api.get(GATEWAY)["status"]["addresses"], json!([]));

    balance(&api, SERVICE, "203.0.113.7");
    let is_told =
        |ip: &'static str| move |gateway: &Value| gateway["status"]["addresses"][0]["value"] == ip;
    api.until_object(GATEWAY, is_told("203.0.113.7")).await;
    assert_eq!(says(&api, "g", "Programmed")["status"], "True");
    balance(&api, SERVICE, "203.0.113.8");
    api.until_object(GATEWAY, is_told("203.0.113.8")).await;

    api.set_status(SERVICE, json!({ "loadBalancer": {} }));
    api.until_object(GATEWAY, |gateway| gateway["status"]["addresses"] == json!([])).await;
    assert_eq!(says(&api, "g", "Programmed")["reason"], "AddressNotAssigned");
    harness.settle().await;
    assert_eq!(written(&api).len(), 1, "nothing of the Service is new");
}

#[tokio::test(start_paused = true)]
async fn service_cluster_ip_is_the_address() {
    let api = api();
    let harness = Harness::behind_services(&api, of_type(ServiceType::ClusterIP));
    harness.settle().await;
    let address = api.get(SERVICE)["spec"]["clusterIP"].clone();
    assert_eq!(api.get(GATEWAY)["status"]["addresses"][0]["value"], address);
    assert_eq!(says(&api, "g", "Programmed")["status"], "True");
}

#[tokio::test(start_paused = true)]
async fn pod_ports_stay_when_listeners_change() {
    let api = api();
    let harness = settled(&api).await;
    let before = ports(&api.get(SERVICE));
    api.forget();
    let listeners = json!([listener("k", 4000), listener("l", 5000)]);
    api.apply(with("/spec/listeners", listeners, gateway("g", 5000)));
    harness.settle().await;
    let both = ports(&api.get(SERVICE));
    assert_eq!(both.len(), 2);
    assert!(both.contains(&before[0]), "{both:?} {before:?}");
    assert_eq!(written(&api).len(), 1, "{:?}", written(&api));

    api.apply(gateway("g", 5000));
    harness.settle().await;
    assert_eq!(ports(&api.get(SERVICE)), before);
    assert_eq!(written(&api).len(), 2, "{:?}", written(&api));
}

/// What is refused is not reached; it takes the other listener nothing when it goes.
#[tokio::test(start_paused = true)]
async fn pod_ports_of_other_listeners_stay_when_one_is_rejected() {
    let api = api();
    let mut refused = listener("refused", 4000);
    refused["protocol"] = json!("UDP");
    let accepted = [listener("k", 4001), listener("l", 5000)];
    let of = |listeners: Value| with("/spec/listeners", listeners, gateway("g", 5000));
    api.apply(of(json!([refused, accepted[0], accepted[1]])));
    let harness = settled(&api).await;
    let before = ports(&api.get(SERVICE));
    assert_eq!(before.iter().map(|(port, _)| *port).collect::<Vec<_>>(), [4001, 5000]);
    api.forget();
    // It goes while the gateway looks at what was before.
    harness.slow_down(Duration::from_secs(5));
    api.apply(namespace("another"));
    sleep(Duration::from_secs(2)).await;
    api.apply(of(json!(accepted)));
    harness.settle().await;
    assert_eq!(ports(&api.get(SERVICE)), before);
    assert_eq!(written(&api), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn pod_ports_differ_for_gateways_with_the_same_port() {
    let api = api();
    api.apply(gateway("h", 5000));
    let _harness = settled(&api).await;
    let both = [SERVICE, "services/system/default-h-164a4571"].map(|name| ports(&api.get(name)));
    assert_eq!(both.each_ref().map(|ports| ports[0].0), [5000, 5000]);
    assert_ne!(both[0][0].1, both[1][0].1);
}
