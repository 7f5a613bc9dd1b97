//! Random objects with few names, ports and ages, so that they conflict often. Many of them violate
//! the rules of an API server, because translation must not rely on validation.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::IpAddr;
use std::str::FromStr;

use proptest::collection::vec;
use proptest::option::{self, of};
use proptest::prelude::*;
use proptest::sample::select;
use sluicegate::model::*;
use sluicegate::translate::Settings;

/// The controller that translation is done for.
pub(crate) const OURS: &str = "example.com/ours";

const NAMESPACES: &[&str] = &["a", "a-b", "b"];

/// The namespace of the Services of Gateways.
const SERVICE_NAMESPACE: &str = "system";

/// Objects that all have names of their own.
pub(crate) fn objects() -> impl Strategy<Value = Vec<Object>> {
    let object = prop_oneof![
        1 => class().prop_map(Object::from),
        4 => gateway().prop_map(Object::from),
        6 => route().prop_map(Object::from),
        2 => grant().prop_map(Object::from),
        1 => namespace().prop_map(Object::from),
        3 => service().prop_map(Object::from),
        3 => slice().prop_map(Object::from),
    ];
    // One class is there every time, or else most cases would come to nothing.
    let sound = GatewayClass {
        metadata: ObjectMeta::named(parse("ours")),
        spec: GatewayClassSpec {
            controller_name: parse(OURS),
            parameters_ref: None,
            description: None,
        },
        status: None,
    };
    vec(object, 0..30).prop_map(move |mut objects| {
        objects.push(sound.clone().into());
        let distinct: BTreeMap<_, _> =
            objects.into_iter().map(|object| (object.key(), object)).collect();
        distinct.into_values().collect()
    })
}

/// A literal that is known to be valid.
pub(crate) fn parse<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn one_of<T: FromStr<Err: Debug> + Debug>(
    texts: &'static [&'static str],
) -> impl Strategy<Value = T> + Clone {
    select(texts).prop_map(parse)
}

fn port() -> impl Strategy<Value = PortNumber> + Clone {
    (1..4u16).prop_map(|port| PortNumber::new(port).unwrap())
}

fn controller() -> impl Strategy<Value = GatewayController> {
    one_of(&[OURS, "example.com/theirs"])
}

fn metadata(
    namespaces: &'static [&'static str],
    names: &'static [&'static str],
) -> impl Strategy<Value = ObjectMeta> {
    (one_of(namespaces), one_of(names), of(0..3i64), of(1..3i64)).prop_map(
        |(namespace, name, created, generation)| ObjectMeta {
            namespace: Some(namespace),
            creation_timestamp: created.map(|second| Timestamp::from_second(second).unwrap()),
            generation,
            ..ObjectMeta::named(name)
        },
    )
}

fn class() -> impl Strategy<Value = GatewayClass> {
    let parameters =
        ParametersRef { group: parse("a.b"), kind: parse("K"), name: parse("n"), namespace: None };
    (one_of(&["strange", "theirs"]), controller(), of(Just(parameters))).prop_map(
        |(name, controller_name, parameters_ref)| GatewayClass {
            metadata: ObjectMeta::named(name),
            spec: GatewayClassSpec { controller_name, parameters_ref, description: None },
            status: None,
        },
    )
}

fn gateway() -> impl Strategy<Value = Gateway> {
    let class = one_of(&["ours", "ours", "ours", "strange", "theirs", "nobodys"]);
    let parameters = LocalParametersRef { group: parse("a.b"), kind: parse("K"), name: parse("n") };
    let infrastructure = GatewayInfrastructure {
        parameters_ref: Some(parameters),
        ..GatewayInfrastructure::default()
    };
    (
        metadata(NAMESPACES, &["g", "h"]),
        class,
        vec(listener(), 0..5),
        vec(address(), 0..3),
        option::weighted(0.1, Just(infrastructure)),
    )
        .prop_map(|(metadata, gateway_class_name, listeners, addresses, infrastructure)| {
            Gateway {
                metadata: ObjectMeta { uid: Some(metadata.name.as_str().into()), ..metadata },
                spec: GatewaySpec {
                    gateway_class_name,
                    listeners,
                    addresses,
                    infrastructure,
                    allowed_listeners: None,
                    tls: None,
                    default_scope: None,
                },
                status: None,
            }
        })
}

fn address() -> impl Strategy<Value = GatewayAddress> {
    let ip = select(&["10.0.0.1", "10.0.0.2", "0.0.0.0", "::", "::1", "::ffff:10.0.0.1", ""][..]);
    prop_oneof![
        9 => ip.prop_map(|ip| GatewayAddress {
            address_type: GatewayAddressType::IpAddress,
            value: Some(ip.to_owned()),
        }),
        1 => (select(vec![GatewayAddressType::IpAddress, GatewayAddressType::Hostname]), of("[a-z.]*"))
            .prop_map(|(address_type, value)| GatewayAddress { address_type, value }),
    ]
}

