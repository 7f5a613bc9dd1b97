//! Services of type NodePort.

use serde_json::json;
use sluicegate::model::ServiceType;

use super::{SERVICE, api, node_port, of_type, ports, says, written};
use crate::api::{Api, Effect};
use crate::harness::Harness;
use crate::objects::{gateway, service};

const GATEWAY: &str = "gateways/default/g";

fn api_with_node() -> Api {
    let api = api();
    api.apply(json!({
        "kind": "Node",
        "metadata": { "name": "node" },
        "status": {
            "addresses": [{ "type": "InternalIP", "address": "192.0.2.50" }],
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    }));
    api
}

async fn settled(api: &Api) -> Harness {
    let harness = Harness::behind_services(api, of_type(ServiceType::NodePort));
    harness.settle().await;
    harness
}

/// Somebody has the port on the nodes.
fn take(api: &Api, port: u16) {
    let mut theirs = service("theirs");
    theirs["spec"]["type"] = json!("NodePort");
    theirs["spec"]["ports"][0]["nodePort"] = json!(port);
    api.apply(theirs);
}

#[tokio::test(start_paused = true)]
async fn node_port_is_requested_if_in_range() {
    let api = api_with_node();
    api.apply(gateway("g", 30_500));
    let _harness = settled(&api).await;
    assert_eq!(node_port(&api.get(SERVICE)), 30_500);
    assert_eq!(says(&api, "g", "Programmed")["status"], "True");
    assert_eq!(api.get(GATEWAY)["status"]["addresses"][0]["value"], "192.0.2.50");
}

#[tokio::test(start_paused = true)]
async fn node_port_out_of_range_is_assigned_and_reported() {
    let api = api_with_node();
    let _harness = settled(&api).await;
    let node_port = node_port(&api.get(SERVICE));
    assert!((30_000..=32_767).contains(&node_port));
    let message = says(&api, "g", "Programmed")["message"].to_string();
    assert!(message.contains("5000") && message.contains(&node_port.to_string()), "{message}");
}

#[tokio::test(start_paused = true)]
async fn node_port_in_use_is_replaced() {
    let api = api_with_node();
    take(&api, 30_500);
    api.apply(gateway("g", 30_500));
    let harness = settled(&api).await;
    let service = api.get(SERVICE);
    assert_eq!(ports(&service)[0].0, 30_500);
    assert_ne!(node_port(&service), 30_500);
    assert_eq!(api.read(|state| state.count("create", "services")), 2, "{:?}", written(&api));
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
    assert_eq!(says(&api, "g", "Programmed")["status"], "True");

    // What it has it keeps.
    api.delete("services/default/theirs");
    api.forget();
    harness.settle().await;
    assert_eq!(written(&api), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn node_port_in_use_is_replaced_for_a_later_listener() {
    let api = api_with_node();
    let harness = settled(&api).await;
    take(&api, 30_500);
    api.apply(gateway("g", 30_500));
    api.until_object(SERVICE, |service| ports(service)[0].0 == 30_500).await;
    harness.settle().await;
    assert_ne!(node_port(&api.get(SERVICE)), 30_500);
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

/// A refusal that has another cause is said, and is not met by asking for less.
#[tokio::test(start_paused = true)]
async fn node_port_fallback_ignores_other_rejections() {
    let api = api();
    api.spoil("create", "services", Effect::Refuse(422));
    let harness = super::settled(&api).await;
    assert_eq!(harness.warnings("cannot create Service objects: "), 1, "{}", harness.log());
    let tries = api.read(|state| state.count("create", "services"));
    assert!((2..40).contains(&tries), "{tries} in a quarter of an hour");
    api.heal();
    api.until_object(SERVICE, |service| !ports(service).is_empty()).await;
}
