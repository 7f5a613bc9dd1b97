//! Routes: the listeners that they are attached to, and the backends that get their traffic.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sluicegate::model::*;
use sluicegate::plan::{Plan, Routing, Target};
use sluicegate::translate::Translation;

use crate::objects::{OURS, objects};
use crate::{config, is_true, resources, translated};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn listener_counts_attached_routes_and_the_first_wins(objects in objects()) {
        let resources = resources(&objects);
        let Translation { plan, status, .. } = translated(&objects);
        for (name, gateway) in &status.gateways {
            let spec = &resources.gateways[name].spec;
            prop_assert_eq!(gateway.listeners.len(), spec.listeners.len());
            for (listener, reported) in spec.listeners.iter().zip(&gateway.listeners) {
                let attached: Vec<_> = resources
                    .tcp_routes
                    .iter()
                    .filter(|(route_name, route)| {
                        is_admitted(&resources, listener, &name.namespace, &route_name.namespace)
                            && status.tcp_routes.get(*route_name).is_some_and(|status| {
                                has_accepted_parent(route_name, route, status, name, listener)
                            })
                    })
                    .collect();
                let count = reported.attached_routes as usize;
                prop_assert_eq!(count, attached.len(), "{}/{}", name, reported.name);
                let first = attached.iter().min_by_key(|(route_name, route)| {
                    let created = route.metadata.creation_timestamp;
                    (created.is_none(), created, route_name.to_string())
                });
                if is_true(&reported.conditions, &ConditionType::ACCEPTED)
                    && is_true(&gateway.conditions, &ConditionType::ACCEPTED)
                {
                    prop_assert_eq!(
                        routed(&plan, name, &reported.name),
                        first.map(|(route_name, _)| *route_name)
                    );
                }
            }
        }
    }

    #[test]
    fn backends_keep_their_weight(objects in objects()) {
        let resources = resources(&objects);
        for (listener, plan) in translated(&objects).plan.listeners {
            let Routing::Single(routed) = plan.routing else { continue };
            let weights: Vec<_> = routed.shares.iter().map(|share| share.weight).collect();
            let route = &resources.tcp_routes[&routed.id.name];
            let asked: Vec<_> = route
                .rule()
                .into_iter()
                .flat_map(|rule| &rule.backend_refs)
                .map(|backend| backend.weight.get())
                .collect();
            prop_assert_eq!(weights, asked, "{}", listener);
            for share in &routed.shares {
                if let Target::Backend(backend) = &share.target {
                    let endpoints = &backend.endpoints;
                    prop_assert!(!endpoints.is_empty());
                    let is_sorted = endpoints.is_sorted_by(|one, other| one.address < other.address);
                    prop_assert!(is_sorted, "{:?}", endpoints);
                }
            }
        }
    }
}

/// Returns the route that has the traffic of a listener.
fn routed<'a>(
    plan: &'a Plan,
    gateway: &NamespacedName,
    listener: &SectionName,
) -> Option<&'a NamespacedName> {
    let (_, plan) = plan
        .listeners
        .iter()
        .find(|(id, _)| id.gateway == *gateway && id.listener == *listener)
        .unwrap();
    match &plan.routing {
        Routing::Single(route) => Some(&route.id.name),
        _ => None,
    }
}

/// Returns `true` if a listener's `allowedRoutes` admit a TCPRoute from this namespace.
fn is_admitted(
    resources: &Resources,
    listener: &Listener,
    own: &NamespaceName,
    from: &NamespaceName,
) -> bool {
    let AllowedRoutes { namespaces, kinds } = &listener.allowed_routes;
    let tcp_route = |kind: &RouteGroupKind| kind.group == GATEWAY_GROUP && kind.kind == "TCPRoute";
    let mut labels = resources
        .namespaces
        .get(from.as_str())
        .map_or_else(Labels::new, |namespace| namespace.metadata.labels.clone());
    labels.insert(NAMESPACE_NAME_LABEL.to_owned(), from.to_string());
    let admits_namespace = match namespaces.from {
        FromNamespaces::All => true,
        FromNamespaces::Same => from == own,
        FromNamespaces::Selector => {
            namespaces.selector.as_ref().is_some_and(|selector| selector.matches(&labels))
        }
    };
    listener.protocol == Protocol::Tcp
        && (kinds.is_empty() || kinds.iter().any(tcp_route))
        && admits_namespace
}

/// Returns `true` if one of the route's accepted parents selects the listener.
fn has_accepted_parent(
    name: &NamespacedName,
    route: &TcpRoute,
    status: &RouteStatus,
    gateway: &NamespacedName,
    listener: &Listener,
) -> bool {
    let selects = |parent: &ParentRef| {
        parent.kind == "Gateway"
            && parent.name == gateway.name
            && *parent.namespace.as_ref().unwrap_or(&name.namespace) == gateway.namespace
            && parent.section_name.as_ref().is_none_or(|section| *section == listener.name)
            && parent.port.is_none_or(|port| port == listener.port)
    };
    let accepted: BTreeMap<_, _> = status
        .parents
        .iter()
        .filter(|parent| parent.controller_name == OURS)
        .map(|parent| {
            let is_accepted = is_true(&parent.conditions, &ConditionType::ACCEPTED);
            (format!("{:?}", parent.parent_ref), is_accepted)
        })
        .collect();
    route.spec.parent_refs.iter().any(|parent| selects(parent) && accepted[&format!("{parent:?}")])
}