fn listener() -> impl Strategy<Value = Listener> {
    let protocol = prop_oneof![
        6 => Just(Protocol::Tcp),
        1 => select(vec![Protocol::Udp, Protocol::Http, Protocol::Other("QUIC".into())]),
    ];
    let tls = ListenerTls {
        mode: TlsMode::Terminate,
        certificate_refs: Vec::new(),
        options: Labels::new(),
    };
    (
        one_of(&["x", "y", "z"]),
        option::weighted(0.1, one_of(&["h.example.com"])),
        port(),
        protocol,
        option::weighted(0.1, Just(tls)),
        (route_namespaces(), vec(route_kind(), 0..3)),
    )
        .prop_map(|(name, hostname, port, protocol, tls, (namespaces, kinds))| Listener {
            name,
            hostname,
            port,
            protocol,
            tls,
            allowed_routes: AllowedRoutes { namespaces, kinds },
        })
}

fn route_namespaces() -> impl Strategy<Value = RouteNamespaces> {
    let from = select(vec![FromNamespaces::All, FromNamespaces::Same, FromNamespaces::Selector]);
    let labels = select(vec![("tier", "gold"), ("tier", "tin"), (NAMESPACE_NAME_LABEL, "b")]);
    let selector = vec(labels, 0..2).prop_map(|labels| LabelSelector {
        match_labels: text(&labels),
        match_expressions: Vec::new(),
    });
    (from, of(selector)).prop_map(|(from, selector)| RouteNamespaces { from, selector })
}

