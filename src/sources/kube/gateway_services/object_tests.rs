//! The Services and EndpointSlices of a Gateway: their fields, and the fields of a live object that
//! stay.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::desired_service::DesiredService;
use super::desired_slice::DesiredSlice;
use super::template::ServiceTemplate;
use crate::model::{EndpointSlice, Gateway, Object, PortNumber, Service, ServiceType};

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

/// The pod port of each listener port.
fn ports() -> BTreeMap<PortNumber, PortNumber> {
    [(5432, 20_001), (30_500, 20_002)].map(|(listener, pod)| (port(listener), port(pod))).into()
}

fn template(service_type: ServiceType) -> ServiceTemplate {
    ServiceTemplate::new("system/replicas".parse().unwrap()).with_service_type(service_type)
}

fn desired(gateway: &Gateway, service_type: ServiceType) -> DesiredService {
    DesiredService::new(gateway, ports(), &template(service_type)).unwrap()
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
        "addresses": [{ "value": "192.0.2.9" }],
        "infrastructure": { "labels": { "team": "db" }, "annotations": { "pool": "b" } },
    }));
    let ports = BTreeMap::from([(port(5432), port(20_001))]);
    let template = template(ServiceType::LoadBalancer)
        .with_annotations([("pool", "a"), ("zone", "x")].map(|(k, v)| (k.into(), v.into())).into());
    let desired = DesiredService::new(&gateway, ports, &template).unwrap();
    assert_eq!(
        desired.apply_to(None),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "namespace": "infra",
                "name": "edge-sluicegate",
                "labels": {
                    "app.kubernetes.io/managed-by": "sluicegate",
                    "gateway.networking.k8s.io/gateway-name": "edge",
                    "gateway.networking.k8s.io/gateway-class-name": "sluicegate",
                    "team": "db",
                },
                "annotations": {
                    "pool": "a",
                    "zone": "x",
                    "sluicegate.dev/set": r#"{"annotations":["pool","zone"],"labels":["team"]}"#,
                },
                "ownerReferences": [{
                    "apiVersion": "gateway.networking.k8s.io/v1",
                    "kind": "Gateway",
                    "name": "edge",
                    "uid": "u-1",
                    "controller": true,
                }],
            },
            "spec": {
                "type": "LoadBalancer",
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
        |live| live["metadata"]["labels"] = json!({}),
        |live| live["metadata"]["ownerReferences"][0]["controller"] = false.into(),
        |live| live["metadata"]["ownerReferences"][0]["kind"] = "Other".into(),
    ];
    for change in changes {
        let mut changed = live.clone();
        change(&mut changed);
        assert_ne!(changed, live);
        assert_eq!(desired.apply_to(Some(&changed)), live);
    }
}

#[test]
fn service_has_one_controller() {
    let desired = desired(&gateway(&json!({})), ServiceType::LoadBalancer);
    let mut live = stored(desired.apply_to(None));
    live["metadata"]["ownerReferences"][0]["controller"] = false.into();
    let owners = live["metadata"]["ownerReferences"].as_array_mut().unwrap();
    owners.push(json!({ "kind": "Other", "name": "x", "uid": "x", "controller": true }));
    let owners = desired.apply_to(Some(&live))["metadata"]["ownerReferences"].take();
    assert_eq!((&owners[0]["controller"], &owners[1]["controller"]), (&json!(true), &json!(false)));
}

#[test]
fn service_type_change_removes_fields_of_the_old_type() {
    let gateway = gateway(&json!({ "addresses": [{ "value": "192.0.2.9" }] }));
    let mut live = stored(desired(&gateway, ServiceType::LoadBalancer).apply_to(None));
    live["spec"]["loadBalancerSourceRanges"] = json!(["192.0.2.0/24"]);
    let kept = desired(&gateway, ServiceType::LoadBalancer).apply_to(Some(&live));
    assert_eq!(kept, live);
    let spec = desired(&gateway, ServiceType::ClusterIP).apply_to(Some(&live))["spec"].take();
    assert_eq!(spec["type"], "ClusterIP");
    for gone in ["externalTrafficPolicy", "loadBalancerIP", "loadBalancerSourceRanges"] {
        assert!(spec.get(gone).is_none(), "{gone}");
    }
    assert!(spec["ports"][0].get("nodePort").is_none());
    // The field is immutable.
    assert_eq!(spec["clusterIP"], "10.96.0.7");
}

#[test]
fn service_of_another_owner_is_unchanged() {
    let gateway = gateway(&json!({}));
    let desired = desired(&gateway, ServiceType::LoadBalancer);
    for owners in [json!([]), json!([{ "kind": "Gateway", "name": "edge", "uid": "u-0" }])] {
        let live =
            json!({ "metadata": { "ownerReferences": owners }, "spec": { "type": "NodePort" } });
        assert_eq!(desired.apply_to(Some(&live)), live);
        let slice = &DesiredSlice::of(&desired, &[])[0];
        assert_eq!(slice.apply_to(Some(&live)), Some(live));
    }
}

