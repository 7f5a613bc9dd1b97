//! Tests of the compact form.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::CompactObject;
use crate::model::{
    AddressType, EndpointAddress, EndpointConditions, EndpointPort, EndpointSlice, IpFamily,
    NamespacedName, ObjectMeta, PortNumber, SERVICE_NAME_LABEL, Service, ServicePort, ServiceSpec,
    ServiceStatus, ServiceType, SessionAffinity, SliceEndpoint, TargetPort, TransportProtocol,
};

fn name() -> NamespacedName {
    "default/s".parse().unwrap()
}

fn metadata() -> ObjectMeta {
    let NamespacedName { namespace, name } = name();
    ObjectMeta { namespace: Some(namespace), ..ObjectMeta::named(name) }
}

/// Metadata with all fields, of which only the name is kept.
fn full_metadata(uid: &str) -> ObjectMeta {
    ObjectMeta {
        generation: Some(7),
        labels: [("app".to_owned(), "db".to_owned())].into(),
        annotations: [("note".to_owned(), "text".to_owned())].into(),
        uid: Some(uid.into()),
        ..metadata()
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["", "[a-z]{1,8}", "[a-zü]{120,140}"]
}

fn port() -> impl Strategy<Value = PortNumber> {
    any::<u16>().prop_filter_map("0 is not a port", PortNumber::new)
}

fn protocol() -> impl Strategy<Value = TransportProtocol> {
    select(vec![TransportProtocol::Tcp, TransportProtocol::Udp, TransportProtocol::Sctp])
}

fn service() -> impl Strategy<Value = Service> {
    let types = vec![
        ServiceType::ClusterIP,
        ServiceType::NodePort,
        ServiceType::LoadBalancer,
        ServiceType::ExternalName,
    ];
    let ports = (of(text()), protocol(), port()).prop_map(|(name, protocol, port)| ServicePort {
        name,
        protocol,
        ..ServicePort::tcp(port)
    });
    let affinities = vec![SessionAffinity::None, SessionAffinity::ClientIP];
    let families = vec![IpFamily::IPv4, IpFamily::IPv6];
    (select(types), vec(ports, 0..4), select(affinities), vec(select(families), 0..3)).prop_map(
        |(service_type, ports, session_affinity, ip_families)| Service {
            metadata: metadata(),
            spec: ServiceSpec {
                service_type,
                ports,
                session_affinity,
                ip_families,
                ..ServiceSpec::default()
            },
            status: None,
        },
    )
}

fn address() -> impl Strategy<Value = EndpointAddress> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| EndpointAddress::Ip(ip.into())),
        any::<[u8; 16]>().prop_map(|ip| EndpointAddress::Ip(ip.into())),
        "[g-z]{0,5}".prop_map(|name| EndpointAddress::new(&name)),
    ]
}

fn slice() -> impl Strategy<Value = EndpointSlice> {
    let condition = || of(any::<bool>());
    let conditions =
        (condition(), condition(), condition()).prop_map(|(ready, serving, terminating)| {
            EndpointConditions { ready, serving, terminating }
        });
    let endpoint = (vec(address(), 0..3), conditions, of(text()), of(text())).prop_map(
        |(addresses, conditions, node_name, zone)| SliceEndpoint {
            addresses,
            conditions,
            node_name: node_name.map(Into::into),
            zone: zone.map(Into::into),
        },
    );
    let ports = (of(text()), of(port()), protocol()).prop_map(|(name, port, protocol)| {
        EndpointPort { name, port, invalid_port: None, protocol }
    });
    let types = vec![AddressType::IPv4, AddressType::IPv6, AddressType::Fqdn];
    (of(text()), select(types), vec(endpoint, 0..150), vec(ports, 0..4)).prop_map(
        |(service, address_type, endpoints, ports)| EndpointSlice {
            metadata: ObjectMeta {
                labels: service
                    .map(|service| (SERVICE_NAME_LABEL.to_owned(), service))
                    .into_iter()
                    .collect(),
                ..metadata()
            },
            address_type,
            endpoints,
            ports,
        },
    )
}

proptest! {
    #[test]
    fn service_is_read_back(service in service()) {
        prop_assert_eq!(CompactObject::of_service(&service).to_service(&name()), service);
    }

    #[test]
    fn endpoint_slice_is_read_back(slice in slice()) {
        let compact = CompactObject::of_slice(&slice);
        let service = slice.service_name().filter(|service| !service.is_empty());
        prop_assert_eq!(compact.service_name(), service.map(|name| name.parse().unwrap()));
        prop_assert_eq!(compact.to_slice(&name()), slice);
    }
}

/// A change of these fields must not look like a change of the object.
#[test]
fn fields_that_routing_does_not_use_are_left_out() {
    let bare = Service::new(full_metadata("1"), PortNumber::new(80).unwrap());
    let mut full = bare.clone();
    full.metadata.generation = Some(8);
    full.metadata.labels.clear();
    full.metadata.annotations.clear();
    full.spec.selector = [("app".to_owned(), "db".to_owned())].into();
    full.spec.cluster_ip = Some("10.96.0.7".to_owned());
    full.spec.cluster_ips = vec!["10.96.0.7".to_owned()];
    full.spec.ports[0].node_port = PortNumber::new(30_000);
    full.spec.ports[0].target_port = Some(TargetPort::Name("http".to_owned()));
    full.status = Some(ServiceStatus::default());
    let compact = CompactObject::of_service(&full);
    assert_eq!(compact, CompactObject::of_service(&bare));
    let read = compact.to_service(&name());
    assert_eq!(read, Service::new(metadata(), PortNumber::new(80).unwrap()));
}

#[test]
fn uid_of_another_object_does_not_match() {
    let compact =
        CompactObject::of_service(&Service::new(full_metadata("1"), PortNumber::new(80).unwrap()));
    assert!(compact.has_uid("1"));
    assert!(!compact.has_uid("2"));
}

#[test]
fn slice_of_three_pods_takes_about_a_hundred_bytes() {
    let service = Service::new(metadata(), PortNumber::new(80).unwrap());
    let addresses = [1, 2, 3].map(|host| [10, 244, 0, host].into());
    let mut slice = EndpointSlice::new(&service, PortNumber::new(8080).unwrap(), addresses);
    for endpoint in &mut slice.endpoints {
        endpoint.conditions.ready = Some(true);
        endpoint.node_name = Some("worker-17".into());
        endpoint.zone = Some("eu-1a".into());
    }
    let size = CompactObject::of_slice(&slice).len();
    assert!((50..=120).contains(&size), "{size}");
}
