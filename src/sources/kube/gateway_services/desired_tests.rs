//! The desired Services over time: their owners and ports, and the orphans.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::desired::{DesiredObject, desired_objects};
use super::orphans::is_orphaned;
use super::template::ServiceTemplate;
use crate::model::{
    Gateway, GatewayClassStatus, ObjectKey, ObjectKind, PortNumber, Resources, ServiceType,
    StatusReport,
};
use crate::sources::StatusUpdate;

const CLASS: &str = "sluicegate";
const SERVICE: &str = "edge-sluicegate";

type Desired = BTreeMap<ObjectKey, DesiredObject>;

fn gateway(name: &str, class: &str) -> Gateway {
    serde_json::from_value(json!({
        "metadata": { "namespace": "infra", "name": name, "uid": name, "generation": 1 },
        "spec": {
            "gatewayClassName": class,
            "listeners": [{ "name": "l", "protocol": "TCP", "port": 1 }],
        },
    }))
    .unwrap()
}

fn resources(gateways: impl IntoIterator<Item = Gateway>) -> Resources {
    Resources::from_iter(gateways)
}

fn port(port: u16) -> PortNumber {
    PortNumber::new(port).unwrap()
}

fn template() -> ServiceTemplate {
    ServiceTemplate::new("system/replicas".parse().unwrap())
        .with_service_type(ServiceType::NodePort)
}

/// A report that gives each Gateway one listener port, with pod port 20000.
fn update(resources: &Resources, gateways: &[(&str, u16)]) -> StatusUpdate {
    let services = gateways.iter().map(|(name, listener)| {
        let name = format!("infra/{name}").parse().unwrap();
        (name, [(port(*listener), port(20_000))].into())
    });
    StatusUpdate {
        resources: resources.clone().into(),
        status: StatusReport::default().into(),
        gateway_services: services.collect::<BTreeMap<_, _>>().into(),
    }
}

fn desired(resources: &Resources, gateways: &[(&str, u16)], before: &Desired) -> Desired {
    desired_objects(&update(resources, gateways), resources, &template(), before)
}

/// The desired Service of Gateway `edge`.
fn desired_service(resources: &Resources) -> DesiredObject {
    desired(resources, &[("edge", 1)], &Desired::new()).remove(&key(SERVICE)).unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced(ObjectKind::Service, &format!("infra/{name}").parse().unwrap())
}

fn write(resources: &mut Resources, service: &Value) {
    resources.insert(ObjectKind::Service.deserialize(service.clone()).unwrap());
}

/// The port of each Service that is desired.
fn ports(desired: &Desired) -> Vec<(&str, Value)> {
    let services = desired.iter().filter(|(key, _)| key.kind == ObjectKind::Service);
    let port =
        |object: &DesiredObject| object.apply_to(None).unwrap()["spec"]["ports"][0]["port"].take();
    services.map(|(key, object)| (key.name.as_str(), port(object))).collect()
}

#[test]
fn service_ports_are_those_of_the_report() {
    let old = resources([gateway("edge", CLASS)]);
    let update = update(&old, &[("edge", 1)]);
    let mut changed = gateway("edge", CLASS);
    changed.metadata.generation = Some(2);
    changed.spec.listeners.clear();
    let new = resources([changed]);
    let desired = desired_objects(&update, &new, &template(), &Desired::new());
    assert_eq!(ports(&desired), [(SERVICE, json!(1))]);
}

#[test]
fn service_is_not_desired_for_a_gateway_that_was_deleted_or_recreated() {
    let old = resources([gateway("edge", CLASS)]);
    let update = update(&old, &[("edge", 1)]);
    let mut recreated = gateway("edge", CLASS);
    recreated.metadata.uid = Some("another".into());
    for new in [Resources::new(), resources([recreated])] {
        assert_eq!(desired_objects(&update, &new, &template(), &Desired::new()), Desired::new());
    }
}

