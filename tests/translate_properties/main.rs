//! Properties of translation for random objects.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod loops;
mod messages;
mod objects;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;
use sluicegate::model::*;
use sluicegate::plan::{Plan, Routing, Target};
use sluicegate::translate::{Addresses, Assignments, Settings, Translation, translate};

use self::objects::{OURS, objects, overlap, parse, settings};

fn translated(objects: &[Object]) -> Translation {
    let settings = Settings::default().with_controller(parse(OURS));
    translate(&resources(objects), &settings, &Assignments::default())
}

fn resources(objects: &[Object]) -> Resources {
    objects.iter().cloned().collect()
}

fn is_true(conditions: &[Condition], condition_type: &ConditionType) -> bool {
    find_condition(conditions, condition_type).unwrap().status == ConditionStatus::True
}

/// Without optimisation, the default generator would take most of the time.
fn config() -> ProptestConfig {
    ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn object_order_does_not_matter(
        (objects, shuffled) in objects().prop_flat_map(|objects| (Just(objects.clone()), Just(objects).prop_shuffle())),
        settings in settings(),
    ) {
        let translated = |objects: &[Object]| {
            translate(&resources(objects), &settings, &Assignments::default())
        };
        prop_assert_eq!(translated(&objects), translated(&shuffled));
    }

    #[test]
    fn unrelated_object_changes_nothing_else(
        objects in objects(),
        unrelated in unrelated(),
        settings in settings(),
    ) {
        let translated = |objects: &[Object]| {
            translate(&resources(objects), &settings, &Assignments::default())
        };
        let before = translated(&objects);
        let after = translated(&[&objects[..], &[unrelated][..]].concat());
        prop_assert_eq!(before.plan, after.plan);
        prop_assert_eq!(before.status, after.status);
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

    #[test]
    fn bind_addresses_are_distinct(objects in objects(), settings in settings()) {
        let plan = translate(&resources(&objects), &settings, &Assignments::default()).plan;
        for (id, listener) in &plan.listeners {
            // One socket may serve several of the listener's own addresses.
            for one in &listener.addresses {
                for two in &listener.addresses {
                    let clash = one.bind != two.bind && overlap(one.bind.address.ip(), two.bind.address.ip());
                    prop_assert!(!clash, "{id} {one:?}, {two:?}");
                }
            }
            for (other_id, other) in plan.listeners.iter().filter(|(other, _)| *other > id) {
                for one in &listener.addresses {
                    for two in &other.addresses {
                        let clash = one.bind.address.port() == two.bind.address.port()
                            && overlap(one.bind.address.ip(), two.bind.address.ip());
                        prop_assert!(!clash, "{id} {one:?}, {other_id} {two:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn listener_counts_attached_routes_and_the_first_wins(objects in objects()) {
        let resources = resources(&objects);
        let Translation { plan, status, .. } = translated(&objects);
        for (name, gateway) in &status.gateways {
            let spec = &resources.gateways[name].spec;
            prop_assert_eq!(gateway.listeners.len(), spec.listeners.len());
            for (listener, said) in spec.listeners.iter().zip(&gateway.listeners) {
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
                prop_assert_eq!(said.attached_routes as usize, attached.len(), "{}/{}", name, said.name);
                let first = attached.iter().min_by_key(|(route_name, route)| {
                    let created = route.metadata.creation_timestamp;
                    (created.is_none(), created, route_name.to_string())
                });
                if is_true(&said.conditions, &ConditionType::ACCEPTED)
                    && is_true(&gateway.conditions, &ConditionType::ACCEPTED)
                {
                    prop_assert_eq!(
                        routed(&plan, name, &said.name),
                        first.map(|(route_name, _)| *route_name)
                    );
                }
            }
        }
    }

    #[test]
    fn conditions_are_consistent_with_the_plan(objects in objects()) {
        let Translation { plan, status, .. } = translated(&objects);
        let mut open = 0;
        for (name, gateway) in &status.gateways {
            let accepted = is_true(&gateway.conditions, &ConditionType::ACCEPTED);
            prop_assert_eq!(is_true(&gateway.conditions, &ConditionType::PROGRAMMED), accepted);
            let mut valid = 0;
            for listener in &gateway.listeners {
                let is_valid = is_true(&listener.conditions, &ConditionType::ACCEPTED);
                let programmed = is_true(&listener.conditions, &ConditionType::PROGRAMMED);
                prop_assert_eq!(programmed, is_valid && accepted, "{}/{}", name, listener.name);
                let resolved = find_condition(&listener.conditions, &ConditionType::RESOLVED_REFS);
                prop_assert!(resolved.is_some() || !is_valid, "{}/{}", name, listener.name);
                prop_assert!(is_valid || listener.supported_kinds.is_empty());
                valid += usize::from(is_valid);
                open += usize::from(programmed);
            }
            prop_assert!(!accepted || valid > 0 || gateway.listeners.is_empty());
            prop_assert_eq!(gateway.addresses.is_empty(), !accepted || valid == 0);
        }
        prop_assert_eq!(plan.listeners.len(), open);
    }

    #[test]
    fn programmed_listeners_are_in_the_plan_and_advertised(
        objects in objects(),
        settings in settings(),
    ) {
        let Translation { plan, status, .. } =
            translate(&resources(&objects), &settings, &Assignments::default());
        let mut open = 0;
        for (name, gateway) in &status.gateways {
            for listener in &gateway.listeners {
                let programmed = is_true(&listener.conditions, &ConditionType::PROGRAMMED);
                prop_assert!(!programmed || is_true(&listener.conditions, &ConditionType::ACCEPTED));
                open += usize::from(programmed);
            }
            if is_true(&gateway.conditions, &ConditionType::PROGRAMMED) {
                prop_assert!(is_true(&gateway.conditions, &ConditionType::ACCEPTED));
                prop_assert!(gateway.listeners.is_empty() || !gateway.addresses.is_empty(), "{}", name);
            }
        }
        prop_assert_eq!(plan.listeners.len(), open);
    }

    #[test]
    fn pool_addresses_are_exclusive_and_stable(
        objects in objects(),
        also in objects(),
        settings in settings(),
    ) {
        let before = resources(&objects);
        let Translation { status, assignments, .. } =
            translate(&before, &settings, &Assignments::default());
        let assigned = &assignments.addresses;
        let mut holders = BTreeMap::new();
        for (name, address) in assigned.iter().flat_map(|(name, all)| all.iter().map(move |ip| (name, ip))) {
            prop_assert!(holders.insert(address, name).is_none_or(|other| other == name), "{}", address);
        }

        // Others come, and those that were there already are as they were.
        let mut after = before.clone();
        after.extend(also.into_iter().filter(|object| before.get(&object.key()).is_none()));
        let assigned_after = translate(&after, &settings, &assignments).assignments.addresses;
        for (name, addresses) in assigned {
            prop_assert_eq!(assigned_after.get(name), Some(addresses), "{}", name);
        }

        // A replica that knows only the status assigns the same addresses.
        for (name, gateway) in &status.gateways {
            let mut object = Gateway::clone(&before.gateways[name]);
            object.status = Some(gateway.clone());
            after.insert(object);
        }
        let translation = translate(&after, &settings, &Assignments::default());
        let assigned_again = translation.assignments.addresses;
        for (name, _) in status.gateways.iter().filter(|(_, gateway)| !gateway.addresses.is_empty()) {
            prop_assert_eq!(assigned_again.get(name), assigned.get(name), "{}", name);
        }
    }

    #[test]
    fn pod_ports_are_exclusive_and_stable(objects in objects(), also in objects()) {
        let settings = Settings::default().with_addresses(Addresses::Service("system".parse().unwrap()));
        let before = resources(&objects);
        let Translation { plan, gateway_services, assignments, .. } =
            translate(&before, &settings, &Assignments::default());
        let mut holders = BTreeMap::new();
        for (name, service) in &*gateway_services {
            for pod_port in service.pod_ports.values() {
                prop_assert!((20_000..=29_999).contains(&pod_port.get()));
                prop_assert_eq!(holders.insert(pod_port.get(), name), None);
            }
        }
        // Listeners bind nothing but the pod ports of their Gateway.
        for (id, listener) in &plan.listeners {
            for address in &listener.addresses {
                prop_assert_eq!(holders.get(&address.bind.address.port()), Some(&&id.gateway));
            }
        }

        // A Service decides about its Gateway's ports, so no Service is added.
        let mut after = before.clone();
        after.extend(also.into_iter().filter(|object| {
            before.get(&object.key()).is_none() && !matches!(object, Object::Service(_))
        }));
        let services_after = translate(&after, &settings, &assignments).gateway_services;
        for (name, service) in &*gateway_services {
            prop_assert_eq!(services_after.get(name), Some(service), "{}", name);
        }
    }

    #[test]
    fn foreign_route_status_is_kept(objects in objects()) {
        let resources = resources(&objects);
        let status = translated(&objects).status;
        let theirs = |parents: &[RouteParentStatus]| -> Vec<_> {
            parents.iter().filter(|parent| parent.controller_name != OURS).cloned().collect()
        };
        for (name, route) in &resources.tcp_routes {
            let before = route.status.as_ref().map_or(&[][..], |status| &status.parents);
            match status.tcp_routes.get(name) {
                Some(status) => prop_assert_eq!(theirs(&status.parents), theirs(before)),
                // Nothing is written: then nothing of ours may be left.
                None => prop_assert_eq!(theirs(before).len(), before.len()),
            }
        }
    }

    #[test]
    fn written_status_is_a_fixed_point(objects in objects()) {
        let mut resources = resources(&objects);
        let settings = Settings::default().with_controller(parse(OURS));
        let first = translate(&resources, &settings, &Assignments::default());
        for (name, status) in &first.status.tcp_routes {
            let mut route = TcpRoute::clone(&resources.tcp_routes[name]);
            route.status = Some(status.clone());
            resources.insert(route);
        }
        let mut again = translate(&resources, &settings, &Assignments::default());
        // Where our last entry has gone, there is nothing more to say.
        let without_ours = first.status.tcp_routes.iter().filter(|(_, status)| {
            status.parents.iter().all(|parent| parent.controller_name != OURS)
        });
        Arc::make_mut(&mut again.status)
            .tcp_routes
            .extend(without_ours.map(|(name, status)| (name.clone(), status.clone())));
        prop_assert_eq!(first, again);
    }
}

/// The route that has the traffic of a listener.
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

/// Whether a listener's `allowedRoutes` let in a TCPRoute from this namespace.
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
    let namespace_is_let_in = match namespaces.from {
        FromNamespaces::All => true,
        FromNamespaces::Same => from == own,
        FromNamespaces::Selector => {
            namespaces.selector.as_ref().is_some_and(|selector| selector.matches(&labels))
        }
    };
    listener.protocol == Protocol::Tcp
        && (kinds.is_empty() || kinds.iter().any(tcp_route))
        && namespace_is_let_in
}

/// Whether one of the route's accepted parents selects the listener.
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
        .filter(|said| said.controller_name == OURS)
        .map(|said| {
            (format!("{:?}", said.parent_ref), is_true(&said.conditions, &ConditionType::ACCEPTED))
        })
        .collect();
    route.spec.parent_refs.iter().any(|parent| selects(parent) && accepted[&format!("{parent:?}")])
}

/// Objects that nothing refers to.
fn unrelated() -> impl Strategy<Value = Object> {
    let metadata =
        ObjectMeta { namespace: Some(parse("elsewhere")), ..ObjectMeta::named(parse("unrelated")) };
    let gateway = Gateway {
        metadata: metadata.clone(),
        spec: GatewaySpec {
            gateway_class_name: parse("nobodys"),
            listeners: Vec::new(),
            addresses: Vec::new(),
            infrastructure: None,
            allowed_listeners: None,
            tls: None,
            default_scope: None,
        },
        status: None,
    };
    let route = TcpRoute {
        metadata: metadata.clone(),
        spec: TcpRouteSpec {
            parent_refs: vec![ParentRef::gateway(parse("g"))],
            use_default_gateways: None,
            rules: Vec::new(),
        },
        status: None,
    };
    proptest::sample::select(vec![
        gateway.into(),
        route.into(),
        Service { metadata, spec: ServiceSpec::default(), status: None }.into(),
        Namespace { metadata: ObjectMeta::named(parse("elsewhere")) }.into(),
    ])
}
