//! The length of messages, for objects with the longest names and as many parts as an API server
//! admits.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::iter::once;
use std::str::FromStr;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sluicegate::model::*;
use sluicegate::plan::{BindError, BindErrorKind, ListenerId, Plan};
use sluicegate::translate::{Assignments, Settings, translate};

use crate::objects::service_labels;

use super::objects::parse;

/// The limit of an Event's note. The CRDs allow more, but an API server refuses the whole status if
/// one message is over their limit.
const MAX_MESSAGE_CHARS: usize = 1024;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..super::config() })]

    #[test]
    fn messages_have_at_most_1024_characters(scenario in scenario()) {
        let Scenario { objects, settings, bind_errors } = scenario;
        let resources: Resources = objects.into_iter().collect();
        let mut translation = translate(&resources, &settings, &Assignments::default());
        for with_errors in [false, true] {
            if with_errors {
                translation.set_bind_errors(all_bind_errors(&translation.plan, &bind_errors));
            }
            for condition in conditions(&translation.status) {
                let length = condition.message.chars().count();
                prop_assert!(length <= MAX_MESSAGE_CHARS, "{} {:#?}", length, condition);
            }
        }
    }
}

#[derive(Debug)]
struct Scenario {
    objects: Vec<Object>,
    settings: Settings,
    bind_errors: Vec<(BindErrorKind, String)>,
}

fn conditions(status: &StatusReport) -> impl Iterator<Item = &Condition> {
    let classes = status.gateway_classes.values().flat_map(|class| &class.conditions);
    let gateways = status.gateways.values().flat_map(|gateway| {
        let listeners = gateway.listeners.iter().flat_map(|listener| &listener.conditions);
        gateway.conditions.iter().chain(listeners)
    });
    let parents = status.tcp_routes.values().flat_map(|route| &route.parents);
    classes.chain(gateways).chain(parents.flat_map(|parent| &parent.conditions))
}

/// The same errors for every address of every listener.
fn all_bind_errors(
    plan: &Plan,
    errors: &[(BindErrorKind, String)],
) -> BTreeMap<ListenerId, Vec<BindError>> {
    let of_listener = |(id, listener): (&ListenerId, &sluicegate::plan::ListenerPlan)| {
        let addresses = listener.addresses.iter().zip(errors.iter().cycle());
        let errors = addresses
            .map(|(address, (kind, message))| BindError::new(address.bind, *kind, message.clone()));
        (id.clone(), errors.collect())
    };
    plan.listeners.iter().map(of_listener).collect()
}

fn scenario() -> impl Strategy<Value = Scenario> {
    let errors = select(vec![
        BindErrorKind::PortUnavailable,
        BindErrorKind::AddressNotUsable,
        BindErrorKind::NoResources,
    ]);
    let gateway = (gateway(), vec(listener(), 1..=64), any::<bool>());
    (
        vec(gateway, 1..=2),
        vec((backends(), any::<bool>()), 2..=4),
        services(),
        vec((errors, "[a-zü ]{0,300}"), 1..4),
        settings(),
        name_length(),
    )
        .prop_map(|(gateways, routes, services, bind_errors, settings, length)| {
            let name = |index| long_name("gateway", index, length);
            let mut objects = vec![class()];
            for (index, (gateway, listeners, share_port)) in gateways.into_iter().enumerate() {
                let numbered = listeners.into_iter().enumerate();
                let listeners = numbered.map(|(index, listener)| Listener {
                    name: long_name("listener", index, length),
                    port: port(if share_port { 5000 } else { 5000 + index as u16 }),
                    ..listener
                });
                let metadata = ObjectMeta { uid: Some("g".into()), ..metadata(name(index)) };
                let spec = GatewaySpec { listeners: listeners.collect(), ..gateway };
                let gateway = Gateway { metadata, spec, status: None };
                objects.push(service_of(&gateway));
                objects.push(gateway.into());
            }
            for (index, (backend_refs, is_bare)) in routes.into_iter().enumerate() {
                let parent_refs = (0..2).map(|gateway| ParentRef {
                    section_name: (!is_bare).then(|| long_name("listener", index, length)),
                    ..ParentRef::gateway(name(gateway))
                });
                let metadata = metadata(long_name("route", index, length));
                objects.push(TcpRoute::new(metadata, parent_refs.collect(), backend_refs).into());
            }
            objects.extend(services);
            Scenario { objects, settings, bind_errors }
        })
}

fn class() -> Object {
    let spec = GatewayClassSpec {
        controller_name: parse("example.com/ours"),
        parameters_ref: None,
        description: None,
    };
    GatewayClass { metadata: ObjectMeta::named(parse("ours")), spec, status: None }.into()
}

