//! Of which objects something else is to be said than before.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{NamespacedName, ObjectKey, ObjectKind};
use crate::translate::StatusReport;

/// Adds the objects of which something else is said now.
pub(super) fn differences(
    before: &StatusReport,
    now: &StatusReport,
    changed: &mut BTreeSet<ObjectKey>,
) {
    differing(&before.gateway_classes, &now.gateway_classes, |name| {
        let kind = ObjectKind::GatewayClass;
        changed.insert(ObjectKey { kind, namespace: None, name: name.clone() });
    });
    let key = |kind, name: &NamespacedName| ObjectKey {
        kind,
        namespace: Some(name.namespace.clone()),
        name: name.name.clone(),
    };
    differing(&before.gateways, &now.gateways, |name| {
        changed.insert(key(ObjectKind::Gateway, name));
    });
    differing(&before.tcp_routes, &now.tcp_routes, |name| {
        changed.insert(key(ObjectKind::TcpRoute, name));
    });
}

/// Calls `found` for each key whose value differs.
pub(super) fn differing<K: Ord, V: PartialEq>(
    before: &BTreeMap<K, V>,
    now: &BTreeMap<K, V>,
    mut found: impl FnMut(&K),
) {
    before.keys().filter(|key| !now.contains_key(key)).for_each(&mut found);
    now.iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .for_each(|(key, _)| found(key));
}
