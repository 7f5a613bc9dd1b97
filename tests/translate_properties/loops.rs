//! Property test: no plan leads back to the gateway. Otherwise a connection would open another
//! connection to the gateway, until file descriptors or ports are exhausted.
//!
//! The test follows connections through a small model of the network: two replicas whose listeners
//! bind what the plan contains, and the Services in front of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use sluicegate::model::*;
use sluicegate::plan::{ListenerId, Plan, Routing, Target};
use sluicegate::translate::{Assignments, Settings, translate};

use crate::objects::{OURS, parse, service_labels};
use crate::{config, resources};

/// An address of this host.
const HOST: &str = "192.0.2.7";
/// The address of the leader, which is another host.
const LEADER: &str = "192.0.2.9";
/// The addresses of the pods, behind Services.
const PODS: &[&str] = &["10.244.0.5", "10.244.1.5"];
const NODE: &str = "10.2.0.1";

const GATEWAYS: &[&str] = &["a/g", "a/h", "b/g"];

/// Addresses of the network, most of which lead to a Gateway. Those of the pool are the last two.
const ADDRESSES: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "0.0.0.0",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    HOST,
    LEADER,
    "10.244.0.5",
    "10.244.1.5",
    NODE,
    "10.96.0.1",
    "10.96.0.2",
    "192.0.2.10",
    "10.1.0.1",
    "10.0.0.1",
    "10.0.0.2",
];

fn port(number: u16) -> PortNumber {
    PortNumber::new(number).unwrap()
}

/// The pod port of a port of a Gateway's Service.
fn pod_port(gateway: usize, number: u16) -> u16 {
    20_000 + 10 * u16::try_from(gateway).unwrap() + number
}

fn node_port(gateway: usize, number: u16) -> u16 {
    pod_port(gateway, number) + 11_000
}

fn metadata(namespace: &str, name: &str) -> ObjectMeta {
    ObjectMeta { namespace: Some(parse(namespace)), ..ObjectMeta::named(parse(name)) }
}

/// Objects in which every backend may lead back.
fn objects() -> impl Strategy<Value = Vec<Object>> {
    let backend = (select(ADDRESSES), any_port(), 0..3usize, any::<bool>());
    let gateway = (
        1..4u16,
        of(select(&["127.0.0.1", "0.0.0.0", HOST, "10.0.0.1"][..])),
        any::<bool>(),
        vec(backend, 1..4),
    );
    vec(gateway, 1..=GATEWAYS.len()).prop_map(|gateways| {
        let class = GatewayClass {
            metadata: ObjectMeta::named(parse("ours")),
            spec: GatewayClassSpec {
                controller_name: parse(OURS),
                parameters_ref: None,
                description: None,
            },
            status: None,
        };
        let mut objects = vec![class.into(), grant(), node()];
        for (index, (listeners, address, is_led, backends)) in gateways.into_iter().enumerate() {
            let name: NamespacedName = parse(GATEWAYS[index]);
            let gateway = gateway_object(index, &name, listeners, address, is_led);
            objects.extend(front_service(index, &gateway));
            objects.push(gateway.into());
            let mut backend_refs = Vec::new();
            for (number, (address, endpoint_port, other, is_front)) in
                backends.into_iter().enumerate()
            {
                if is_front {
                    let other: NamespacedName = parse(GATEWAYS[other]);
                    let service = Gateway::new(
                        metadata(other.namespace.as_str(), other.name.as_str()),
                        parse("ours"),
                        Vec::new(),
                    );
                    let mut backend = BackendRef::service(service.service_name(), port(1));
                    backend.namespace = Some(parse("system"));
                    backend_refs.push(backend);
                    continue;
                }
                let service_name = format!("{}-{number}", name.name);
                let service =
                    Service::new(metadata(name.namespace.as_str(), &service_name), port(1));
                objects.push(slice(&service, None, endpoint_port, &[address]));
                backend_refs.push(BackendRef::service(service.metadata.name.clone(), port(1)));
                objects.push(service.into());
            }
            objects.push(route(&name, backend_refs));
        }
        objects
    })
}

fn any_port() -> impl Strategy<Value = u16> {
    let numbers = (0..GATEWAYS.len()).flat_map(|gateway| {
        (1..4)
            .flat_map(move |number| [number, pod_port(gateway, number), node_port(gateway, number)])
    });
    select(numbers.collect::<Vec<_>>())
}

