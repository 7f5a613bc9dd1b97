//! Objects of a cluster of any size: ten routes per listener, and a Service with three endpoints per
//! route.

use std::str::FromStr;

use sluicegate::model::*;

pub(crate) const ROUTES_PER_LISTENER: usize = 10;
/// As many as a Gateway may have.
const LISTENERS_PER_GATEWAY: usize = 64;

pub(crate) fn cluster(routes: usize) -> Resources {
    let mut resources = Resources::new();
    resources.insert(GatewayClass {
        metadata: ObjectMeta::named(parse("bench")),
        spec: GatewayClassSpec {
            controller_name: parse("example.com/bench"),
            parameters_ref: None,
            description: None,
        },
        status: None,
    });
    let listeners: Vec<_> = (0..routes.div_ceil(ROUTES_PER_LISTENER)).collect();
    for (gateway, numbers) in listeners.chunks(LISTENERS_PER_GATEWAY).enumerate() {
        resources.insert(self::gateway(gateway, numbers));
    }
    for route in 0..routes {
        resources.insert(self::route(route));
        resources.insert(service(route));
        resources.insert(slice(route));
    }
    resources
}

fn gateway(number: usize, listeners: &[usize]) -> Gateway {
    let listener = |listener: &usize| Listener {
        name: parse(&format!("listener-{listener}")),
        hostname: None,
        port: port(10_000 + listener),
        protocol: Protocol::Tcp,
        tls: None,
        allowed_routes: AllowedRoutes::default(),
    };
    Gateway {
        metadata: metadata(&format!("gateway-{number}"), number),
        spec: GatewaySpec {
            gateway_class_name: parse("bench"),
            listeners: listeners.iter().map(listener).collect(),
            addresses: Vec::new(),
            infrastructure: None,
            allowed_listeners: None,
            tls: None,
            default_scope: None,
        },
        status: None,
    }
}

fn route(number: usize) -> TcpRoute {
    let listener = number / ROUTES_PER_LISTENER;
    let gateway = listener / LISTENERS_PER_GATEWAY;
    TcpRoute {
        metadata: metadata(&format!("route-{number}"), number),
        spec: TcpRouteSpec {
            parent_refs: vec![ParentRef {
                section_name: Some(parse(&format!("listener-{listener}"))),
                ..ParentRef::gateway(parse(&format!("gateway-{gateway}")))
            }],
            use_default_gateways: None,
            rules: vec![TcpRouteRule {
                name: None,
                backend_refs: vec![BackendRef::service(service_name(number), port(5432))],
            }],
        },
        status: None,
    }
}

fn service(number: usize) -> Service {
    let port = ServicePort { name: Some("pg".to_owned()), ..ServicePort::tcp(port(5432)) };
    Service {
        metadata: metadata(service_name(number).as_str(), number),
        spec: ServiceSpec { ports: vec![port], ..ServiceSpec::default() },
        status: None,
    }
}

fn slice(number: usize) -> EndpointSlice {
    let name = service_name(number);
    let endpoint = |n| {
        let [.., high, low] = number.to_be_bytes();
        let address = format!("10.{n}.{high}.{low}");
        SliceEndpoint {
            conditions: EndpointConditions { ready: Some(true), ..EndpointConditions::default() },
            ..SliceEndpoint::new(EndpointAddress::new(&address))
        }
    };
    EndpointSlice {
        metadata: ObjectMeta {
            labels: [(SERVICE_NAME_LABEL.to_owned(), name.to_string())].into(),
            ..metadata(&format!("{name}-slice"), number)
        },
        address_type: AddressType::IPv4,
        endpoints: (1..=3).map(endpoint).collect(),
        ports: vec![EndpointPort {
            name: Some("pg".to_owned()),
            port: Some(port(15432)),
            invalid_port: None,
            protocol: TransportProtocol::Tcp,
        }],
    }
}

fn service_name(number: usize) -> ObjectName {
    parse(&format!("service-{number}"))
}

/// Ages do not follow names, as they do not in life.
pub(crate) fn metadata(name: &str, number: usize) -> ObjectMeta {
    let second = (number * 7_919 % 10_007) as i64;
    ObjectMeta {
        namespace: Some(parse("bench")),
        generation: Some(1),
        creation_timestamp: Some(Timestamp::from_second(second).expect("a time long ago")),
        ..ObjectMeta::named(parse(name))
    }
}

pub(crate) fn port(number: usize) -> PortNumber {
    u16::try_from(number).ok().and_then(PortNumber::new).expect("a port")
}

pub(crate) fn parse<T: FromStr<Err = InvalidScalar>>(text: &str) -> T {
    text.parse().expect("a valid name")
}
