//! The desired Services over time: their ports, and the orphans.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::desired::desired_services;
use super::desired_service::DesiredService;
use super::orphans::{Orphan, ServiceOwner, ServicePolicy, find_orphan};
use super::template::ServiceTemplate;
use crate::model::{
    Gateway, GatewayClass, GatewayController, ObjectKey, ObjectKind, PortNumber, Resources,
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

/// Returns the orphan, if the Service is one. There are two classes, one of another controller.
fn orphan(live: &Value, policy: &ServicePolicy, gateway: Option<Gateway>) -> Option<Orphan> {
    let classes = [(CLASS, controller()), ("foreign", "example.com/other".parse().unwrap())];
    let mut resources = resources(gateway);
    for (name, controller) in classes {
        resources.insert(GatewayClass::new(name.parse().unwrap(), controller));
    }
    find_orphan(live, policy, &controller(), &resources, |_| true)
}

#[test]
fn orphan_has_no_gateway_of_this_controller() {
    let edge = || gateway("edge", CLASS);
    let live = desired_service(&resources([edge()])).apply_to(None);
    let manage = ServicePolicy::Manage(template());
    let (namespace, selector) = (template().namespace, template().selector);
    let delete = ServicePolicy::Delete { namespace, selector };
    let owner =
        ServiceOwner { gateway: "infra/edge".parse().unwrap(), uid: Some("edge".to_owned()) };
    let of_gateway = Some(Orphan::OfGateway(owner));
    // A Gateway that is not accepted keeps its Service.
    assert_eq!(orphan(&live, &manage, Some(edge())), None);
    assert_eq!(orphan(&live, &manage, Some(gateway("edge", "missing"))), None);
    assert_eq!(orphan(&live, &delete, Some(edge())), Some(Orphan::Unconditional));
    assert_eq!(orphan(&live, &manage, Some(gateway("edge", "foreign"))), of_gateway);
    let mut recreated = edge();
    recreated.metadata.uid = Some("another".into());
    assert_eq!(orphan(&live, &manage, Some(recreated)), of_gateway);
    assert_eq!(orphan(&live, &manage, None), of_gateway);
    let is_known = |_: &_| false;
    assert_eq!(find_orphan(&live, &manage, &controller(), &Resources::new(), is_known), None);
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
        assert_ne!(orphan(&live, &manage, None), None);
        let mut other = live.clone();
        other[section][map][key] = "theirs".into();
        assert_eq!(orphan(&other, &manage, None), None, "{key}");
    }
}
