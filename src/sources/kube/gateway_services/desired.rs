//! The Services that should exist.

use std::collections::BTreeMap;

use super::desired_service::DesiredService;
use super::template::ServiceTemplate;
use crate::model::{
    Gateway, GatewayController, GatewayServiceLookup, ObjectKey, ObjectKind, Resources,
};
use crate::sources::StatusUpdate;

/// Returns the Services that should exist according to a report. `resources` are the current
/// objects of the cluster, which may be newer than the report, and `before` are the previous
/// desired Services.
pub(in crate::sources::kube) fn desired_services(
    update: &StatusUpdate,
    resources: &Resources,
    template: &ServiceTemplate,
    controller: &GatewayController,
    before: &BTreeMap<ObjectKey, DesiredService>,
) -> BTreeMap<ObjectKey, DesiredService> {
    let mut desired = BTreeMap::new();
    for (name, request) in update.gateway_services.iter() {
        let Some(gateway) = update.resources.gateways.get(name) else { continue };
        if !can_have_service(gateway, resources, template) {
            continue;
        }
        let Some(mut service) = DesiredService::new(gateway, request.clone(), template, controller)
        else {
            continue;
        };
        let key = ObjectKey::namespaced(ObjectKind::Service, &service.metadata.name);
        if before.get(&key).is_some_and(|before| before.has_dropped_node_ports(&service)) {
            service.drop_node_port_requests();
        }
        desired.insert(key, service);
    }
    desired
}

/// Returns `true` if a Gateway still exists, and its Service exists or can be created.
fn can_have_service(gateway: &Gateway, resources: &Resources, template: &ServiceTemplate) -> bool {
    let current = resources.gateways.get(&gateway.metadata.namespaced_name());
    current.is_some_and(|current| current.metadata.uid == gateway.metadata.uid)
        && matches!(
            resources.service_of(gateway, &template.namespace),
            GatewayServiceLookup::Missing | GatewayServiceLookup::Found(_)
        )
}
