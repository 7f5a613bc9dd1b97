//! Services that are reached at ports of the nodes.

use serde_json::json;
use sluicegate::model::ServiceType;

use super::{SERVICE, api, node_port, of_type, ports, says, written};
use crate::api::{Api, Effect};
use crate::objects::{gateway, service};
use crate::stage::Stage;

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

async fn settled(api: &Api) -> Stage {
    let stage = Stage::behind_services(api, of_type(ServiceType::NodePort));
    stage.settle().await;
    stage
}

/// Somebody has the port on the nodes.
fn take(api: &Api, port: u16) {
    let mut theirs = service("theirs");
    theirs["spec"]["type"] = json!("NodePort");
    theirs["spec"]["ports"][0]["nodePort"] = json!(port);
    api.apply(theirs);
}

#[tokio::test(start_paused = true)]
async fn a_port_that_nodes_can_have_is_asked_for() {
    let api = api_with_node();
    api.apply(gateway("g", 30_500));
    let _stage = settled(&api).await;
    assert_eq!(node_port(&api.get(SERVICE)), 30_500);
    assert_eq!(says(&api, "g", "Programmed")["status"], "True");
    assert_eq!(api.get(GATEWAY)["status"]["addresses"][0]["value"], "192.0.2.50");
}

#[tokio::test(start_paused = true)]
async fn for_others_any_will_do_and_is_told() {
    let api = api_with_node();
    let _stage = settled(&api).await;
    let node_port = node_port(&api.get(SERVICE));
    assert!((30_000..=32_767).contains(&node_port));
    let message = says(&api, "g", "Programmed")["message"].clone();
    let says = format!("Port 5000 is reached at {node_port}.");
    assert!(message.as_str().unwrap().contains(&says), "{message}");
}

#[tokio::test(start_paused = true)]
async fn where_somebody_has_it_any_other_will_do() {
    let api = api_with_node();
    take(&api, 30_500);
    api.apply(gateway("g", 30_500));
    let stage = settled(&api).await;
    let service = api.get(SERVICE);
    assert_eq!(ports(&service)[0].0, 30_500);
    assert_ne!(node_port(&service), 30_500);
    assert_eq!(api.read(|state| state.count("create", "services")), 2, "{:?}", written(&api));
    assert_eq!(stage.warnings(""), 0, "{}", stage.log());
    assert_eq!(says(&api, "g", "Programmed")["status"], "True");

    // What it has it keeps.
    api.delete("services/default/theirs");
    api.forget();
    stage.settle().await;
    assert_eq!(written(&api), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_comes_later_is_treated_alike() {
    let api = api_with_node();
    let stage = settled(&api).await;
    take(&api, 30_500);
    api.apply(gateway("g", 30_500));
    api.until_object(SERVICE, |service| ports(service)[0].0 == 30_500).await;
    stage.settle().await;
    assert_ne!(node_port(&api.get(SERVICE)), 30_500);
    assert_eq!(stage.warnings(""), 0, "{}", stage.log());
}

/// A refusal that has another cause is said, and is not met by asking for less.
#[tokio::test(start_paused = true)]
async fn another_refusal_is_complained_of() {
    let api = api();
    api.spoil("create", "services", Effect::Refuse(422));
    let stage = super::settled(&api).await;
    assert_eq!(stage.warnings("cannot create Service objects: "), 1, "{}", stage.log());
    let tries = api.read(|state| state.count("create", "services"));
    assert!((2..40).contains(&tries), "{tries} in a quarter of an hour");
    api.heal();
    api.until_object(SERVICE, |service| !ports(service).is_empty()).await;
}
