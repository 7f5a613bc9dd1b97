//! The difference between two status reports.

use std::collections::{BTreeMap, BTreeSet};

use super::feed::StatusUpdate;
use crate::model::{NamespacedName, ObjectKey, ObjectKind, ObjectName, merge_join};

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
        changed.insert(class_key(name.clone()));
    };
    for_each_difference(&status.gateway_classes, &status_now.gateway_classes, &mut add);
    for_each_difference(&objects.gateway_classes, &objects_now.gateway_classes, &mut add);

    let mut add = |name: &NamespacedName| {
        changed.insert(ObjectKey::namespaced(ObjectKind::Gateway, name));
    };
    for_each_difference(&status.gateways, &status_now.gateways, &mut add);
    let mut classes = BTreeSet::new();
    for_each_difference(&objects.gateways, &objects_now.gateways, |name| {
        add(name);
        // The finalizer of a class depends on its Gateways.
        let versions = [objects.gateways.get(name), objects_now.gateways.get(name)];
        let versions = versions.into_iter().flatten();
        classes.extend(versions.map(|gateway| gateway.spec.gateway_class_name.clone()));
    });
    changed.extend(classes.into_iter().map(class_key));

    for_each_difference(&objects.services, &objects_now.services, |name| {
        changed.insert(ObjectKey::namespaced(ObjectKind::Service, name));
    });
    let mut add = |name: &NamespacedName| {
        changed.insert(ObjectKey::namespaced(ObjectKind::TcpRoute, name));
    };
    for_each_difference(&status.tcp_routes, &status_now.tcp_routes, &mut add);
    for_each_difference(&objects.tcp_routes, &objects_now.tcp_routes, &mut add);
}

fn class_key(name: ObjectName) -> ObjectKey {
    ObjectKey { kind: ObjectKind::GatewayClass, namespace: None, name }
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
    for (key, before, now) in merge_join(before, now) {
        if before != now {
            found(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Gateway, Resources, StatusReport};

    fn update(gateways: &[(&str, &str)]) -> StatusUpdate {
        let gateway = |(name, class): &(&str, &str)| -> Gateway {
            let listeners = json!([{ "name": "l", "protocol": "TCP", "port": 1 }]);
            serde_json::from_value(json!({
                "metadata": { "namespace": "n", "name": name },
                "spec": { "gatewayClassName": class, "listeners": listeners },
            }))
            .unwrap()
        };
        StatusUpdate {
            resources: Resources::from_iter(gateways.iter().map(gateway)).into(),
            status: StatusReport::default().into(),
            gateway_services: Default::default(),
        }
    }

    fn changed(before: &[(&str, &str)], now: &[(&str, &str)]) -> Vec<String> {
        let mut changed = BTreeSet::new();
        add_changed_objects(&update(before), &update(now), &mut changed);
        changed.iter().map(ToString::to_string).collect()
    }

    /// A change of one Gateway among many classes must not cause a comparison of all of them.
    #[test]
    fn change_of_a_gateway_concerns_the_classes_of_both_versions() {
        let moved = changed(&[("g", "a"), ("h", "c")], &[("g", "b"), ("h", "c")]);
        assert_eq!(moved, ["GatewayClass a", "GatewayClass b", "Gateway n/g"]);
        let deleted = changed(&[("g", "a"), ("h", "c")], &[("h", "c")]);
        assert_eq!(deleted, ["GatewayClass a", "Gateway n/g"]);
        assert!(changed(&[("g", "a")], &[("g", "a")]).is_empty());
    }
}