fn grant() -> Object {
    let from = ["a", "b"].map(|namespace| ReferenceGrantFrom {
        group: parse(GATEWAY_GROUP),
        kind: parse("TCPRoute"),
        namespace: parse(namespace),
    });
    let to = ReferenceGrantTo { group: parse(""), kind: parse("Service"), name: None };
    let spec = ReferenceGrantSpec { from: from.into(), to: vec![to] };
    ReferenceGrant { metadata: metadata("system", "grant"), spec }.into()
}

fn node() -> Object {
    let address = NodeAddress { address_type: "InternalIP".to_owned(), address: NODE.to_owned() };
    let status = NodeStatus { addresses: vec![address], conditions: Vec::new() };
    Node { metadata: ObjectMeta::named(parse("n")), status }.into()
}

fn gateway_object(
    index: usize,
    name: &NamespacedName,
    listeners: u16,
    address: Option<&str>,
    is_led: bool,
) -> Gateway {
    let listener = |number: u16| {
        let mut listener = Listener::tcp(parse(&format!("l{number}")), port(number));
        listener.allowed_routes.namespaces.from = FromNamespaces::All;
        listener
    };
    let mut metadata = metadata(name.namespace.as_str(), name.name.as_str());
    metadata.uid = Some(format!("uid-{index}").into());
    let mut gateway =
        Gateway::new(metadata, parse("ours"), (1..=listeners).map(listener).collect());
    gateway.spec.addresses = address
        .map(|address| GatewayAddress {
            address_type: GatewayAddressType::IpAddress,
            value: Some(address.to_owned()),
        })
        .into_iter()
        .collect();
    let status = GatewayStatusAddress {
        address_type: GatewayAddressType::IpAddress,
        value: LEADER.to_owned(),
    };
    gateway.status =
        is_led.then(|| GatewayStatus { addresses: vec![status], ..GatewayStatus::default() });
    gateway
}

/// The Service in front of a Gateway, with the endpoints of each of its ports.
fn front_service(index: usize, gateway: &Gateway) -> Vec<Object> {
    let mut metadata = metadata("system", gateway.service_name().as_str());
    metadata.labels = service_labels(&format!("uid-{index}"));
    let mut service = Service::new(metadata, port(1));
    let service_port = |number| ServicePort {
        name: Some(format!("p{number}")),
        target_port: Some(TargetPort::Number(port(pod_port(index, number)))),
        node_port: Some(port(node_port(index, number))),
        ..ServicePort::tcp(port(number))
    };
    service.spec.service_type = ServiceType::LoadBalancer;
    service.spec.ports = (1..4).map(service_port).collect();
    service.spec.cluster_ips = vec![format!("10.96.0.{}", index + 1)];
    let ip = Some(format!("192.0.2.{}", index + 10));
    let ingress = vec![LoadBalancerIngress { ip, hostname: None }];
    service.status = Some(ServiceStatus { load_balancer: LoadBalancerStatus { ingress } });
    let slices = (1..4).map(|number| slice(&service, Some(number), pod_port(index, number), PODS));
    slices.collect::<Vec<_>>().into_iter().chain([service.into()]).collect()
}

fn slice(service: &Service, port_index: Option<u16>, number: u16, addresses: &[&str]) -> Object {
    let mut slice = EndpointSlice::new(service, port(number), []);
    let name = format!("{}-{}", service.metadata.name, port_index.unwrap_or_default());
    slice.metadata.name = parse(&name);
    slice.ports[0].name = port_index.map(|index| format!("p{index}"));
    slice.endpoints = addresses
        .iter()
        .map(|address| SliceEndpoint {
            addresses: vec![EndpointAddress::new(address)],
            conditions: EndpointConditions::default(),
            node_name: None,
            zone: None,
        })
        .collect();
    slice.into()
}

fn route(gateway: &NamespacedName, backend_refs: Vec<BackendRef>) -> Object {
    TcpRoute {
        metadata: metadata(gateway.namespace.as_str(), gateway.name.as_str()),
        spec: TcpRouteSpec {
            parent_refs: vec![ParentRef::gateway(gateway.name.clone())],
            use_default_gateways: None,
            rules: vec![TcpRouteRule { name: None, backend_refs }],
        },
        status: None,
    }
    .into()
}

