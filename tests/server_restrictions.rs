//! Restrictions of a gateway: special addresses, listeners beyond a limit, and backends that lead
//! back to it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU32;

use async_trait::async_trait;
use sluicegate::model::{
    BackendRef, ConditionType, EndpointSlice, Gateway, GatewayAddress, GatewayAddressType,
    GatewayClass, Listener, NamespacedName, ObjectMeta, ParentRef, PortNumber, Reason, Resources,
    Service, TcpRoute, default_namespace, find_condition,
};
use sluicegate::sources::{Feed, MemorySource, Source, SourceError};
use sluicegate::translate::SpecialAddresses;
use sluicegate::{Handle, Server, StartError};
use support::{backend, free_port, name_at, own_address};

fn named(name: &str) -> ObjectMeta {
    ObjectMeta::named(name.parse().unwrap())
}

fn name(name: &str) -> NamespacedName {
    NamespacedName { namespace: default_namespace(), name: name.parse().unwrap() }
}

fn port(port: u16) -> PortNumber {
    PortNumber::new(port).unwrap()
}

fn classed() -> Resources {
    let mut objects = Resources::new();
    objects.insert(GatewayClass::new("c".parse().unwrap(), "example.com/c".parse().unwrap()));
    objects
}

/// Inserts a Gateway whose connections go to `endpoint`.
fn insert(
    objects: &mut Resources,
    gateway: &str,
    listener: u16,
    requested: Option<IpAddr>,
    endpoint: SocketAddr,
) {
    let listener = Listener::tcp("l".parse().unwrap(), port(listener));
    let mut object = Gateway::new(named(gateway), "c".parse().unwrap(), vec![listener]);
    object.spec.addresses.extend(requested.map(|ip| GatewayAddress {
        address_type: GatewayAddressType::IpAddress,
        value: Some(ip.to_string()),
    }));
    objects.insert(object);
    let parent = ParentRef::gateway(gateway.parse().unwrap());
    let backend_ref = BackendRef::service(gateway.parse().unwrap(), port(1));
    objects.insert(TcpRoute::new(named(gateway), vec![parent], vec![backend_ref]));
    let service = Service::new(named(gateway), port(1));
    objects.insert(EndpointSlice::new(&service, port(endpoint.port()), [endpoint.ip()]));
    objects.insert(service);
}

/// A source whose Gateways have many authors, such as a cluster.
struct Shared(Resources);

#[async_trait]
impl Source for Shared {
    fn name(&self) -> String {
        "shared".to_owned()
    }

    fn allows_special_addresses(&self) -> bool {
        false
    }

    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
        feed.publish(self.0);
        Ok(())
    }
}

fn programmed_reason(handle: &Handle, gateway: &str) -> Reason {
    let conditions = handle.report().status.gateways[&name(gateway)].conditions.clone();
    find_condition(&conditions, &ConditionType::PROGRAMMED).unwrap().reason.clone()
}

#[tokio::test]
async fn special_address_needs_permission_of_a_shared_source() {
    let (address, at) = (own_address(), free_port());
    let mut objects = classed();
    insert(&mut objects, "g", at, Some(address), backend("one"));
    let connect = || name_at(SocketAddr::new(address, at));

    let denied = Server::builder().source(Shared(objects.clone())).start().await.unwrap();
    assert_eq!(programmed_reason(&denied, "g"), Reason::ADDRESS_NOT_USABLE);
    assert!(denied.listeners().is_empty());
    denied.shutdown().await;

    let ranges: SpecialAddresses = "127.0.0.0/8".parse().unwrap();
    let builder = Server::builder().source(Shared(objects.clone())).special_addresses(ranges);
    let allowed = builder.start().await.unwrap();
    assert_eq!(connect().as_deref(), Some("one"));
    allowed.shutdown().await;

    // One source that needs permission is sufficient.
    let builder = Server::builder().source(MemorySource::new(objects.clone()));
    let mixed = builder.source(Shared(Resources::new())).start().await.unwrap();
    assert!(mixed.listeners().is_empty());
    mixed.shutdown().await;

    let memory = Server::builder().source(MemorySource::new(objects)).start().await.unwrap();
    assert_eq!(connect().as_deref(), Some("one"));
    memory.shutdown().await;
}

#[tokio::test]
async fn pool_of_special_addresses_needs_permission_of_a_shared_source() {
    let pool = || "127.0.0.8/29".parse().unwrap();
    let shared = || Server::builder().source(Shared(classed())).addresses(pool());
    let error = shared().start().await.unwrap_err();
    assert!(matches!(&error, StartError::Pool(pool) if pool.found == "127.0.0.8-127.0.0.15"));
    shared().special_addresses(SpecialAddresses::Allow).start().await.unwrap().shutdown().await;
    let memory = Server::builder().source(MemorySource::new(classed())).addresses(pool());
    memory.start().await.unwrap().shutdown().await;
}

#[tokio::test]
async fn listeners_beyond_the_limit_of_a_namespace_are_not_open() {
    let (address, ports) = (own_address(), [free_port(), free_port()]);
    let mut objects = classed();
    insert(&mut objects, "a", ports[0], None, backend("a"));
    insert(&mut objects, "b", ports[1], None, backend("b"));
    let builder = Server::builder().source(MemorySource::new(objects)).bind(address);
    let handle = builder.listeners_per_namespace(NonZeroU32::MIN).start().await.unwrap();
    assert_eq!(name_at(SocketAddr::new(address, ports[0])).as_deref(), Some("a"));
    let status = &handle.report().status.gateways[&name("b")].listeners[0];
    let accepted = find_condition(&status.conditions, &ConditionType::ACCEPTED).unwrap();
    assert_eq!(accepted.reason, Reason::TOO_MANY_LISTENERS);
    assert_eq!(handle.listeners().len(), 1);
    handle.shutdown().await;
}

/// An address of an interface of this host, or a loopback address if there is no other.
fn host_address() -> IpAddr {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    // No packet is sent: the kernel only looks up the route.
    match socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)) {
        Ok(()) => socket.local_addr().unwrap().ip(),
        Err(_) => Ipv4Addr::LOCALHOST.into(),
    }
}

#[tokio::test]
async fn backend_that_leads_back_is_rejected() {
    for ip in [Ipv4Addr::LOCALHOST.into(), Ipv4Addr::UNSPECIFIED.into(), host_address()] {
        let at = free_port();
        let mut objects = classed();
        insert(&mut objects, "g", at, None, SocketAddr::new(ip, at));
        let handle = Server::builder()
            .source(MemorySource::new(objects))
            .bind(Ipv6Addr::UNSPECIFIED.into())
            // Only the addresses of the interfaces contain that of the host.
            .advertise("192.0.2.80".parse().unwrap())
            .start()
            .await
            .unwrap();
        assert_eq!(name_at((Ipv4Addr::LOCALHOST, at).into()), None, "{ip}");
        let conditions =
            handle.report().status.tcp_routes[&name("g")].parents[0].conditions.clone();
        let resolved = find_condition(&conditions, &ConditionType::RESOLVED_REFS).unwrap();
        assert_eq!(resolved.reason, Reason::BACKEND_NOT_FOUND);
        assert!(resolved.message.contains("leads back to this gateway"), "{}", resolved.message);
        handle.shutdown().await;
    }
}
