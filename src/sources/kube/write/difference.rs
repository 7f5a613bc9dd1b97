//! Of which objects something else is to be said than before.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{NamespacedName, ObjectKey, ObjectKind, ObjectName};
use crate::sources::StatusUpdate;

/// Adds the objects of which something else is said now, or of which what is said is said anew,
/// since they are others.
pub(super) fn differences(
    before: &StatusUpdate,
    now: &StatusUpdate,
    changed: &mut BTreeSet<ObjectKey>,
) {
    let (objects, objects_now) = (&before.resources, &now.resources);
    let (status, status_now) = (&before.status, &now.status);
    let class = |name: &ObjectName| ObjectKey {
        kind: ObjectKind::GatewayClass,
        namespace: None,
        name: name.clone(),
    };
    let mut found = |name: &ObjectName| {
        changed.insert(class(name));
    };
    differing(&status.gateway_classes, &status_now.gateway_classes, &mut found);
    differing(&objects.gateway_classes, &objects_now.gateway_classes, &mut found);

    let key = |kind, name: &NamespacedName| ObjectKey {
        kind,
        namespace: Some(name.namespace.clone()),
        name: name.name.clone(),
    };
    let mut found = |name: &NamespacedName| {
        changed.insert(key(ObjectKind::Gateway, name));
    };
    differing(&status.gateways, &status_now.gateways, &mut found);
    differing(&objects.gateways, &objects_now.gateways, &mut found);
    let mut found = |name: &NamespacedName| {
        changed.insert(key(ObjectKind::TcpRoute, name));
    };
    differing(&status.tcp_routes, &status_now.tcp_routes, &mut found);
    differing(&objects.tcp_routes, &objects_now.tcp_routes, &mut found);
}

/// Calls `found` for each key whose value differs.
pub(super) fn differing<K: Ord, V: PartialEq>(
    before: &BTreeMap<K, V>,
    now: &BTreeMap<K, V>,
    mut found: impl FnMut(&K),
) {
    // Where nothing has happened, it is the same map as before.
    if std::ptr::eq(before, now) {
        return;
    }
    before.keys().filter(|key| !now.contains_key(key)).for_each(&mut found);
    now.iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .for_each(|(key, _)| found(key));
}
