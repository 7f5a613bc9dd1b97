//! The addresses that Gateways request for their Services.

use serde_json::{Value, json};
use sluicegate::model::ServiceType;

use super::{SERVICE, api, of_type, says, written};
use crate::api::Api;
use crate::harness::Harness;
use crate::objects::gateway;

fn request(api: &Api, addresses: &[&str]) {
    let mut gateway = gateway("g", 5000);
    let addresses = addresses.iter().map(|ip| json!({ "type": "IPAddress", "value": ip }));
    gateway["spec"]["addresses"] = addresses.collect();
    api.apply(gateway);
}

/// The field of the Service with a requested address.
fn requested(api: &Api, field: &str) -> Value {
    api.get(SERVICE)["spec"][field].clone()
}

#[tokio::test(start_paused = true)]
async fn special_address_is_not_requested_from_the_cluster() {
    for (service_type, field) in
        [(ServiceType::LoadBalancer, "loadBalancerIP"), (ServiceType::ClusterIP, "clusterIP")]
    {
        for addresses in [&["169.254.169.254"][..], &["127.0.0.1", "10.96.77.9"]] {
            let api = api();
            request(&api, addresses);
            let harness = Harness::behind_services(&api, of_type(service_type));
            harness.settle().await;
            assert_eq!(written(&api), [format!("create {SERVICE}")]);
            let ip = requested(&api, field);
            let is_requested = addresses.iter().any(|address| ip == *address);
            assert!(!is_requested, "{service_type:?}: {ip}");
            let programmed = says(&api, "g", "Programmed");
            assert_eq!(programmed["reason"], "AddressNotUsable", "{programmed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn request_is_withdrawn_when_the_address_is_special() {
    let api = api();
    request(&api, &["192.0.2.9"]);
    let harness = Harness::behind_services(&api, of_type(ServiceType::LoadBalancer));
    harness.settle().await;
    assert_eq!(requested(&api, "loadBalancerIP"), "192.0.2.9");
    request(&api, &["169.254.169.254"]);
    harness.settle().await;
    assert_eq!(requested(&api, "loadBalancerIP"), Value::Null);
    request(&api, &["192.0.2.8"]);
    harness.settle().await;
    assert_eq!(requested(&api, "loadBalancerIP"), "192.0.2.8");
}

#[tokio::test(start_paused = true)]
async fn cluster_ip_is_requested_at_creation() {
    let api = api();
    request(&api, &["10.96.77.9"]);
    let harness = Harness::behind_services(&api, of_type(ServiceType::ClusterIP));
    harness.settle().await;
    assert_eq!(requested(&api, "clusterIP"), "10.96.77.9");
}