fn text(labels: &[(&str, &str)]) -> Labels {
    labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn route_kind() -> impl Strategy<Value = RouteGroupKind> {
    (one_of(&[GATEWAY_GROUP, GATEWAY_GROUP, "a.b"]), one_of(&["TCPRoute", "TCPRoute", "HTTPRoute"]))
        .prop_map(|(group, kind)| RouteGroupKind { group, kind })
}

fn route() -> impl Strategy<Value = TcpRoute> {
    let rule =
        vec(backend_ref(), 0..4).prop_map(|backend_refs| TcpRouteRule { name: None, backend_refs });
    (metadata(NAMESPACES, &["r", "s", "t"]), vec(parent_ref(), 0..4), vec(rule, 0..3), of(status()))
        .prop_map(|(metadata, parent_refs, rules, status)| TcpRoute {
            metadata,
            spec: TcpRouteSpec { parent_refs, use_default_gateways: None, rules },
            status,
        })
}

fn parent_ref() -> impl Strategy<Value = ParentRef> {
    (
        one_of(&["Gateway", "Gateway", "Gateway", "Service"]),
        of(one_of(NAMESPACES)),
        one_of(&["g", "h", "i"]),
        option::weighted(0.3, one_of(&["x", "y", "z", "w"])),
        option::weighted(0.3, port()),
    )
        .prop_map(|(kind, namespace, name, section_name, port)| ParentRef {
            kind,
            namespace,
            section_name,
            port,
            ..ParentRef::gateway(name)
        })
}

fn backend_ref() -> impl Strategy<Value = BackendRef> {
    (
        one_of(&["", "", "a.b"]),
        one_of(&["Service", "Service", "Bucket"]),
        of(one_of(NAMESPACES)),
        one_of(&["p", "q"]),
        option::weighted(0.9, port()),
        select(&[0, 1, 2, Weight::MAX][..]),
    )
        .prop_map(|(group, kind, namespace, name, port, weight)| BackendRef {
            group,
            kind,
            namespace,
            name,
            port,
            weight: Weight::new(weight).unwrap(),
        })
}

fn status() -> impl Strategy<Value = RouteStatus> {
    let condition = Condition::new(
        ConditionType::ACCEPTED,
        ConditionStatus::Unknown,
        Reason::PENDING,
        "as it was",
        None,
    );
    let parent = (parent_ref(), controller()).prop_map(move |(parent_ref, controller_name)| {
        RouteParentStatus { parent_ref, controller_name, conditions: vec![condition.clone()] }
    });
    vec(parent, 0..3).prop_map(|parents| RouteStatus { parents })
}

fn grant() -> impl Strategy<Value = ReferenceGrant> {
    let from =
        (one_of(&[GATEWAY_GROUP, "a.b"]), one_of(&["TCPRoute", "Gateway"]), one_of(NAMESPACES))
            .prop_map(|(group, kind, namespace)| ReferenceGrantFrom { group, kind, namespace });
    let to = (one_of(&["", "a.b"]), one_of(&["Service", "Bucket"]), of(one_of(&["p", "q"])))
        .prop_map(|(group, kind, name)| ReferenceGrantTo { group, kind, name });
    (metadata(NAMESPACES, &["v", "w"]), vec(from, 0..3), vec(to, 0..3)).prop_map(
        |(metadata, from, to)| ReferenceGrant { metadata, spec: ReferenceGrantSpec { from, to } },
    )
}

fn namespace() -> impl Strategy<Value = Namespace> {
    (
        one_of(NAMESPACES),
        select(vec![("tier", "gold"), ("tier", "tin"), (NAMESPACE_NAME_LABEL, "b")]),
    )
        .prop_map(|(name, label)| Namespace {
            metadata: ObjectMeta { labels: text(&[label]), ..ObjectMeta::named(name) },
        })
}

fn transport() -> impl Strategy<Value = TransportProtocol> {
    select(vec![TransportProtocol::Tcp, TransportProtocol::Tcp, TransportProtocol::Udp])
}

fn port_name() -> impl Strategy<Value = Option<String>> {
    of(select(vec!["", "m", "n"]).prop_map(str::to_owned))
}

fn service() -> impl Strategy<Value = Service> {
    // Pod ports, as Services of Gateways have them.
    let target_port = (20_001..=20_005u16).prop_map(|port| PortNumber::new(port).unwrap());
    let target_port = of(target_port.prop_map(TargetPort::Number));
    let service_port = (port_name(), transport(), port(), target_port).prop_map(
        |(name, protocol, port, target_port)| ServicePort {
            name,
            protocol,
            target_port,
            ..ServicePort::tcp(port)
        },
    );
    (
        prop_oneof![metadata(NAMESPACES, &["p", "q"]), metadata_of_gateway_service()],
        select(vec![ServiceType::ClusterIP, ServiceType::LoadBalancer, ServiceType::ExternalName]),
        vec(service_port, 0..3),
        vec(select(vec![IpFamily::IPv4, IpFamily::IPv6]), 0..3),
        vec(select(vec!["10.0.0.1", "10.0.0.2", "None"]).prop_map(str::to_owned), 0..2),
    )
        .prop_map(|(metadata, service_type, ports, ip_families, addresses)| {
            let ingress = addresses
                .iter()
                .map(|ip| LoadBalancerIngress { ip: Some(ip.clone()), hostname: None })
                .collect();
            Service {
                metadata,
                spec: ServiceSpec {
                    service_type,
                    ports,
                    ip_families,
                    cluster_ips: addresses,
                    ..ServiceSpec::default()
                },
                status: Some(ServiceStatus { load_balancer: LoadBalancerStatus { ingress } }),
            }
        })
}

/// Metadata of a Service in front of a Gateway, whose `uid` is its name here.
fn metadata_of_gateway_service() -> impl Strategy<Value = ObjectMeta> {
    let gateway = metadata(NAMESPACES, &["g", "h"]);
    (gateway, one_of::<ObjectName>(&["g", "h"])).prop_map(|(metadata, uid)| {
        let gateway = Gateway::new(metadata, parse("ours"), Vec::new());
        let mut metadata = ObjectMeta::named(gateway.service_name());
        metadata.namespace = Some(parse(SERVICE_NAMESPACE));
        metadata.labels = service_labels(uid.as_str());
        metadata
    })
}

/// The labels of the Service of a Gateway.
pub(crate) fn service_labels(uid: &str) -> Labels {
    [("app.kubernetes.io/managed-by", "sluicegate"), ("sluicegate.dev/gateway-uid", uid)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Settings of every sort. A pool may be too small.
pub(crate) fn settings() -> impl Strategy<Value = Settings> {
    select(vec!["host", "service/system", "10.0.0.1,10.0.0.2", "10.0.0.0/29,fd00::/126"]).prop_map(
        |addresses| {
            let settings = Settings::default().with_controller(parse(OURS));
            settings.with_addresses(parse(addresses))
        },
    )
}

fn slice() -> impl Strategy<Value = EndpointSlice> {
    let addresses = select(&["10.1.0.1", "10.1.0.2", "2001:db8::1", "db.example.com"][..])
        .prop_map(EndpointAddress::new);
    let endpoint = (vec(addresses, 0..3), of(any::<bool>()), of(any::<bool>()), of(any::<bool>()))
        .prop_map(|(addresses, ready, serving, terminating)| SliceEndpoint {
            addresses,
            conditions: EndpointConditions { ready, serving, terminating },
            node_name: None,
            zone: None,
        });
    let port = (port_name(), option::weighted(0.8, port()), transport()).prop_map(
        |(name, port, protocol)| EndpointPort { name, port, invalid_port: None, protocol },
    );
    (
        metadata(NAMESPACES, &["e", "f"]),
        of(select(vec!["p", "q"])),
        vec(endpoint, 0..4),
        vec(port, 0..3),
    )
        .prop_map(|(metadata, service, endpoints, ports)| EndpointSlice {
            metadata: ObjectMeta {
                labels: service.map(|name| text(&[(SERVICE_NAME_LABEL, name)])).unwrap_or_default(),
                ..metadata
            },
            address_type: AddressType::IPv4,
            endpoints,
            ports,
        })
}

/// Returns `true` if two sockets with these addresses cannot have the same port.
pub(crate) fn overlap(one: IpAddr, other: IpAddr) -> bool {
    let (one, other) = (one.to_canonical(), other.to_canonical());
    let all = |ip: IpAddr| ip == IpAddr::from([0u16; 8]);
    let all_v4 = |ip: IpAddr| ip == IpAddr::from([0; 4]);
    one == other
        || all(one)
        || all(other)
        || (all_v4(one) && other.is_ipv4())
        || (all_v4(other) && one.is_ipv4())
}
