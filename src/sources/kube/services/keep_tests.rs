//! Which Services there should be, whose, and with which ports; over time.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ServiceTemplate, Wanted, is_left_over, wanted};
use crate::model::StatusReport;
use crate::model::{
    Gateway, GatewayClassStatus, ObjectKey, ObjectKind, Resources, Service, ServiceType,
};
use crate::translate::{Addresses, Assignments, Settings, translate};

const CLASS: &str = "sluicegate";

fn gateway(name: &str, class: &str, ports: &[u16]) -> Gateway {
    let listener = |port| json!({ "name": format!("l-{port}"), "protocol": "TCP", "port": port });
    serde_json::from_value(json!({
        "metadata": { "namespace": "infra", "name": name, "uid": name, "generation": 1 },
        "spec": {
            "gatewayClassName": class,
            "listeners": ports.iter().map(listener).collect::<Vec<_>>(),
        },
    }))
    .unwrap()
}

fn resources(gateways: &[Gateway], classes: &[&str]) -> Resources {
    let mut resources = Resources::from_iter(gateways.iter().cloned());
    for class in classes {
        let class = json!({
            "metadata": { "name": class },
            "spec": { "controllerName": "example.com/c" },
        });
        resources.insert(ObjectKind::GatewayClass.deserialize(class).unwrap());
    }
    resources
}

fn report(resources: &Resources) -> StatusReport {
    let settings = Settings::default().with_addresses(Addresses::Service);
    (*translate(resources, &settings, &Assignments::default()).status).clone()
}

fn template() -> ServiceTemplate {
    ServiceTemplate::new("system/replicas".parse().unwrap())
        .with_service_type(ServiceType::NodePort)
}

fn key(name: &str) -> ObjectKey {
    ObjectKey {
        kind: ObjectKind::Service,
        namespace: Some("infra".parse().unwrap()),
        name: name.parse().unwrap(),
    }
}

type All = BTreeMap<ObjectKey, Wanted>;

/// What is wanted, where the report is up to date.
fn now(resources: &Resources, before: &All) -> All {
    wanted(resources, &report(resources), &template(), before)
}

/// Writes a Service as it is wanted.
fn write(resources: &mut Resources, all: &All, name: &str) -> Value {
    let service = all[&key(name)].corrected(None).unwrap();
    resources.insert(ObjectKind::Service.deserialize(service.clone()).unwrap());
    service
}

/// The port of each of a Service's ports, and that to which it leads.
fn ports(all: &All, name: &str) -> Vec<(u64, u64)> {
    let Some(service) = all.get(&key(name)) else { return Vec::new() };
    let ports = service.corrected(None).unwrap()["spec"]["ports"].take();
    let number = |port: &Value, field: &str| port[field].as_u64().unwrap();
    let pair = |port| (number(port, "port"), number(port, "targetPort"));
    ports.as_array().unwrap().iter().map(pair).collect()
}

#[test]
fn a_pod_port_is_not_lost_to_a_service_that_somebody_edited() {
    let gateways = [gateway("attacker", CLASS, &[5432]), gateway("victim", CLASS, &[5432])];
    let mut resources = resources(&gateways, &[CLASS]);
    let before = now(&resources, &All::new());
    write(&mut resources, &before, "attacker-sluicegate");
    let victims = write(&mut resources, &before, "victim-sluicegate");
    let stolen = victims["spec"]["ports"][0]["targetPort"].clone();
    let mut edited = before[&key("attacker-sluicegate")].corrected(None).unwrap();
    edited["spec"]["ports"][0]["targetPort"] = stolen;
    let edited: Service = serde_json::from_value(edited).unwrap();
    resources.insert(edited);
    let after = now(&resources, &before);
    for name in ["attacker-sluicegate", "victim-sluicegate"] {
        assert_eq!(ports(&after, name), ports(&before, name), "{name}");
    }
}

#[test]
fn a_report_of_an_earlier_generation_changes_no_ports() {
    let mut object = gateway("edge", CLASS, &[5432, 5433]);
    let mut resources = resources(&[object.clone()], &[CLASS]);
    let before = now(&resources, &All::new());
    assert_eq!(ports(&before, "edge-sluicegate").len(), 2);
    let report = report(&resources);
    object.spec.listeners.remove(0);
    object.metadata.generation = Some(2);
    resources.insert(object);
    assert_eq!(wanted(&resources, &report, &template(), &before), before);
    assert_eq!(wanted(&resources, &report, &template(), &All::new()), All::new());
    assert_eq!(ports(&now(&resources, &before), "edge-sluicegate").len(), 1);
}

