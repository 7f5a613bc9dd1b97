//! Which Services and EndpointSlices there should be, and which are left over.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::metadata::{CLASS_LABEL, MANAGED_BY, MANAGED_BY_LABEL};
use super::{POD_PORTS, ServiceTemplate, WantedService, WantedSlice, assign, existing};
use crate::model::{
    ConditionStatus, ConditionType, EndpointSlice, Gateway, GatewayStatus, NamespacedName,
    ObjectKey, ObjectKind, PortNumber, Resources, SERVICE_NAME_LABEL, condition,
};
use crate::translate::StatusReport;

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

    /// The same, where somebody has the port on the nodes that was asked for.
    pub(in super::super) fn with_any_node_port(self) -> Self {
        match self {
            Self::Service(service) => Self::Service(service.with_any_node_port()),
            Self::Slice(slice) => Self::Slice(slice),
        }
    }
}

/// Everything that should be there.
pub(in super::super) fn wanted(
    resources: &Resources,
    report: &StatusReport,
    template: &ServiceTemplate,
) -> BTreeMap<ObjectKey, Wanted> {
    let served = report.gateways.iter().filter_map(|(name, status)| {
        let gateway = resources.gateways.get(name)?;
        Some((&**gateway, open_ports(gateway, status)))
    });
    let served: Vec<_> = served.collect();
    let with_ports = |(gateway, ports): &(&Gateway, BTreeSet<PortNumber>)| {
        let name = gateway.metadata.namespaced_name();
        ports.iter().map(|port| (name.clone(), *port)).collect::<Vec<_>>()
    };
    let listeners = served.iter().flat_map(with_ports).collect();
    let taken = existing(resources, served.iter().map(|(gateway, _)| *gateway));
    let assigned = assign(&taken, &listeners, POD_PORTS);
    let replicas = replicas(resources, &template.replicas);

    let mut wanted = BTreeMap::new();
    for (gateway, ports) in served {
        let ports: Vec<_> = ports.into_iter().collect();
        let Some(service) = WantedService::new(gateway, &ports, template, &assigned) else {
            continue;
        };
        for slice in WantedSlice::of(&service, &replicas) {
            let key = key(ObjectKind::EndpointSlice, slice.name());
            wanted.insert(key, Wanted::Slice(slice));
        }
        wanted.insert(key(ObjectKind::Service, service.name()), Wanted::Service(service));
    }
    wanted
}

/// Whether an object that a Gateway owns is left over: the Gateway is of another class now, or of
/// none of ours. Where the Gateway itself is gone, what it owned goes without us; where it is merely
/// not accepted, it keeps what it has.
pub(in super::super) fn is_left_over(
    live: &Value,
    key: &ObjectKey,
    resources: &Resources,
    report: &StatusReport,
    wanted: &BTreeMap<ObjectKey, Wanted>,
) -> bool {
    if !is_made_here(live, report) {
        return false;
    }
    let owners = live["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut owners = owners.filter(|owner| owner["kind"] == "Gateway");
    let Some(gateway) = owners.find_map(|owner| owner["name"].as_str()) else { return false };
    let Some(namespace) = key.namespace.clone() else { return false };
    let Ok(gateway) = gateway.parse() else { return false };
    let gateway = NamespacedName { namespace, name: gateway };
    let Some(object) = resources.gateways.get(&gateway) else { return false };
    let service = NamespacedName {
        name: crate::translate::gateway_service_name(object),
        namespace: gateway.namespace.clone(),
    };
    let has_another = wanted.contains_key(&self::key(ObjectKind::Service, &service));
    !wanted.contains_key(key) && (has_another || !report.gateways.contains_key(&gateway))
}

/// Whether an object was made for a Gateway of a class that is served here. Other controllers make
/// objects for their Gateways too, and this program may run a second time, for other classes.
fn is_made_here(live: &Value, report: &StatusReport) -> bool {
    let labels = &live["metadata"]["labels"];
    let class = labels[CLASS_LABEL].as_str();
    labels[MANAGED_BY_LABEL] == MANAGED_BY
        && class.is_some_and(|class| report.gateway_classes.contains_key(class))
}

/// The ports of the listeners that are accepted, of a Gateway that is.
fn open_ports(gateway: &Gateway, status: &GatewayStatus) -> BTreeSet<PortNumber> {
    let is_accepted = |conditions: &[_]| {
        condition(conditions, &ConditionType::ACCEPTED)
            .is_some_and(|accepted| accepted.status == ConditionStatus::True)
    };
    if !is_accepted(&status.conditions) {
        return BTreeSet::new();
    }
    let listeners = gateway.spec.listeners.iter().zip(&status.listeners);
    let accepted = listeners.filter(|(_, status)| is_accepted(&status.conditions));
    accepted.map(|(listener, _)| listener.port).collect()
}

/// The endpoints of the Service that stands for this gateway's own replicas.
fn replicas<'a>(resources: &'a Resources, service: &NamespacedName) -> Vec<&'a EndpointSlice> {
    let slices = resources.endpoint_slices.iter();
    let is_replica = |slice: &EndpointSlice| {
        slice
            .metadata
            .labels
            .get(SERVICE_NAME_LABEL)
            .is_some_and(|name| *name == *service.name.as_str())
    };
    slices
        .filter(|(name, slice)| name.namespace == service.namespace && is_replica(slice))
        .map(|(_, slice)| &**slice)
        .collect()
}

fn key(kind: ObjectKind, name: &NamespacedName) -> ObjectKey {
    ObjectKey { kind, namespace: Some(name.namespace.clone()), name: name.name.clone() }
}
