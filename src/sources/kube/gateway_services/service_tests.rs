//! The Service of a Gateway: its fields, and the fields of a live Service that stay.

use serde_json::{Value, json};

use super::desired_service::DesiredService;
use super::template::ServiceTemplate;
use crate::model::{
    Gateway, GatewayController, Object, PortNumber, Service, ServiceRequest, ServiceType,
};

fn gateway(spec: &Value) -> Gateway {
    let mut object = json!({
        "metadata": { "namespace": "infra", "name": "edge", "uid": "u-1" },
        "spec": {
            "gatewayClassName": "sluicegate",
            "listeners": [{ "name": "db", "protocol": "TCP", "port": 5432 }],
        },
    });
    let fields = object["spec"].as_object_mut().unwrap();
    fields.extend(spec.as_object().unwrap().clone());
    serde_json::from_value(object).unwrap()
}

fn port(port: u16) -> PortNumber {
    PortNumber::new(port).unwrap()
}

fn request(address: Option<&str>) -> ServiceRequest {
    let pod_ports = [(5432, 20_001), (30_500, 20_002)];
    ServiceRequest {
        pod_ports: pod_ports.map(|(listener, pod)| (port(listener), port(pod))).into(),
        address: address.map(|address| address.parse().unwrap()),
    }
}

fn template(service_type: ServiceType) -> ServiceTemplate {
    let selector = [("app".to_owned(), "gate".to_owned())].into();
    ServiceTemplate::new("system".parse().unwrap(), selector).with_service_type(service_type)
}

fn controller() -> GatewayController {
    "example.com/gateway".parse().unwrap()
}

fn desired(gateway: &Gateway, service_type: ServiceType) -> DesiredService {
    desired_at(None, gateway, service_type)
}

/// A Service that requests an address.
fn desired_at(
    address: Option<&str>,
    gateway: &Gateway,
    service_type: ServiceType,
) -> DesiredService {
    let template = template(service_type);
    DesiredService::new(gateway, request(address), &template, &controller()).unwrap()
}

/// The new Service as the API server stores it.
fn stored(mut service: Value) -> Value {
    service["metadata"]["uid"] = "s-1".into();
    service["metadata"]["resourceVersion"] = "7".into();
    service["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
    service["metadata"]["finalizers"] = json!(["service.kubernetes.io/load-balancer-cleanup"]);
    let spec = &mut service["spec"];
    spec["clusterIP"] = "10.96.0.7".into();
    spec["clusterIPs"] = json!(["10.96.0.7"]);
    spec["sessionAffinity"] = "None".into();
    spec["internalTrafficPolicy"] = "Cluster".into();
    spec["ipFamilies"] = json!(["IPv4"]);
    spec["ipFamilyPolicy"] = "SingleStack".into();
    if spec["type"] == "LoadBalancer" {
        spec["allocateLoadBalancerNodePorts"] = true.into();
        if spec["externalTrafficPolicy"] == "Local" {
            spec["healthCheckNodePort"] = 31_000.into();
        }
    }
    if spec["type"] != "ClusterIP" {
        for port in spec["ports"].as_array_mut().unwrap() {
            if port["nodePort"].is_null() {
                port["nodePort"] = 31_111.into();
            }
        }
    }
    service["status"] = json!({ "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } });
    service
}

#[test]
fn service_has_all_fields_at_creation() {
    let gateway = gateway(&json!({
        "infrastructure": { "labels": { "team": "db" }, "annotations": { "pool": "b" } },
    }));
    let mut request = request(Some("192.0.2.9"));
    request.pod_ports.remove(&port(30_500));
    let template = template(ServiceType::LoadBalancer)
        .with_annotations([("pool", "a"), ("zone", "x")].map(|(k, v)| (k.into(), v.into())).into());
    let desired = DesiredService::new(&gateway, request, &template, &controller()).unwrap();
    assert_eq!(
        desired.apply_to(None),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "namespace": "system",
                "name": "infra-edge-e408412f",
                "labels": {
                    "app.kubernetes.io/managed-by": "sluicegate",
                    "gateway.networking.k8s.io/gateway-name": "edge",
                    "gateway.networking.k8s.io/gateway-class-name": "sluicegate",
                    "sluicegate.dev/gateway-namespace": "infra",
                    "sluicegate.dev/gateway-uid": "u-1",
                    "team": "db",
                },
                "annotations": {
                    "pool": "a",
                    "zone": "x",
                    "sluicegate.dev/gateway": "infra/edge",
                    "sluicegate.dev/controller": "example.com/gateway",
                    "sluicegate.dev/set": r#"{"annotations":["pool","zone"],"labels":["team"]}"#,
                },
            },
            "spec": {
                "type": "LoadBalancer",
                "selector": { "app": "gate" },
                "externalTrafficPolicy": "Cluster",
                "loadBalancerIP": "192.0.2.9",
                "ports": [{ "name": "tcp-5432", "protocol": "TCP", "port": 5432, "targetPort": 20001 }],
            },
        })
    );
}

