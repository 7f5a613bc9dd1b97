//! Orphans: Services and EndpointSlices that their Gateway no longer needs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::desired::DesiredObject;
use super::owned_metadata::{CLASS_LABEL, MANAGED_BY, MANAGED_BY_LABEL, to_label_value};
use crate::model::{GatewayServiceLookup, NamespacedName, ObjectKey, Resources, StatusReport};

/// Returns `true` if an object that a Gateway owns must be deleted: the Gateway has changed its
/// class, and either has another Service now, or the new class belongs to another controller.
///
/// Objects of a deleted Gateway are garbage-collected by Kubernetes. A Gateway that is not
/// accepted, or whose class is not accepted, keeps its objects, so that it keeps its address.
pub(in crate::sources::kube) fn is_orphaned(
    live: &Value,
    key: &ObjectKey,
    resources: &Resources,
    report: &StatusReport,
    desired: &BTreeMap<ObjectKey, DesiredObject>,
) -> bool {
    let Some(class) = managed_class(live, report).filter(|_| !desired.contains_key(key)) else {
        return false;
    };
    let Some(gateway) = find_owner(live, key) else { return false };
    let Some(gateway) = resources.gateways.get(&gateway) else { return false };
    let current_class = &gateway.spec.gateway_class_name;
    let is_served = report.gateway_classes.contains_key(current_class);
    let has_service = matches!(resources.service_of(gateway), GatewayServiceLookup::Owned(_));
    class != to_label_value(current_class) && (has_service || !is_served)
}

/// Returns the class, as a label value, for which this program created an object, if this
/// controller serves the class. Other controllers create objects for their Gateways too, and this
/// program may run several times in a cluster, for different classes.
fn managed_class<'a>(live: &'a Value, report: &StatusReport) -> Option<&'a str> {
    let labels = &live["metadata"]["labels"];
    let class = labels[CLASS_LABEL].as_str().filter(|_| labels[MANAGED_BY_LABEL] == MANAGED_BY)?;
    report.gateway_classes.keys().any(|name| to_label_value(name) == class).then_some(class)
}

/// Returns the Gateway that owns an object.
fn find_owner(live: &Value, key: &ObjectKey) -> Option<NamespacedName> {
    let owners = live["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut gateways = owners.filter(|owner| owner["kind"] == "Gateway");
    let name = gateways.find_map(|owner| owner["name"].as_str())?.parse().ok()?;
    Some(NamespacedName { namespace: key.namespace.clone()?, name })
}