/// Returns the listeners that a connection to this endpoint reaches.
fn reached<'a>(
    plan: &'a Plan,
    is_host: bool,
    resources: &Resources,
    endpoint: SocketAddr,
) -> BTreeSet<&'a ListenerId> {
    let (ip, number) = (endpoint.ip().to_canonical(), endpoint.port());
    let mut targets = vec![(ip, number)];
    // kube-proxy and the load balancer send connections to the pods.
    for service in resources.services.values().filter(|service| !service.metadata.labels.is_empty())
    {
        let cluster_ips = service.spec.cluster_ips.iter();
        let ingress = service.status.iter().flat_map(|status| &status.load_balancer.ingress);
        let is_balancer =
            ingress.filter_map(|ingress| ingress.ip.as_ref()).any(|own| parse::<IpAddr>(own) == ip);
        let has_ip =
            is_balancer || cluster_ips.map(|own| parse::<IpAddr>(own)).any(|own| own == ip);
        // The address of a load balancer may be that of a node.
        let is_node = is_balancer || [NODE, HOST].iter().any(|node| parse::<IpAddr>(node) == ip);
        for service_port in &service.spec.ports {
            let is_node_port =
                is_node && service_port.node_port.is_some_and(|port| port.get() == number);
            if is_node_port || (has_ip && service_port.port.get() == number) {
                let Some(TargetPort::Number(target)) = service_port.target_port else { continue };
                targets.extend(PODS.iter().map(|pod| (parse(pod), target.get())));
            }
        }
    }
    // Other hosts are known by the status only.
    let has_leader = resources.gateways.values().any(|gateway| gateway.status.is_some());
    let hosts = match (is_host, has_leader) {
        (true, true) => &[HOST, LEADER][..],
        (true, false) => &[HOST],
        (false, _) => PODS,
    };
    let is_reached = |bind: SocketAddr, (ip, number): (IpAddr, u16)| {
        let ip: IpAddr = match ip.to_string().as_str() {
            "0.0.0.0" => parse("127.0.0.1"),
            "::" => parse("::1"),
            _ => ip,
        };
        let is_local = ip.is_loopback()
            || ip == parse::<IpAddr>(HOST)
            || hosts.iter().any(|host| parse::<IpAddr>(host) == ip);
        let is_all = match bind.ip().to_string().as_str() {
            "::" => is_local,
            "0.0.0.0" => is_local && ip.is_ipv4(),
            _ => false,
        };
        bind.port() == number && (bind.ip() == ip || is_all)
    };
    let listeners = plan.listeners.iter().filter(|(_, listener)| {
        listener
            .addresses
            .iter()
            .any(|address| targets.iter().any(|target| is_reached(address.bind.address, *target)))
    });
    listeners.map(|(id, _)| id).collect()
}

/// Returns a cycle of listeners: each leads to the next one, and the last one to the first.
fn find_cycle<'a>(
    edges: &BTreeMap<&'a ListenerId, BTreeSet<&'a ListenerId>>,
) -> Option<Vec<&'a ListenerId>> {
    let mut rest = edges.clone();
    // Listeners that lead to no other listener of the rest are in no cycle.
    loop {
        let remaining: BTreeSet<_> = rest.keys().copied().collect();
        let before = rest.len();
        rest.retain(|_, next| !next.is_disjoint(&remaining));
        if rest.len() == before {
            return (before > 0).then(|| rest.into_keys().collect());
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn plan_contains_no_cycle(
        objects in objects(),
        addresses in select(vec!["host", "service/system", "10.0.0.1,10.0.0.2"]),
    ) {
        let settings = Settings::default()
            .with_controller(parse(OURS))
            .with_addresses(parse(addresses))
            .with_own_addresses([parse(HOST)]);
        let resources = resources(&objects);
        let plan = translate(&resources, &settings, &Assignments::default()).plan;
        let next = |routing: &Routing| match routing {
            Routing::Single(route) => route
                .shares
                .iter()
                .filter_map(|share| match &share.target {
                    Target::Backend(backend) => Some(&backend.endpoints),
                    _ => None,
                })
                .flatten()
                .flat_map(|endpoint| {
                    reached(&plan, addresses == "host", &resources, endpoint.address)
                })
                .collect(),
            _ => BTreeSet::new(),
        };
        let edges: BTreeMap<_, _> =
            plan.listeners.iter().map(|(id, listener)| (id, next(&listener.routing))).collect();
        prop_assert_eq!(find_cycle(&edges), None);
    }
}
