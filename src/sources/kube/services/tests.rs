//! What the Services and EndpointSlices of a Gateway look like, and what stays of those there are.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{PodPorts, ServiceTemplate, WantedService, WantedSlice, existing};
use crate::model::{
    EndpointSlice, Gateway, Object, ObjectKind, PortNumber, Resources, Service, ServiceType,
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

fn ports() -> PodPorts {
    let name: crate::model::NamespacedName = "infra/edge".parse().unwrap();
    [(5432, 20_001), (30_500, 20_002)]
        .map(|(listener, pod)| ((name.clone(), port(listener)), port(pod)))
        .into()
}

fn template(service_type: ServiceType) -> ServiceTemplate {
    ServiceTemplate::new("system/replicas".parse().unwrap()).with_service_type(service_type)
}

fn wanted(gateway: &Gateway, service_type: ServiceType) -> WantedService {
    let listeners = [port(5432), port(30_500), port(9)];
    WantedService::new(gateway, &listeners, &template(service_type), &ports()).unwrap()
}

/// What an API server makes of a new Service.
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
fn a_new_service_says_everything() {
    let gateway = gateway(&json!({
        "addresses": [{ "value": "192.0.2.9" }],
        "infrastructure": { "labels": { "team": "db" }, "annotations": { "pool": "b" } },
    }));
    let listeners = [port(5432)];
    let template = template(ServiceType::LoadBalancer)
        .with_annotations([("pool", "a"), ("zone", "x")].map(|(k, v)| (k.into(), v.into())).into());
    let wanted = WantedService::new(&gateway, &listeners, &template, &ports()).unwrap();
    assert_eq!(
        wanted.corrected(None),
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
fn nothing_is_to_be_written_where_nothing_has_changed() {
    let gateway = gateway(&json!({ "infrastructure": { "labels": { "team": "db" } } }));
    for service_type in [ServiceType::LoadBalancer, ServiceType::NodePort, ServiceType::ClusterIP] {
        let wanted = wanted(&gateway, service_type);
        let mut live = stored(wanted.corrected(None));
        assert_eq!(wanted.corrected(Some(&live)), live);
        // What others add is theirs.
        live["metadata"]["labels"]["theirs"] = "x".into();
        live["metadata"]["annotations"]["theirs"] = "x".into();
        live["spec"]["sessionAffinity"] = "ClientIP".into();
        live["spec"]["loadBalancerClass"] = "example.com/lb".into();
        assert_eq!(wanted.corrected(Some(&live)), live);
    }
}

#[test]
fn what_somebody_changed_of_ours_is_put_right() {
    let gateway = gateway(&json!({}));
    let wanted = wanted(&gateway, ServiceType::LoadBalancer);
    let live = stored(wanted.corrected(None));
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
        assert_eq!(wanted.corrected(Some(&changed)), live);
    }
}

#[test]
fn nobody_else_is_in_charge() {
    let wanted = wanted(&gateway(&json!({})), ServiceType::LoadBalancer);
    let mut live = stored(wanted.corrected(None));
    live["metadata"]["ownerReferences"][0]["controller"] = false.into();
    let owners = live["metadata"]["ownerReferences"].as_array_mut().unwrap();
    owners.push(json!({ "kind": "Other", "name": "x", "uid": "x", "controller": true }));
    let owners = wanted.corrected(Some(&live))["metadata"]["ownerReferences"].take();
    assert_eq!((&owners[0]["controller"], &owners[1]["controller"]), (&json!(true), &json!(false)));
}

#[test]
fn a_change_of_type_takes_along_what_belongs_to_the_type() {
    let gateway = gateway(&json!({ "addresses": [{ "value": "192.0.2.9" }] }));
    let mut live = stored(wanted(&gateway, ServiceType::LoadBalancer).corrected(None));
    live["spec"]["loadBalancerSourceRanges"] = json!(["192.0.2.0/24"]);
    let kept = wanted(&gateway, ServiceType::LoadBalancer).corrected(Some(&live));
    assert_eq!(kept, live);
    let spec = wanted(&gateway, ServiceType::ClusterIP).corrected(Some(&live))["spec"].take();
    assert_eq!(spec["type"], "ClusterIP");
    for gone in ["externalTrafficPolicy", "loadBalancerIP", "loadBalancerSourceRanges"] {
        assert!(spec.get(gone).is_none(), "{gone}");
    }
    assert!(spec["ports"][0].get("nodePort").is_none());
    // It could not be changed any more.
    assert_eq!(spec["clusterIP"], "10.96.0.7");
}

#[test]
fn a_service_that_is_somebody_elses_stays_as_it_is() {
    let gateway = gateway(&json!({}));
    let wanted = wanted(&gateway, ServiceType::LoadBalancer);
    for owners in [json!([]), json!([{ "kind": "Gateway", "name": "edge", "uid": "u-0" }])] {
        let live =
            json!({ "metadata": { "ownerReferences": owners }, "spec": { "type": "NodePort" } });
        assert_eq!(wanted.corrected(Some(&live)), live);
        let slice = &WantedSlice::of(&wanted, &[])[0];
        assert_eq!(slice.corrected(Some(&live)), Some(live));
    }
}

#[test]
fn labels_and_annotations_go_with_those_who_gave_them() {
    let before = gateway(&json!({
        "infrastructure": { "labels": { "team": "db" }, "annotations": { "pool": "b" } },
    }));
    let mut live = stored(wanted(&before, ServiceType::LoadBalancer).corrected(None));
    live["metadata"]["annotations"]["theirs"] = "x".into();
    let after = wanted(&gateway(&json!({})), ServiceType::LoadBalancer).corrected(Some(&live));
    assert_eq!(after["metadata"]["annotations"], json!({ "theirs": "x" }));
    assert!(after["metadata"]["labels"].get("team").is_none());
    assert_eq!(after["metadata"]["labels"].as_object().unwrap().len(), 3);
}

#[test]
fn a_node_port_is_asked_for_only_where_nodes_can_have_it_and_only_once() {
    let wanted = wanted(&gateway(&json!({})), ServiceType::NodePort);
    let fresh = wanted.corrected(None);
    assert!(fresh["spec"]["ports"][0].get("nodePort").is_none());
    assert_eq!(fresh["spec"]["ports"][1]["nodePort"], 30_500);
    let mut any = wanted.clone();
    assert!(any.give_up_node_ports() && !any.give_up_node_ports());
    let any = any.corrected(None);
    assert!(any["spec"]["ports"][1].get("nodePort").is_none());
    // Once there is one, it stays: another would be refused time and again.
    let live = stored(any);
    assert_eq!(wanted.corrected(Some(&live)), live);
}

#[test]
fn an_address_of_a_cluster_is_asked_for_at_the_beginning() {
    let gateway = gateway(&json!({ "addresses": [{ "value": "10.96.0.9" }] }));
    let spec = wanted(&gateway, ServiceType::ClusterIP).corrected(None)["spec"].take();
    assert_eq!(spec["clusterIP"], "10.96.0.9");
    assert!(spec.get("loadBalancerIP").is_none());
}

#[test]
fn without_pod_ports_or_a_uid_there_is_no_service() {
    let listeners = [port(5432)];
    let template = template(ServiceType::LoadBalancer);
    let mut gateway = gateway(&json!({}));
    assert_eq!(WantedService::new(&gateway, &listeners, &template, &PodPorts::new()), None);
    gateway.metadata.uid = None;
    assert_eq!(WantedService::new(&gateway, &listeners, &template, &ports()), None);
}

#[test]
fn pod_ports_are_read_back_from_the_services_that_are_ours() {
    let gateway = gateway(&json!({}));
    let service = wanted(&gateway, ServiceType::NodePort).corrected(None);
    let mut resources = Resources::new();
    resources.insert(ObjectKind::Service.deserialize(service).unwrap());
    assert_eq!(existing(&resources, [&gateway]), ports());
    let mut other = gateway;
    other.metadata.uid = Some("u-2".into());
    assert_eq!(existing(&resources, [&other]), PodPorts::new());
}

fn slices(replicas: &[Value], service_type: ServiceType) -> [WantedSlice; 2] {
    let replicas: Vec<EndpointSlice> =
        replicas.iter().map(|slice| serde_json::from_value(slice.clone()).unwrap()).collect();
    let replicas: Vec<_> = replicas.iter().collect();
    WantedSlice::of(&wanted(&gateway(&json!({})), service_type), &replicas)
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
fn slices_lead_to_the_replicas_at_the_gateways_own_ports() {
    let [ipv4, ipv6] = slices(&[replicas(&["10.0.0.2", "10.0.0.1"])], ServiceType::LoadBalancer);
    let slice = ipv4.corrected(None).unwrap();
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
    assert_eq!(ipv6.corrected(None), None);
    assert_eq!(ipv6.name().to_string(), "infra/edge-sluicegate-ipv6");
}

#[test]
fn a_slice_follows_the_replicas_as_long_as_any_is_known() {
    let both = [replicas(&["fd00::1"]), replicas(&["10.0.0.1"]), replicas(&["10.0.0.1"])];
    let [ipv4, ipv6] = slices(&both, ServiceType::LoadBalancer);
    let mut live = ipv4.corrected(None).unwrap();
    assert_eq!(live["endpoints"].as_array().unwrap().len(), 1);
    live["metadata"]["labels"]["theirs"] = "x".into();
    live["metadata"]["generation"] = 3.into();
    assert_eq!(ipv4.corrected(Some(&live)), Some(live.clone()));
    assert!(ipv6.corrected(None).is_some());
    let [emptied, _] = slices(&[replicas(&["fd00::1"])], ServiceType::LoadBalancer);
    let emptied = emptied.corrected(Some(&live)).unwrap();
    assert_eq!(emptied["endpoints"], json!([]));
    assert_eq!(emptied["metadata"], live["metadata"]);
    for none in [&[][..], &[replicas(&[])]] {
        let [ipv4, ipv6] = slices(none, ServiceType::LoadBalancer);
        assert_eq!(ipv4.corrected(Some(&live)), Some(live.clone()));
        assert_eq!(ipv6.corrected(None), None);
    }
}

#[test]
fn a_name_that_is_too_long_for_a_label_is_shortened() {
    let mut gateway = gateway(&json!({}));
    let long = format!("{}.x", "g".repeat(80));
    gateway.metadata.name = long.parse().unwrap();
    let name = gateway.metadata.namespaced_name();
    let ports = PodPorts::from([((name, port(5432)), port(20_001))]);
    let template = template(ServiceType::ClusterIP);
    let wanted = WantedService::new(&gateway, &[port(5432)], &template, &ports).unwrap();
    let service = wanted.corrected(None);
    let label = &service["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"];
    let label = label.as_str().unwrap();
    assert_eq!(label.len(), 63);
    assert!(label.starts_with(&"g".repeat(54)), "{label}");
    assert_eq!(service["metadata"]["ownerReferences"][0]["name"], *long);
}

#[test]
fn what_is_made_is_read_as_it_is_meant() {
    let wanted = wanted(&gateway(&json!({})), ServiceType::LoadBalancer);
    let service: Service = serde_json::from_value(stored(wanted.corrected(None))).unwrap();
    assert!(service.metadata.is_owned_by(&gateway(&json!({})).metadata));
    assert_eq!(Object::from(service).validate("v1"), []);
}
