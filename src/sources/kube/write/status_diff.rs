//! The difference between two status reports.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{NamespacedName, ObjectKey, ObjectKind, ObjectName};
use crate::sources::StatusUpdate;

/// Adds every object whose status changed, and every object that itself changed since the last
/// report.
pub(super) fn add_changed_objects(
    before: &StatusUpdate,
    now: &StatusUpdate,
    changed: &mut BTreeSet<ObjectKey>,
) {
    let (objects, objects_now) = (&before.resources, &now.resources);
    let (status, status_now) = (&before.status, &now.status);
    let mut add = |name: &ObjectName| {
        changed.insert(ObjectKey {
            kind: ObjectKind::GatewayClass,
            namespace: None,
            name: name.clone(),
        });
    };
    for_each_difference(&status.gateway_classes, &status_now.gateway_classes, &mut add);
    for_each_difference(&objects.gateway_classes, &objects_now.gateway_classes, &mut add);

    let mut add = |name: &NamespacedName| {
        changed.insert(ObjectKey::namespaced(ObjectKind::Gateway, name));
    };
    for_each_difference(&status.gateways, &status_now.gateways, &mut add);
    for_each_difference(&objects.gateways, &objects_now.gateways, &mut add);

    for_each_difference(&objects.services, &objects_now.services, |name| {
        changed.insert(ObjectKey::namespaced(ObjectKind::Service, name));
    });
    let mut add = |name: &NamespacedName| {
        changed.insert(ObjectKey::namespaced(ObjectKind::TcpRoute, name));
    };
    for_each_difference(&status.tcp_routes, &status_now.tcp_routes, &mut add);
    for_each_difference(&objects.tcp_routes, &objects_now.tcp_routes, &mut add);
}

/// Calls `found` for each key whose value differs.
pub(super) fn for_each_difference<K: Ord, V: PartialEq>(
    before: &BTreeMap<K, V>,
    now: &BTreeMap<K, V>,
    mut found: impl FnMut(&K),
) {
    // Snapshots share the maps that did not change.
    if std::ptr::eq(before, now) {
        return;
    }
    before.keys().filter(|key| !now.contains_key(key)).for_each(&mut found);
    now.iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .for_each(|(key, _)| found(key));
}