#[test]
fn what_a_status_says_is_found_by_the_name_of_the_listener() {
    let mut object = gateway("edge", CLASS, &[5432, 5433]);
    object.spec.listeners[0].protocol = crate::model::Protocol::Udp;
    let resources = resources(&[object], &[CLASS]);
    let mut report = report(&resources);
    let status = report.gateways.values_mut().next().unwrap();
    status.listeners.reverse();
    let wanted = wanted(&resources, &report, &template(), &All::new());
    assert_eq!(ports(&wanted, "edge-sluicegate")[0].0, 5433);
}

#[test]
fn of_two_gateways_whose_services_have_one_name_the_owner_keeps_it() {
    let gateways = [gateway("a", "b-c", &[1]), gateway("a-b", "c", &[2])];
    let mut resources = resources(&gateways, &["b-c", "c"]);
    let first = now(&resources, &All::new());
    assert_eq!(ports(&first, "a-b-c")[0].0, 1);
    // Whoever comes first by name: the Service is the other one's.
    let mut service = first[&key("a-b-c")].corrected(None).unwrap();
    service["metadata"]["ownerReferences"][0]["uid"] = "a-b".into();
    resources.insert(ObjectKind::Service.deserialize(service).unwrap());
    let after = now(&resources, &first);
    assert_eq!(ports(&after, "a-b-c")[0].0, 2);
    // Nor is anything made where it is nobody's.
    let service = json!({ "metadata": { "namespace": "infra", "name": "a-b-c" } });
    resources.insert(ObjectKind::Service.deserialize(service).unwrap());
    assert_eq!(now(&resources, &after), All::new());
}

#[test]
fn node_ports_that_were_given_up_are_not_asked_for_again() {
    let resources = resources(&[gateway("edge", CLASS, &[30_500])], &[CLASS]);
    let mut before = now(&resources, &All::new());
    let node_port = |all: &All| {
        all[&key("edge-sluicegate")].corrected(None).unwrap()["spec"]["ports"][0]["nodePort"].take()
    };
    assert_eq!(node_port(&before), 30_500);
    let service = before.get_mut(&key("edge-sluicegate")).unwrap();
    assert!(service.give_up_node_ports());
    assert!(!service.give_up_node_ports());
    assert_eq!(node_port(&now(&resources, &before)), Value::Null);
}

#[test]
fn a_service_is_left_over_once_its_gateway_has_another_or_is_served_by_others() {
    let long = "c".repeat(80);
    let mut resources = resources(&[gateway("edge", &long, &[1])], &[&long, "other"]);
    let before = now(&resources, &All::new());
    let (key, service) = before.iter().find(|(key, _)| key.kind == ObjectKind::Service).unwrap();
    let live = service.corrected(None).unwrap();
    let is_left_over = |resources: &Resources, report: &StatusReport| {
        is_left_over(&live, key, resources, report, &now(resources, &before))
    };
    resources.insert(gateway("edge", "other", &[1]));
    // It is wanted, but not there yet.
    assert!(!is_left_over(&resources, &report(&resources)));
    let all = now(&resources, &before);
    write(&mut resources, &all, "edge-other");
    assert!(is_left_over(&resources, &report(&resources)));
    resources.services.clear();
    resources.insert(gateway("edge", "theirs", &[1]));
    let mut report = report(&resources);
    assert!(is_left_over(&resources, &report));
    // Of a class that this program serves elsewhere in the cluster.
    report.gateway_classes.clear();
    assert!(!is_left_over(&resources, &report));
}

#[test]
fn a_class_that_is_not_accepted_costs_no_gateway_its_service() {
    let mut resources = resources(&[gateway("edge", CLASS, &[1])], &[CLASS]);
    let all = now(&resources, &All::new());
    let live = write(&mut resources, &all, "edge-sluicegate");
    let report = StatusReport {
        gateway_classes: [(CLASS.parse().unwrap(), GatewayClassStatus::default())].into(),
        ..StatusReport::default()
    };
    let key = key("edge-sluicegate");
    assert!(!is_left_over(&live, &key, &resources, &report, &All::new()));
}

#[test]
fn what_another_controller_made_is_not_left_over() {
    let mut resources = resources(&[gateway("edge", CLASS, &[1])], &[CLASS]);
    let all = now(&resources, &All::new());
    let live = write(&mut resources, &all, "edge-sluicegate");
    resources.insert(gateway("edge", "theirs", &[1]));
    let (report, key) = (report(&resources), key("edge-sluicegate"));
    assert!(is_left_over(&live, &key, &resources, &report, &All::new()));
    for label in ["app.kubernetes.io/managed-by", "gateway.networking.k8s.io/gateway-class-name"] {
        let mut other = live.clone();
        other["metadata"]["labels"][label] = "theirs".into();
        assert!(!is_left_over(&other, &key, &resources, &report, &All::new()), "{label}");
    }
}
