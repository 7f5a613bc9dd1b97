//! Which Services and EndpointSlices there should be, and which are left over.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::metadata::{CLASS_LABEL, MANAGED_BY, MANAGED_BY_LABEL, label_value};
use super::{ServiceTemplate, WantedService, WantedSlice, assign, existing};
use crate::model::{
    ConditionStatus, ConditionType, EndpointSlice, Gateway, GatewayStatus, Listener,
    NamespacedName, ObjectKey, ObjectKind, PortNumber, Resources, find_condition,
};
use crate::model::{POD_PORTS, StatusReport, gateway_service_name};

/// An object that should be there, and how.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Wanted {
    Service(WantedService),
    Slice(WantedSlice),
}

impl Wanted {
    /// What there is, put right, or a new one; `None` where there is no need for one.
    pub(in super::super) fn corrected(&self, live: Option<&Value>) -> Option<Value> {
        match self {
            Self::Service(service) => Some(service.corrected(live)),
            Self::Slice(slice) => slice.corrected(live),
        }
    }

    /// Leaves the ports on the nodes to the cluster, where it was refused: they may be somebody
    /// else's. Whether any were asked for.
    pub(in super::super) fn give_up_node_ports(&mut self) -> bool {
        match self {
            Self::Service(service) => service.give_up_node_ports(),
            Self::Slice(_) => false,
        }
    }

    fn service(&self) -> Option<&WantedService> {
        match self {
            Self::Service(service) => Some(service),
            Self::Slice(_) => None,
        }
    }
}

/// Everything that should be there, given what was wanted before.
pub(in super::super) fn wanted(
    resources: &Resources,
    report: &StatusReport,
    template: &ServiceTemplate,
    before: &BTreeMap<ObjectKey, Wanted>,
) -> BTreeMap<ObjectKey, Wanted> {
    // By Service: of several Gateways that want one of the same name, it is whose it is.
    let mut served = BTreeMap::new();
    for (name, status) in &report.gateways {
        let Some(gateway) = resources.gateways.get(name) else { continue };
        let key = key(ObjectKind::Service, &service_name(gateway));
        if is_free_for(gateway, resources) {
            let before = before.get(&key).and_then(Wanted::service);
            let before = before.filter(|before| before.metadata.gateway() == *name);
            served
                .entry(key)
                .or_insert_with(|| (&**gateway, open_ports(gateway, status, before), before));
        }
    }
    let with_ports = |(gateway, ports, _): &(&Gateway, BTreeSet<PortNumber>, _)| {
        let name = gateway.metadata.namespaced_name();
        ports.iter().map(|port| (name.clone(), *port)).collect::<Vec<_>>()
    };
    let listeners = served.values().flat_map(with_ports).collect();
    let existing = existing(resources, resources.gateways.values().map(|gateway| &**gateway));
    let had = before.values().filter_map(Wanted::service).flat_map(WantedService::pod_ports);
    let assigned = assign(&existing, &had.collect(), &listeners, POD_PORTS);
    let replicas = replicas(resources, &template.replicas);

    let mut wanted = BTreeMap::new();
    for (service_key, (gateway, ports, before)) in served {
        let ports: Vec<_> = ports.into_iter().collect();
        let Some(mut service) = WantedService::new(gateway, &ports, template, &assigned) else {
            continue;
        };
        if before.is_some_and(|before| !before.asks_node_ports) {
            service.give_up_node_ports();
        }
        for slice in WantedSlice::of(&service, &replicas) {
            let key = key(ObjectKind::EndpointSlice, slice.name());
            wanted.insert(key, Wanted::Slice(slice));
        }
        wanted.insert(service_key, Wanted::Service(service));
    }
    wanted
}

/// Whether there is a Service of a Gateway, or may be one.
fn is_free_for(gateway: &Gateway, resources: &Resources) -> bool {
    let service = resources.services.get(&service_name(gateway));
    service.is_none_or(|service| service.metadata.is_owned_by(&gateway.metadata))
}