#[test]
fn service_without_changes_stays_equal() {
    let gateway = gateway(&json!({ "infrastructure": { "labels": { "team": "db" } } }));
    for service_type in [ServiceType::LoadBalancer, ServiceType::NodePort, ServiceType::ClusterIP] {
        let desired = desired(&gateway, service_type);
        let mut live = stored(desired.apply_to(None));
        assert_eq!(desired.apply_to(Some(&live)), live);
        // Fields of other clients stay.
        live["metadata"]["labels"]["theirs"] = "x".into();
        live["metadata"]["annotations"]["theirs"] = "x".into();
        live["spec"]["sessionAffinity"] = "ClientIP".into();
        live["spec"]["loadBalancerClass"] = "example.com/lb".into();
        assert_eq!(desired.apply_to(Some(&live)), live);
    }
}

#[test]
fn service_owned_fields_are_restored() {
    let gateway = gateway(&json!({}));
    let desired = desired(&gateway, ServiceType::LoadBalancer);
    let live = stored(desired.apply_to(None));
    let changes: [fn(&mut Value); 10] = [
        |live| live["spec"]["ports"][0]["targetPort"] = "db".into(),
        |live| live["spec"]["ports"].as_array_mut().unwrap().swap(0, 1),
        |live| live["spec"]["ports"].as_array_mut().unwrap().push(json!({ "port": 1 })),
        |live| live["spec"]["ports"][1]["name"] = "other".into(),
        |live| live["spec"]["selector"] = json!({ "app": "theirs" }),
        |live| live["spec"]["externalTrafficPolicy"] = "Local".into(),
        |live| live["spec"]["loadBalancerIP"] = "192.0.2.200".into(),
        |live| live["metadata"]["labels"] = json!({ "app.kubernetes.io/managed-by": "sluicegate" }),
        |live| live["metadata"]["annotations"] = json!({}),
        |live| live["spec"].as_object_mut().unwrap().retain(|field, _| field != "selector"),
    ];
    for change in changes {
        let mut changed = live.clone();
        change(&mut changed);
        assert_ne!(changed, live);
        assert_eq!(desired.apply_to(Some(&changed)), live);
    }
}

#[test]
fn service_type_change_removes_fields_of_the_old_type() {
    let gateway = gateway(&json!({}));
    let desired = |service_type| desired_at(Some("192.0.2.9"), &gateway, service_type);
    let mut live = stored(desired(ServiceType::LoadBalancer).apply_to(None));
    live["spec"]["loadBalancerSourceRanges"] = json!(["192.0.2.0/24"]);
    let kept = desired(ServiceType::LoadBalancer).apply_to(Some(&live));
    assert_eq!(kept, live);
    let spec = desired(ServiceType::ClusterIP).apply_to(Some(&live))["spec"].take();
    assert_eq!(spec["type"], "ClusterIP");
    for gone in ["externalTrafficPolicy", "loadBalancerIP", "loadBalancerSourceRanges"] {
        assert!(spec.get(gone).is_none(), "{gone}");
    }
    assert!(spec["ports"][0].get("nodePort").is_none());
    // The field is immutable.
    assert_eq!(spec["clusterIP"], "10.96.0.7");
}

#[test]
fn service_of_another_gateway_or_program_is_unchanged() {
    let desired = desired(&gateway(&json!({})), ServiceType::LoadBalancer);
    for (manager, uid) in [("sluicegate", "u-0"), ("Helm", "u-1")] {
        let labels = json!({
            "app.kubernetes.io/managed-by": manager,
            "sluicegate.dev/gateway-uid": uid,
        });
        let live = json!({ "metadata": { "labels": labels }, "spec": { "type": "NodePort" } });
        assert_eq!(desired.apply_to(Some(&live)), live);
    }
}