fn gateway() -> impl Strategy<Value = GatewaySpec> {
    let ip = prop_oneof!["10.0.0.[1-9]", "10.9.[0-9]{2}.[1-9]", Just(String::new())];
    let address =
        |value| GatewayAddress { address_type: GatewayAddressType::IpAddress, value: Some(value) };
    let hostname = Just(GatewayAddress {
        address_type: GatewayAddressType::Hostname,
        value: Some(text("host", 0, 253)),
    });
    let addresses = vec(ip.prop_map(address), 0..=16);
    (addresses, option::weighted(0.05, hostname)).prop_map(|(mut addresses, hostname)| {
        addresses.extend(hostname);
        GatewaySpec {
            gateway_class_name: parse("ours"),
            listeners: Vec::new(),
            addresses,
            infrastructure: None,
            allowed_listeners: None,
            tls: None,
            default_scope: None,
        }
    })
}

/// Name and port are set later.
fn listener() -> impl Strategy<Value = Listener> {
    let protocol = prop_oneof![
        9 => Just(Protocol::Tcp),
        1 => Just(Protocol::Other(text("protocol", 0, 255).into())),
    ];
    let from = prop_oneof![9 => Just(FromNamespaces::Same), 1 => Just(FromNamespaces::Selector)];
    let kind = |index| RouteGroupKind {
        group: long_name("group", index, 253),
        kind: format!("Kind{index:059}").parse().unwrap(),
    };
    let kinds =
        option::weighted(0.1, (0..=8usize).prop_map(move |count| (0..count).map(kind).collect()));
    (protocol, from, kinds).prop_map(|(protocol, from, kinds)| Listener {
        name: parse("l"),
        hostname: None,
        port: port(1),
        protocol,
        tls: None,
        allowed_routes: AllowedRoutes {
            namespaces: RouteNamespaces { from, selector: None },
            kinds: kinds.unwrap_or_default(),
        },
    })
}

/// References to the Services of [`services`], and to other objects.
fn backends() -> impl Strategy<Value = Vec<BackendRef>> {
    let backend = (0..4usize, select(vec!["Service", "Bucket"]), any::<bool>(), 80..83u16);
    let backend = backend.prop_map(|(name, kind, is_foreign, number)| BackendRef {
        kind: parse(kind),
        namespace: is_foreign.then(|| parse(&"n".repeat(63))),
        ..BackendRef::service(long_name("service", name, 253), port(number))
    });
    vec(backend, 0..=16)
}

fn services() -> impl Strategy<Value = Vec<Object>> {
    let service = |index| {
        (1..=200u16, any::<bool>(), 0..20usize).prop_map(move |(ports, is_named, slices)| {
            let metadata = metadata(long_name("service", index, 253));
            let mut service = Service::new(metadata, port(80));
            service.spec.ports = once(80)
                .chain(1000..1000 + ports)
                .map(|number| ServicePort {
                    name: is_named.then(|| format!("{number:063}")),
                    ..ServicePort::tcp(port(number))
                })
                .collect();
            let slices: Vec<_> = (0..slices)
                .map(|number| {
                    let mut slice = EndpointSlice::new(&service, port(80), []);
                    slice.metadata.name = long_name("slice", 100 * index + number, 253);
                    slice.ports[0].name = Some(format!("{number:x>63}"));
                    Object::from(slice)
                })
                .collect();
            once(service.into()).chain(slices).collect::<Vec<Object>>()
        })
    };
    (service(0), service(1)).prop_map(|(one, other)| [one, other].concat())
}

/// The Service in front of a Gateway, whose ports target those of another one.
fn service_of(gateway: &Gateway) -> Object {
    let metadata = ObjectMeta {
        namespace: Some("system".parse().unwrap()),
        labels: service_labels("g"),
        ..ObjectMeta::named(gateway.service_name())
    };
    let mut service = Service::new(metadata, port(1));
    service.spec.ports = (0..64)
        .map(|index| ServicePort {
            target_port: Some(TargetPort::Number(port(20_000 + index % 32))),
            ..ServicePort::tcp(port(5000 + index))
        })
        .collect();
    service.into()
}

fn settings() -> impl Strategy<Value = Settings> {
    let ranges: Vec<_> =
        (0..200).map(|index| format!("10.0.0.1-10.0.0.3,10.1.{index}.1")).collect();
    select(vec!["host".to_owned(), "service/system".to_owned(), ranges.join(",")])
        .prop_map(|addresses| Settings::default().with_addresses(parse(&addresses)))
}

fn metadata(name: ObjectName) -> ObjectMeta {
    ObjectMeta { namespace: Some(parse(&"m".repeat(63))), ..ObjectMeta::named(name) }
}

fn port(number: u16) -> PortNumber {
    PortNumber::new(number).unwrap()
}

fn name_length() -> impl Strategy<Value = usize> {
    select(vec![20, 63, 150, 253])
}

fn long_name<T: FromStr<Err: Debug>>(prefix: &str, index: usize, length: usize) -> T {
    parse(&text(prefix, index, length))
}

/// A valid name of this length: labels of at most 63 characters, between dots.
fn text(prefix: &str, index: usize, length: usize) -> String {
    let mut name = format!("{prefix}{index}");
    while name.len() < length {
        name.push(if name.len() % 50 == 0 { '.' } else { 'x' });
    }
    if name.ends_with('.') {
        name.pop();
    }
    name
}
