//! Nodes, and Services of type NodePort.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::model::ServiceType;
use sluicegate::sources::Snapshot;
use tokio::time::sleep;

use super::{SERVICE, api, node_port, of_type, ports, says, template, written};
use crate::api::{Api, Effect};
use crate::harness::Harness;
use crate::objects::{condition, gateway, service, slice};

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

/// Returns the condition `ResolvedRefs` of route `r`.
fn resolved_refs(route: &Value) -> &Value {
    condition(&route["status"]["parents"][0], "ResolvedRefs")
}

/// A Service of type LoadBalancer has node ports too.
#[tokio::test(start_paused = true)]
async fn node_port_of_a_load_balancer_is_refused_as_backend() {
    let api = api_with_node();
    let _harness = {
        let harness = Harness::behind_services(&api, template());
        harness.settle().await;
        harness
    };
    assert_eq!(api.get(SERVICE)["spec"]["type"], "LoadBalancer");
    let port = node_port(&api.get(SERVICE)).try_into().unwrap();
    api.apply(slice("s", SocketAddr::from(([192, 0, 2, 50], port))));
    api.until_object("tcproutes/default/r", |route| resolved_refs(route)["status"] == "False")
        .await;
    let route = api.get("tcproutes/default/r");
    assert_eq!(resolved_refs(&route)["reason"], "BackendNotFound");
}

#[tokio::test(start_paused = true)]
async fn nodes_are_watched_unless_services_have_no_node_ports() {
    for (service_type, is_watched) in [
        (ServiceType::LoadBalancer, true),
        (ServiceType::NodePort, true),
        (ServiceType::ClusterIP, false),
    ] {
        let api = api_with_node();
        let harness = Harness::behind_services(&api, of_type(service_type));
        harness.settle().await;
        assert_eq!(harness.latest().resources.nodes.len(), usize::from(is_watched));
        let requests = api.requests();
        let is_requested = requests.iter().any(|request| request.plural == "nodes");
        assert_eq!(is_requested, is_watched, "{service_type:?}");
    }
}

/// A missing permission to watch Nodes does not stop the gateway.
#[tokio::test(start_paused = true)]
async fn nodes_forbidden_are_reported_and_the_rest_starts() {
    let api = api_with_node();
    api.forbid("nodes");
    let harness = Harness::behind_services(&api, template());
    sleep(Duration::from_secs(9)).await;
    assert!(!harness.is_published(), "the permission may be new");
    sleep(Duration::from_secs(11)).await;
    assert!(harness.is_published());
    assert_eq!(harness.latest().resources.tcp_routes.len(), 1);
    harness.settle().await;
    let problems = harness.latest().problems.clone();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("cannot watch Node objects: nodes is forbidden"));
    assert!(!api.get("tcproutes/default/r")["status"].is_null());

    api.heal();
    harness.until("the Node", |snapshot| !snapshot.resources.nodes.is_empty()).await;
}

/// The kubelet writes the status of its Node every few minutes.
#[tokio::test(start_paused = true)]
async fn node_heartbeats_publish_nothing() {
    let api = api_with_node();
    let harness = Harness::behind_services(&api, template());
    harness.settle().await;
    let published = harness.published();
    let status = |time: &str, ready: &str, address: &str| {
        json!({
            "addresses": [{ "type": "InternalIP", "address": address }],
            "allocatable": { "memory": time },
            "conditions": [
                { "type": "MemoryPressure", "status": "False", "lastHeartbeatTime": time },
                { "type": "Ready", "status": ready, "lastHeartbeatTime": time },
            ],
            "images": [{ "names": [time], "sizeBytes": 1 }],
        })
    };
    for time in ["2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"] {
        api.set_status("nodes/node", status(time, "True", "192.0.2.50"));
        api.edit("nodes/node", |node| {
            node["metadata"]["labels"] = json!({ "time": time });
            node["metadata"]["annotations"] = json!({ "time": time });
        });
        harness.settle().await;
    }
    assert_eq!(harness.published(), published);
    let node = harness.latest().resources.nodes.values().next().unwrap().clone();
    assert!(node.metadata.labels.is_empty() && node.metadata.annotations.is_empty());
    assert_eq!(node.status.conditions.len(), 1);

    api.set_status("nodes/node", status("later", "True", "192.0.2.51"));
    let is_changed = |snapshot: &Snapshot| {
        let mut nodes = snapshot.resources.nodes.values();
        nodes.any(|node| node.status.addresses[0].address == "192.0.2.51")
    };
    harness.until("a change of the address", is_changed).await;
}
