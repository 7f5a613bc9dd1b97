//! References to Gateways and GatewayClasses that do not exist.
//!
//! The specification gives such an object no status, because another controller may be responsible
//! for it. If this gateway serves all classes, no other controller is, so that an Event reports the
//! reference.

use std::ptr;

use crate::model::{
    Gateway, NamespacedName, ObjectKey, ObjectKind, ParentRef, Resources, TcpRoute,
};
use crate::sources::events::Warning;

/// Returns the objects with references that do not exist now, unless the same object had the same
/// ones before.
pub(super) fn find_new(before: &Resources, now: &Resources) -> Vec<(ObjectKey, Warning)> {
    let mut found = Vec::new();
    // Most changes are those of endpoints, and snapshots share the other maps.
    if ptr::eq(&*before.gateway_classes, &*now.gateway_classes)
        && ptr::eq(&*before.gateways, &*now.gateways)
        && ptr::eq(&*before.tcp_routes, &*now.tcp_routes)
    {
        return found;
    }
    for (name, gateway) in now.gateways.iter() {
        let Some(warning) = check_gateway(now, gateway) else { continue };
        let known = before.gateways.get(name);
        let known = known.filter(|known| known.metadata.uid == gateway.metadata.uid);
        if known.and_then(|known| check_gateway(before, known)).as_ref() != Some(&warning) {
            found.push((ObjectKey::namespaced(ObjectKind::Gateway, name), warning));
        }
    }
    for (name, route) in now.tcp_routes.iter() {
        let Some(warning) = check_route(now, name, route) else { continue };
        let known = before.tcp_routes.get(name);
        let known = known.filter(|known| known.metadata.uid == route.metadata.uid);
        if known.and_then(|known| check_route(before, name, known)).as_ref() != Some(&warning) {
            found.push((ObjectKey::namespaced(ObjectKind::TcpRoute, name), warning));
        }
    }
    found
}

/// Returns the warning about the references of an object that do not exist.
pub(super) fn find(resources: &Resources, key: &ObjectKey) -> Option<Warning> {
    let name = key.namespaced_name()?;
    match key.kind {
        ObjectKind::Gateway => check_gateway(resources, resources.gateways.get(&name)?),
        ObjectKind::TcpRoute => check_route(resources, &name, resources.tcp_routes.get(&name)?),
        _ => None,
    }
}

fn check_gateway(resources: &Resources, gateway: &Gateway) -> Option<Warning> {
    let class = &gateway.spec.gateway_class_name;
    let message = || {
        format!(
            "GatewayClass {class} does not exist, so the listeners of this Gateway are closed; create the class, or set spec.gatewayClassName to another one."
        )
    };
    let is_missing = !resources.gateway_classes.contains_key(class);
    is_missing.then(|| Warning::new("AcceptGateway", "GatewayClassNotFound", message()))
}

fn check_route(resources: &Resources, name: &NamespacedName, route: &TcpRoute) -> Option<Warning> {
    let parents = route.spec.parent_refs.iter().enumerate();
    let problems: Vec<_> = parents
        .filter_map(|(index, parent)| {
            let problem = check_parent(resources, name, parent)?;
            Some(format!("spec.parentRefs[{index}]: {problem}"))
        })
        .collect();
    let warning = || Warning::new("AttachRoute", "ParentNotFound", problems.join(" "));
    (!problems.is_empty()).then(warning)
}

fn check_parent(
    resources: &Resources,
    route: &NamespacedName,
    parent: &ParentRef,
) -> Option<String> {
    if !parent.is_gateway() {
        let ParentRef { kind, name, .. } = parent;
        return Some(format!(
            "{kind} {name} is not a Gateway, and no other kind is supported; refer to a Gateway."
        ));
    }
    let namespace = parent.namespace.as_ref().unwrap_or(&route.namespace).clone();
    let name = NamespacedName { namespace, name: parent.name.clone() };
    let Some(gateway) = resources.gateways.get(&name) else {
        return Some(format!(
            "Gateway {name} does not exist; create it, or correct the reference."
        ));
    };
    let class = &gateway.spec.gateway_class_name;
    let is_missing = !resources.gateway_classes.contains_key(class);
    is_missing.then(|| {
        format!(
            "GatewayClass {class} of Gateway {name} does not exist; create it, or correct spec.gatewayClassName of the Gateway."
        )
    })
}
