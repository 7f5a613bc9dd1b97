//! The desired Services over time: their ports, and the orphans.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::desired::desired_services;
use super::desired_service::DesiredService;
use super::orphans::{ServicePolicy, is_orphaned};
use super::template::ServiceTemplate;
use crate::model::{
    Gateway, GatewayClassStatus, GatewayController, ObjectKey, ObjectKind, PortNumber, Resources,
    ServiceRequest, ServiceType, StatusReport,
};
use crate::sources::StatusUpdate;

const CLASS: &str = "sluicegate";
const SERVICE: &str = "infra-edge-e408412f";

type Desired = BTreeMap<ObjectKey, DesiredService>;

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
    let selector = [("app".to_owned(), "gate".to_owned())].into();
    ServiceTemplate::new("system".parse().unwrap(), selector)
        .with_service_type(ServiceType::NodePort)
}

fn controller() -> GatewayController {
    "example.com/gateway".parse().unwrap()
}

/// A report that gives each Gateway one listener port, with pod port 20000.
fn update(resources: &Resources, gateways: &[(&str, u16)]) -> StatusUpdate {
    let services = gateways.iter().map(|(name, listener)| {
        let name = format!("infra/{name}").parse().unwrap();
        let pod_ports = [(port(*listener), port(20_000))].into();
        (name, ServiceRequest { pod_ports, address: None })
    });
    StatusUpdate {
        resources: resources.clone().into(),
        status: StatusReport::default().into(),
        gateway_services: services.collect::<BTreeMap<_, _>>().into(),
    }
}

fn desired(resources: &Resources, gateways: &[(&str, u16)], before: &Desired) -> Desired {
    desired_services(&update(resources, gateways), resources, &template(), &controller(), before)
}

/// The desired Service of Gateway `edge`.
fn desired_service(resources: &Resources) -> DesiredService {
    desired(resources, &[("edge", 1)], &Desired::new()).remove(&key(SERVICE)).unwrap()
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::namespaced(ObjectKind::Service, &format!("system/{name}").parse().unwrap())
}

/// The port of each Service that is desired.
fn ports(desired: &Desired) -> Vec<(&str, Value)> {
    let services = desired.iter().filter(|(key, _)| key.kind == ObjectKind::Service);
    let port = |object: &DesiredService| object.apply_to(None)["spec"]["ports"][0]["port"].take();
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
    let desired = desired_services(&update, &new, &template(), &controller(), &Desired::new());
    assert_eq!(ports(&desired), [(SERVICE, json!(1))]);
}

#[test]
fn service_is_not_desired_for_a_gateway_that_was_deleted_or_recreated() {
    let old = resources([gateway("edge", CLASS)]);
    let update = update(&old, &[("edge", 1)]);
    let mut recreated = gateway("edge", CLASS);
    recreated.metadata.uid = Some("another".into());
    for new in [Resources::new(), resources([recreated])] {
        assert_eq!(
            desired_services(&update, &new, &template(), &controller(), &Desired::new()),
            Desired::new()
        );
    }
}

#[test]
fn node_ports_are_not_requested_again_after_a_drop() {
    let resources = resources([gateway("edge", CLASS)]);
    let edge = [("edge", 30_500)];
    let mut before = desired(&resources, &edge, &Desired::new());
    let node_port = |desired: &Desired| {
        desired[&key(SERVICE)].apply_to(None)["spec"]["ports"][0]["nodePort"].take()
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

fn is_orphan(live: &Value, policy: &ServicePolicy, gateways: Option<Gateway>) -> bool {
    is_orphaned(live, policy, &controller(), &resources(gateways), &serving(&[CLASS]), |_| true)
}

#[test]
fn orphan_has_no_gateway_of_a_served_class() {
    let edge = || gateway("edge", CLASS);
    let live = desired_service(&resources([edge()])).apply_to(None);
    let manage = ServicePolicy::Manage(template());
    let (namespace, selector) = (template().namespace, template().selector);
    let delete = ServicePolicy::Delete { namespace, selector };
    // A Gateway that is not accepted keeps its Service.
    assert!(!is_orphan(&live, &manage, Some(edge())));
    assert!(is_orphan(&live, &delete, Some(edge())));
    assert!(is_orphan(&live, &manage, Some(gateway("edge", "foreign"))));
    let mut recreated = edge();
    recreated.metadata.uid = Some("another".into());
    assert!(is_orphan(&live, &manage, Some(recreated)));
    assert!(is_orphan(&live, &manage, None));
    let (resources, report) = (Resources::new(), serving(&[CLASS]));
    let is_known = |_: &_| false;
    assert!(!is_orphaned(&live, &manage, &controller(), &resources, &report, is_known));
}

#[test]
fn orphan_check_ignores_services_of_others() {
    let live = desired_service(&resources([gateway("edge", CLASS)])).apply_to(None);
    let manage = ServicePolicy::Manage(template());
    for (section, map, key) in [
        ("metadata", "labels", "app.kubernetes.io/managed-by"),
        ("metadata", "annotations", "sluicegate.dev/controller"),
        ("metadata", "annotations", "sluicegate.dev/gateway"),
        ("spec", "selector", "app"),
    ] {
        assert!(is_orphan(&live, &manage, None));
        let mut other = live.clone();
        other[section][map][key] = "theirs".into();
        assert!(!is_orphan(&other, &manage, None), "{key}");
    }
}