#[test]
fn service_name_clash_is_won_by_the_owner() {
    let mut resources = resources([gateway("a", "b-c"), gateway("a-b", "c")]);
    let both = [("a", 1), ("a-b", 2)];
    let first = desired(&resources, &both, &Desired::new());
    assert_eq!(ports(&first), [("a-b-c", json!(1))]);
    let mut service = first[&key("a-b-c")].apply_to(None).unwrap();
    service["metadata"]["ownerReferences"][0]["uid"] = "a-b".into();
    write(&mut resources, &service);
    let after = desired(&resources, &both, &first);
    assert_eq!(ports(&after), [("a-b-c", json!(2))]);

    let foreign = json!({ "metadata": { "namespace": "infra", "name": "a-b-c" } });
    write(&mut resources, &foreign);
    assert_eq!(desired(&resources, &both, &after), Desired::new());
}

#[test]
fn node_ports_are_not_requested_again_after_a_drop() {
    let resources = resources([gateway("edge", CLASS)]);
    let edge = [("edge", 30_500)];
    let mut before = desired(&resources, &edge, &Desired::new());
    let node_port = |desired: &Desired| {
        desired[&key(SERVICE)].apply_to(None).unwrap()["spec"]["ports"][0]["nodePort"].take()
    };
    assert_eq!(node_port(&before), 30_500);
    let service = before.get_mut(&key(SERVICE)).unwrap();
    assert!(service.drop_node_port_requests());
    assert!(!service.drop_node_port_requests());
    assert_eq!(node_port(&desired(&resources, &edge, &before)), Value::Null);
}

/// A report in which these classes are served.
fn serving(classes: &[&str]) -> StatusReport {
    let class = |name: &&str| (name.parse().unwrap(), GatewayClassStatus::default());
    let gateway_classes = classes.iter().map(class).collect();
    StatusReport { gateway_classes, ..StatusReport::default() }
}

#[test]
fn orphan_is_a_service_of_the_previous_class() {
    let long = "c".repeat(80);
    let mut objects = resources([gateway("edge", &long)]);
    let before = desired(&objects, &[("edge", 1)], &Desired::new());
    let (key, service) = before.iter().find(|(key, _)| key.kind == ObjectKind::Service).unwrap();
    let live = service.apply_to(None).unwrap();
    let is_orphaned = |resources: &Resources, report: &StatusReport| {
        let now = desired(resources, &[("edge", 1)], &before);
        is_orphaned(&live, key, resources, report, &now)
    };
    let report = serving(&[&long, "other"]);
    assert!(!is_orphaned(&objects, &report));

    objects.insert(gateway("edge", "other"));
    assert!(!is_orphaned(&objects, &report), "the new Service does not exist yet");
    let now = desired(&objects, &[("edge", 1)], &before);
    let (_, service) = now.iter().find(|(key, _)| key.kind == ObjectKind::Service).unwrap();
    write(&mut objects, &service.apply_to(None).unwrap());
    assert!(is_orphaned(&objects, &report));

    objects.services.clear();
    objects.insert(gateway("edge", "foreign"));
    assert!(is_orphaned(&objects, &report));
    assert!(!is_orphaned(&objects, &serving(&[])), "another instance serves the old class");
}

#[test]
fn orphan_check_ignores_gateways_that_are_not_accepted() {
    let resources = resources([gateway("edge", CLASS)]);
    let live = desired_service(&resources).apply_to(None).unwrap();
    assert!(!is_orphaned(&live, &key(SERVICE), &resources, &serving(&[CLASS]), &Desired::new()));
}

#[test]
fn orphan_check_ignores_objects_of_other_controllers() {
    let mut resources = resources([gateway("edge", CLASS)]);
    let live = desired_service(&resources).apply_to(None).unwrap();
    resources.insert(gateway("edge", "foreign"));
    let (report, key) = (serving(&[CLASS]), key(SERVICE));
    assert!(is_orphaned(&live, &key, &resources, &report, &Desired::new()));
    for label in ["app.kubernetes.io/managed-by", "gateway.networking.k8s.io/gateway-class-name"] {
        let mut other = live.clone();
        other["metadata"]["labels"][label] = "theirs".into();
        assert!(!is_orphaned(&other, &key, &resources, &report, &Desired::new()), "{label}");
    }
}