#[test]
fn copied_labels_and_annotations_are_removed_with_their_origin() {
    let before = gateway(&json!({
        "infrastructure": { "labels": { "team": "db" }, "annotations": { "pool": "b" } },
    }));
    let mut live = stored(desired(&before, ServiceType::LoadBalancer).apply_to(None));
    live["metadata"]["annotations"]["theirs"] = "x".into();
    let after = desired(&gateway(&json!({})), ServiceType::LoadBalancer).apply_to(Some(&live));
    assert_eq!(after["metadata"]["annotations"], json!({ "theirs": "x" }));
    assert!(after["metadata"]["labels"].get("team").is_none());
    assert_eq!(after["metadata"]["labels"].as_object().unwrap().len(), 3);
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
    let gateway = gateway(&json!({ "addresses": [{ "value": "10.96.0.9" }] }));
    let spec = desired(&gateway, ServiceType::ClusterIP).apply_to(None)["spec"].take();
    assert_eq!(spec["clusterIP"], "10.96.0.9");
    assert!(spec.get("loadBalancerIP").is_none());
}

#[test]
fn service_needs_pod_ports_and_a_uid() {
    let template = template(ServiceType::LoadBalancer);
    let mut gateway = gateway(&json!({}));
    assert_eq!(DesiredService::new(&gateway, BTreeMap::new(), &template), None);
    gateway.metadata.uid = None;
    assert_eq!(DesiredService::new(&gateway, ports(), &template), None);
}

fn slices(replicas: &[Value], service_type: ServiceType) -> [DesiredSlice; 2] {
    let replicas: Vec<EndpointSlice> =
        replicas.iter().map(|slice| serde_json::from_value(slice.clone()).unwrap()).collect();
    let replicas: Vec<_> = replicas.iter().collect();
    DesiredSlice::of(&desired(&gateway(&json!({})), service_type), &replicas)
}

fn replicas(addresses: &[&str]) -> Value {
    let endpoint = |address: &&str| {
        json!({
            "addresses": [address],
            "conditions": { "ready": true, "serving": true, "terminating": false },
            "nodeName": "n1",
            "zone": "z1",
            "targetRef": { "kind": "Pod", "name": "p" },
        })
    };
    let is_v6 = addresses.iter().any(|address| address.parse::<IpAddr>().unwrap().is_ipv6());
    json!({
        "metadata": { "name": "replicas-1" },
        "addressType": if is_v6 { "IPv6" } else { "IPv4" },
        "endpoints": addresses.iter().map(endpoint).collect::<Vec<_>>(),
        "ports": [{ "name": "health", "port": 8081 }],
    })
}

#[test]
fn slices_have_replicas_and_pod_ports() {
    let [ipv4, ipv6] = slices(&[replicas(&["10.0.0.2", "10.0.0.1"])], ServiceType::LoadBalancer);
    let slice = ipv4.apply_to(None).unwrap();
    assert_eq!(slice["metadata"]["name"], "edge-sluicegate-ipv4");
    assert_eq!(slice["metadata"]["labels"]["kubernetes.io/service-name"], "edge-sluicegate");
    let managed_by = &slice["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"];
    assert_eq!(*managed_by, "sluicegate");
    assert_eq!(slice["metadata"]["ownerReferences"][0]["uid"], "u-1");
    assert_eq!(slice["addressType"], "IPv4");
    assert_eq!(
        slice["endpoints"][0],
        json!({
            "addresses": ["10.0.0.1"],
            "conditions": { "ready": true, "serving": true, "terminating": false },
            "nodeName": "n1",
            "zone": "z1",
        })
    );
    assert_eq!(slice["endpoints"][1]["addresses"][0], "10.0.0.2");
    assert_eq!(
        slice["ports"],
        json!([
            { "name": "tcp-5432", "port": 20001, "protocol": "TCP" },
            { "name": "tcp-30500", "port": 20002, "protocol": "TCP" },
        ])
    );
    assert_eq!(ipv6.apply_to(None), None);
    assert_eq!(ipv6.name().to_string(), "infra/edge-sluicegate-ipv6");
}

#[test]
fn slice_keeps_endpoints_while_no_replica_is_known() {
    let both = [replicas(&["fd00::1"]), replicas(&["10.0.0.1"]), replicas(&["10.0.0.1"])];
    let [ipv4, ipv6] = slices(&both, ServiceType::LoadBalancer);
    let mut live = ipv4.apply_to(None).unwrap();
    assert_eq!(live["endpoints"].as_array().unwrap().len(), 1);
    live["metadata"]["labels"]["theirs"] = "x".into();
    live["metadata"]["generation"] = 3.into();
    assert_eq!(ipv4.apply_to(Some(&live)), Some(live.clone()));
    assert!(ipv6.apply_to(None).is_some());
    let [emptied, _] = slices(&[replicas(&["fd00::1"])], ServiceType::LoadBalancer);
    let emptied = emptied.apply_to(Some(&live)).unwrap();
    assert_eq!(emptied["endpoints"], json!([]));
    assert_eq!(emptied["metadata"], live["metadata"]);
    for none in [&[][..], &[replicas(&[])]] {
        let [ipv4, ipv6] = slices(none, ServiceType::LoadBalancer);
        assert_eq!(ipv4.apply_to(Some(&live)), Some(live.clone()));
        assert_eq!(ipv6.apply_to(None), None);
    }
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
    assert_eq!(service["metadata"]["ownerReferences"][0]["name"], *long);
}

#[test]
fn service_is_valid_at_creation() {
    let desired = desired(&gateway(&json!({})), ServiceType::LoadBalancer);
    let service: Service = serde_json::from_value(stored(desired.apply_to(None))).unwrap();
    assert!(service.metadata.is_owned_by(&gateway(&json!({})).metadata));
    assert_eq!(Object::from(service).validate("v1"), []);
}