#[test]
fn labels_and_annotations_of_a_gateway_do_not_replace_ours() {
    let infrastructure = json!({
        "labels": {
            "app.kubernetes.io/managed-by": "x",
            "sluicegate.dev/gateway-uid": "x",
        },
        "annotations": { "sluicegate.dev/gateway": "x/y", "sluicegate.dev/set": "{}" },
    });
    let gateway = gateway(&json!({ "infrastructure": infrastructure }));
    let service = desired(&gateway, ServiceType::LoadBalancer).apply_to(None);
    let labels = &service["metadata"]["labels"];
    assert_eq!(labels["app.kubernetes.io/managed-by"], "sluicegate");
    assert_eq!(labels["sluicegate.dev/gateway-uid"], "u-1");
    assert_eq!(service["metadata"]["annotations"]["sluicegate.dev/gateway"], "infra/edge");
}

#[test]
fn copied_labels_and_annotations_are_removed_with_their_origin() {
    let before = gateway(&json!({
        "infrastructure": { "labels": { "team": "db" }, "annotations": { "pool": "b" } },
    }));
    let mut live = stored(desired(&before, ServiceType::LoadBalancer).apply_to(None));
    live["metadata"]["annotations"]["theirs"] = "x".into();
    let after = desired(&gateway(&json!({})), ServiceType::LoadBalancer).apply_to(Some(&live));
    let annotations = json!({
        "sluicegate.dev/gateway": "infra/edge",
        "sluicegate.dev/controller": "example.com/gateway",
        "theirs": "x",
    });
    assert_eq!(after["metadata"]["annotations"], annotations);
    assert!(after["metadata"]["labels"].get("team").is_none());
    assert_eq!(after["metadata"]["labels"].as_object().unwrap().len(), 5);
}

#[test]
fn node_port_is_requested_in_range_and_once() {
    let desired = desired(&gateway(&json!({})), ServiceType::NodePort);
    let new = desired.apply_to(None);
    assert!(new["spec"]["ports"][0].get("nodePort").is_none());
    assert_eq!(new["spec"]["ports"][1]["nodePort"], 30_500);
    let mut any = desired.clone();
    assert!(any.drop_node_port_requests() && !any.drop_node_port_requests());
    let any = any.apply_to(None);
    assert!(any["spec"]["ports"][1].get("nodePort").is_none());
    // An assigned port stays: a request for another one would be rejected each time.
    let live = stored(any);
    assert_eq!(desired.apply_to(Some(&live)), live);
}

#[test]
fn cluster_ip_is_requested_at_creation() {
    let desired = desired_at(Some("10.96.0.9"), &gateway(&json!({})), ServiceType::ClusterIP);
    let spec = desired.apply_to(None)["spec"].take();
    assert_eq!(spec["clusterIP"], "10.96.0.9");
    assert!(spec.get("loadBalancerIP").is_none());
}

#[test]
fn service_needs_pod_ports_and_a_uid() {
    let template = template(ServiceType::LoadBalancer);
    let mut gateway = gateway(&json!({}));
    let new =
        |gateway: &_, request| DesiredService::new(gateway, request, &template, &controller());
    assert_eq!(new(&gateway, ServiceRequest::default()), None);
    gateway.metadata.uid = None;
    assert_eq!(new(&gateway, request(None)), None);
}

#[test]
fn label_of_a_long_name_is_truncated() {
    let mut gateway = gateway(&json!({}));
    let long = format!("{}.x", "g".repeat(80));
    gateway.metadata.name = long.parse().unwrap();
    let service = desired(&gateway, ServiceType::ClusterIP).apply_to(None);
    let label = &service["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"];
    let label = label.as_str().unwrap();
    assert_eq!(label.len(), 63);
    assert!(label.starts_with(&"g".repeat(54)), "{label}");
    let annotation = &service["metadata"]["annotations"]["sluicegate.dev/gateway"];
    assert_eq!(*annotation, format!("infra/{long}"));
}

#[test]
fn service_is_valid_at_creation() {
    let desired = desired(&gateway(&json!({})), ServiceType::LoadBalancer);
    let service: Service = serde_json::from_value(stored(desired.apply_to(None))).unwrap();
    assert_eq!(Object::from(service).validate("v1"), []);
}
