//! References to Gateways and GatewayClasses that do not exist.
//!
//! The specification gives such an object no status, because another controller may be responsible
//! for it. If this gateway serves all classes, no other controller is, so that an Event reports the
//! reference.

use std::ptr;
use std::sync::Arc;

use crate::model::{
    Gateway, NamespacedName, ObjectKey, ObjectKind, ObjectName, ParentRef, Resources, Store,
    TcpRoute, merge_join,
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
    let has_other_classes = before.gateway_classes.keys().ne(now.gateway_classes.keys());
    for (name, known, gateway) in candidates(&before.gateways, &now.gateways, has_other_classes) {
        let Some(warning) = check_gateway(now, gateway) else { continue };
        let known = known.filter(|known| known.metadata.uid == gateway.metadata.uid);
        if known.and_then(|known| check_gateway(before, known)).as_ref() != Some(&warning) {
            found.push((ObjectKey::namespaced(ObjectKind::Gateway, name), warning));
        }
    }
    let has_other_parents =
        has_other_classes || classes_of_gateways(before).ne(classes_of_gateways(now));
    for (name, known, route) in candidates(&before.tcp_routes, &now.tcp_routes, has_other_parents) {
        let Some(warning) = check_route(now, name, route) else { continue };
        let known = known.filter(|known| known.metadata.uid == route.metadata.uid);
        if known.and_then(|known| check_route(before, name, known)).as_ref() != Some(&warning) {
            found.push((ObjectKey::namespaced(ObjectKind::TcpRoute, name), warning));
        }
    }
    found
}

/// Returns the objects to check, with their previous versions: those that changed, or all if the
/// objects to which they may refer are others.
fn candidates<'a, T: Eq>(
    before: &'a Store<NamespacedName, T>,
    now: &'a Store<NamespacedName, T>,
    includes_all: bool,
) -> impl Iterator<Item = (&'a NamespacedName, Option<&'a Arc<T>>, &'a Arc<T>)> {
    let pairs = merge_join(before, now);
    let pairs = pairs.filter(move |(_, before, now)| includes_all || before != now);
    pairs.filter_map(|(name, before, now)| Some((name, before, now?)))
}

/// Returns what a route needs to know of the Gateways: their names and classes.
fn classes_of_gateways(
    resources: &Resources,
) -> impl Iterator<Item = (&NamespacedName, &ObjectName)> {
    let gateways = resources.gateways.iter();
    gateways.map(|(name, gateway)| (name, &gateway.spec.gateway_class_name))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GatewayClass, ObjectMeta};

    fn named(name: &str) -> ObjectMeta {
        ObjectMeta::named(name.parse().unwrap())
    }

    fn gateway(name: &str, class: &str) -> Gateway {
        Gateway::new(named(name), class.parse().unwrap(), Vec::new())
    }

    fn route(name: &str, gateways: &[&str]) -> TcpRoute {
        let parents = gateways.iter().map(|name| ParentRef::gateway(name.parse().unwrap()));
        TcpRoute::new(named(name), parents.collect(), Vec::new())
    }

    fn class() -> GatewayClass {
        GatewayClass::new("c".parse().unwrap(), "example.com/c".parse().unwrap())
    }

    fn found(before: &Resources, now: &Resources) -> Vec<String> {
        find_new(before, now).into_iter().map(|(key, _)| key.to_string()).collect()
    }

    #[test]
    fn missing_reference_is_found_when_the_object_or_its_target_changes() {
        let mut first = Resources::new();
        first.insert(class());
        first.insert(gateway("g", "c"));
        first.insert(route("r", &["g"]));
        first.insert(route("wrong", &["none"]));
        assert_eq!(found(&Resources::new(), &first), ["TCPRoute default/wrong"]);

        let mut changed_route = first.clone();
        changed_route.insert(route("r", &["other"]));
        assert_eq!(found(&first, &changed_route), ["TCPRoute default/r"]);

        let mut other_class = first.clone();
        other_class.insert(gateway("g", "d"));
        assert_eq!(found(&first, &other_class), ["Gateway default/g", "TCPRoute default/r"]);

        let mut no_gateway = first.clone();
        no_gateway.gateways.clear();
        assert_eq!(found(&first, &no_gateway), ["TCPRoute default/r"]);

        let mut no_class = first.clone();
        no_class.gateway_classes.clear();
        assert_eq!(found(&first, &no_class), ["Gateway default/g", "TCPRoute default/r"]);
    }

    /// Returns a route to a Gateway that does not exist.
    fn first() -> (Resources, TcpRoute) {
        let mut first = Resources::new();
        let route = route("r", &["g"]);
        first.insert(route.clone());
        (first, route)
    }

    #[test]
    fn missing_reference_that_was_found_before_is_not_found_again() {
        let (first, mut changed) = first();
        let mut same_problem = first.clone();
        changed.metadata.generation = Some(2);
        same_problem.insert(changed);
        same_problem.insert(gateway("other", "c"));
        assert_eq!(found(&first, &same_problem), ["Gateway default/other"]);
    }

    #[test]
    fn another_missing_reference_of_the_same_object_is_found() {
        let (first, _) = first();
        let mut other_problem = first.clone();
        other_problem.insert(route("r", &["h"]));
        assert_eq!(found(&first, &other_problem), ["TCPRoute default/r"]);
    }

    #[test]
    fn missing_reference_of_an_object_that_was_created_again_is_found() {
        let (first, mut created_again) = first();
        let mut another_object = first.clone();
        created_again.metadata.uid = Some("new".into());
        another_object.insert(created_again);
        assert_eq!(found(&first, &another_object), ["TCPRoute default/r"]);
    }
}
