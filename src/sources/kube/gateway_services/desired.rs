//! The Services and EndpointSlices that should exist.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::Value;

use super::desired_service::DesiredService;
use super::desired_slice::DesiredSlice;
use super::template::ServiceTemplate;
use crate::model::{
    EndpointSlice, Gateway, GatewayServiceLookup, NamespacedName, ObjectKey, ObjectKind, Resources,
};
use crate::sources::StatusUpdate;

/// An object that should exist, and its owned fields.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sources::kube) enum DesiredObject {
    Service(DesiredService),
    Slice(DesiredSlice),
}

impl DesiredObject {
    /// Returns the live object with the owned fields set, or a new object; `None` if no object is
    /// needed.
    pub(in crate::sources::kube) fn apply_to(&self, live: Option<&Value>) -> Option<Value> {
        match self {
            Self::Service(service) => Some(service.apply_to(live)),
            Self::Slice(slice) => slice.apply_to(live),
        }
    }

    /// Stops requesting node ports, so that the API server assigns them. Returns `true` if any were
    /// requested.
    pub(in crate::sources::kube) fn drop_node_port_requests(&mut self) -> bool {
        match self {
            Self::Service(service) => service.drop_node_port_requests(),
            Self::Slice(_) => false,
        }
    }

    fn service(&self) -> Option<&DesiredService> {
        match self {
            Self::Service(service) => Some(service),
            Self::Slice(_) => None,
        }
    }
}

/// Returns the objects that should exist according to a report. `resources` are the current objects
/// of the cluster, which may be newer than the report, and `before` are the previous desired
/// objects.
pub(in crate::sources::kube) fn desired_objects(
    update: &StatusUpdate,
    resources: &Resources,
    template: &ServiceTemplate,
    before: &BTreeMap<ObjectKey, DesiredObject>,
) -> BTreeMap<ObjectKey, DesiredObject> {
    let replicas = replica_slices(resources, &template.replicas);
    let mut desired = BTreeMap::new();
    for (name, ports) in update.gateway_services.iter() {
        let Some(gateway) = update.resources.gateways.get(name) else { continue };
        if !can_own_service(gateway, resources) {
            continue;
        }
        let key = ObjectKey::namespaced(ObjectKind::Service, &gateway.service_name());
        // The Services of two new Gateways may have the same name. The first Gateway gets it.
        let Entry::Vacant(entry) = desired.entry(key) else { continue };
        let Some(mut service) = DesiredService::new(gateway, ports.clone(), template) else {
            continue;
        };
        let before = before.get(entry.key()).and_then(DesiredObject::service);
        let before = before.filter(|before| before.metadata.gateway() == *name);
        if before.is_some_and(|before| !before.requests_node_ports) {
            service.drop_node_port_requests();
        }
        let slices = DesiredSlice::of(&service, &replicas);
        entry.insert(DesiredObject::Service(service));
        desired.extend(slices.map(|slice| {
            let key = ObjectKey::namespaced(ObjectKind::EndpointSlice, slice.name());
            (key, DesiredObject::Slice(slice))
        }));
    }
    desired
}

/// Returns `true` if a Gateway still exists, and its Service exists or can be created.
fn can_own_service(gateway: &Gateway, resources: &Resources) -> bool {
    let current = resources.gateways.get(&gateway.metadata.namespaced_name());
    current.is_some_and(|current| current.metadata.uid == gateway.metadata.uid)
        && matches!(
            resources.service_of(gateway),
            GatewayServiceLookup::Missing | GatewayServiceLookup::Owned(_)
        )
}

/// Returns the slices of the Service whose endpoints are the replicas of this gateway.
fn replica_slices<'a>(
    resources: &'a Resources,
    service: &NamespacedName,
) -> Vec<&'a EndpointSlice> {
    let slices = resources.endpoint_slices.iter();
    let is_replica = |slice: &EndpointSlice| slice.service_name() == Some(service.name.as_str());
    slices
        .filter(|(name, slice)| name.namespace == service.namespace && is_replica(slice))
        .map(|(_, slice)| &**slice)
        .collect()
}