/// The name of the Service of a Gateway.
fn service_name(gateway: &Gateway) -> NamespacedName {
    NamespacedName { namespace: gateway.metadata.namespace(), name: gateway_service_name(gateway) }
}

/// Whether an object that a Gateway owns is left over: the Gateway is of another class now, which
/// others serve, or for which it has its Service already. Where the Gateway itself is gone, what it
/// owned goes without us; where it is merely not accepted, or its class is not, it keeps what it has.
pub(in super::super) fn is_left_over(
    live: &Value,
    key: &ObjectKey,
    resources: &Resources,
    report: &StatusReport,
    wanted: &BTreeMap<ObjectKey, Wanted>,
) -> bool {
    let Some(class) = made_for(live, report).filter(|_| !wanted.contains_key(key)) else {
        return false;
    };
    let owners = live["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut owners = owners.filter(|owner| owner["kind"] == "Gateway");
    let Some(gateway) = owners.find_map(|owner| owner["name"].as_str()) else { return false };
    let Some(namespace) = key.namespace.clone() else { return false };
    let Ok(gateway) = gateway.parse() else { return false };
    let gateway = NamespacedName { namespace, name: gateway };
    let Some(gateway) = resources.gateways.get(&gateway) else { return false };
    let class_now = &gateway.spec.gateway_class_name;
    let is_served = report.gateway_classes.contains_key(class_now);
    let has_another =
        resources.services.contains_key(&service_name(gateway)) && is_free_for(gateway, resources);
    class != label_value(class_now) && (has_another || !is_served)
}

/// The class, as a label has it, of the Gateway for which an object was made, where that is served
/// here. Other controllers make objects for their Gateways too, and this program may run a second
/// time, for other classes.
fn made_for<'a>(live: &'a Value, report: &StatusReport) -> Option<&'a str> {
    let labels = &live["metadata"]["labels"];
    let class = labels[CLASS_LABEL].as_str().filter(|_| labels[MANAGED_BY_LABEL] == MANAGED_BY)?;
    report.gateway_classes.keys().any(|name| label_value(name) == class).then_some(class)
}

/// The ports of the listeners that are accepted, of a Gateway that is. As long as the report speaks
/// of an earlier Gateway, they are those of `before`: what it says of one listener may be true of
/// another by now.
fn open_ports(
    gateway: &Gateway,
    status: &GatewayStatus,
    before: Option<&WantedService>,
) -> BTreeSet<PortNumber> {
    let is_accepted = |conditions: &[_]| {
        find_condition(conditions, &ConditionType::ACCEPTED)
            .is_some_and(|accepted| accepted.status == ConditionStatus::True)
    };
    let generation = status.conditions.first().and_then(|first| first.observed_generation);
    if generation != gateway.metadata.generation {
        return before
            .into_iter()
            .flat_map(|before| &before.ports)
            .map(|(port, _)| *port)
            .collect();
    }
    if !is_accepted(&status.conditions) {
        return BTreeSet::new();
    }
    let is_open = |listener: &&Listener| {
        let mut found = status.listeners.iter().filter(|status| status.name == listener.name);
        found.any(|status| is_accepted(&status.conditions))
    };
    gateway.spec.listeners.iter().filter(is_open).map(|listener| listener.port).collect()
}

/// The endpoints of the Service that stands for this gateway's own replicas.
fn replicas<'a>(resources: &'a Resources, service: &NamespacedName) -> Vec<&'a EndpointSlice> {
    let slices = resources.endpoint_slices.iter();
    let is_replica = |slice: &EndpointSlice| slice.service_name() == Some(service.name.as_str());
    slices
        .filter(|(name, slice)| name.namespace == service.namespace && is_replica(slice))
        .map(|(_, slice)| &**slice)
        .collect()
}

fn key(kind: ObjectKind, name: &NamespacedName) -> ObjectKey {
    ObjectKey { kind, namespace: Some(name.namespace.clone()), name: name.name.clone() }
}
