//! A gateway with an address pool: from objects in memory to connections.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use sluicegate::model::{
    BackendRef, Condition, ConditionType, EndpointSlice, Gateway, GatewayAddress,
    GatewayAddressType, GatewayClass, Listener, NamespacedName, ObjectMeta, ParentRef, PortNumber,
    Reason, Resources, Service, TcpRoute, default_namespace, find_condition,
};
use sluicegate::sources::MemorySource;
use sluicegate::translate::{Assignments, Settings, translate};
use sluicegate::{Handle, Report, Server};
use support::{backend, eventually, free_port, name_at, own_address, report_where};

fn named(name: &str) -> ObjectMeta {
    ObjectMeta::named(name.parse().unwrap())
}

fn name(name: &str) -> NamespacedName {
    NamespacedName { namespace: default_namespace(), name: name.parse().unwrap() }
}

/// A Gateway whose clients meet a backend of its own name.
fn insert(objects: &mut Resources, gateway: &'static str, port: u16, asked: Option<IpAddr>) {
    let listener = Listener::tcp("l".parse().unwrap(), PortNumber::new(port).unwrap());
    let mut object = Gateway::new(named(gateway), "c".parse().unwrap(), vec![listener]);
    object.spec.addresses.extend(asked.map(|ip| GatewayAddress {
        address_type: GatewayAddressType::IpAddress,
        value: Some(ip.to_string()),
    }));
    objects.insert(object);
    let one = PortNumber::new(1).unwrap();
    let parent = ParentRef::gateway(gateway.parse().unwrap());
    let backend_ref = BackendRef::service(gateway.parse().unwrap(), one);
    objects.insert(TcpRoute::new(named(gateway), vec![parent], vec![backend_ref]));
    let (service, endpoint) = (Service::new(named(gateway), one), backend(gateway));
    let port = PortNumber::new(endpoint.port()).unwrap();
    objects.insert(EndpointSlice::new(&service, port, [endpoint.ip()]));
    objects.insert(service);
}

fn classed() -> Resources {
    let mut objects = Resources::new();
    objects.insert(GatewayClass::new("c".parse().unwrap(), "example.com/c".parse().unwrap()));
    objects
}

async fn start(memory: &MemorySource, pool: &[IpAddr]) -> Handle {
    let ranges: Vec<_> = pool.iter().map(ToString::to_string).collect();
    let addresses = ranges.join(",").parse().unwrap();
    Server::builder().source(memory.clone()).addresses(addresses).start().await.unwrap()
}

fn address(report: &Report, gateway: &str) -> Option<IpAddr> {
    match &report.status.gateways.get(&name(gateway))?.addresses[..] {
        [] => None,
        [address] => address.value.parse().ok(),
        several => panic!("{several:?}"),
    }
}

fn programmed(report: &Report, gateway: &str) -> Option<Condition> {
    let status = report.status.gateways.get(&name(gateway))?;
    find_condition(&status.conditions, &ConditionType::PROGRAMMED).cloned()
}

#[tokio::test]
async fn pool_gateways_share_a_port_at_different_addresses() {
    let (pool, port) = ([own_address(), own_address()], free_port());
    let mut objects = classed();
    insert(&mut objects, "one", port, None);
    insert(&mut objects, "two", port, None);
    let handle = start(&MemorySource::new(objects), &pool).await;
    let report = handle.report();
    let at = ["one", "two"].map(|gateway| address(&report, gateway).unwrap());
    assert_ne!(at[0], at[1]);
    for (gateway, ip) in ["one", "two"].into_iter().zip(at) {
        assert!(pool.contains(&ip));
        assert_eq!(name_at(SocketAddr::new(ip, port)).as_deref(), Some(gateway));
    }
    handle.shutdown().await;
}

#[tokio::test]
async fn pool_address_survives_a_restart_in_the_status() {
    let (pool, port) = ([own_address(), own_address(), own_address()], free_port());
    let mut objects = classed();
    // Not where its name would put it.
    insert(&mut objects, "one", port, None);
    let memory = MemorySource::new(objects);
    let handle = start(&memory, &pool).await;
    let by_name = address(&handle.report(), "one").unwrap();
    handle.shutdown().await;
    let other = *pool.iter().find(|ip| **ip != by_name).unwrap();
    memory.update(|objects| insert(objects, "one", port, Some(other)));
    let handle = start(&memory, &pool).await;
    let status = handle.status().gateways[&name("one")].clone();
    assert_eq!(address(&handle.report(), "one"), Some(other));
    handle.shutdown().await;
    memory.update(|objects| {
        insert(objects, "one", port, None);
        let mut gateway = Gateway::clone(&objects.gateways[&name("one")]);
        gateway.status = Some(status);
        objects.insert(gateway);
    });
    let handle = start(&memory, &pool).await;
    assert_eq!(address(&handle.report(), "one"), Some(other));
    assert_eq!(name_at(SocketAddr::new(other, port)).as_deref(), Some("one"));
    handle.shutdown().await;
}

#[tokio::test]
async fn released_address_goes_back_to_its_gateway_during_cooldown() {
    let (ip, port) = (own_address(), free_port());
    let mut objects = classed();
    insert(&mut objects, "one", port, None);
    let memory = MemorySource::new(objects);
    let handle = start(&memory, &[ip]).await;
    let mut reports = handle.reports();
    memory.update(|objects| {
        insert(objects, "two", port, None);
        objects.gateways.remove(&name("one"));
    });
    let report =
        report_where(&mut reports, "two waits", |report| programmed(report, "two").is_some()).await;
    let waits = programmed(&report, "two").unwrap();
    assert_eq!(waits.reason.as_str(), "AddressNotAssigned");
    assert!(waits.message.contains(&ip.to_string()), "{}", waits.message);
    assert_eq!(address(&report, "two"), None);
    eventually("nobody is there", || name_at(SocketAddr::new(ip, port)).is_none());

    memory.update(|objects| insert(objects, "one", port, None));
    eventually("one is back", || name_at(SocketAddr::new(ip, port)).as_deref() == Some("one"));
    handle.shutdown().await;
}

#[tokio::test]
async fn released_address_is_assigned_at_once_if_requested_by_value() {
    let (ip, port) = (own_address(), free_port());
    let mut objects = classed();
    insert(&mut objects, "one", port, Some(ip));
    let memory = MemorySource::new(objects);
    let handle = start(&memory, &[ip]).await;
    assert_eq!(name_at(SocketAddr::new(ip, port)).as_deref(), Some("one"));
    memory.update(|objects| {
        insert(objects, "two", port, Some(ip));
        objects.gateways.remove(&name("one"));
    });
    eventually("two has it", || name_at(SocketAddr::new(ip, port)).as_deref() == Some("two"));
    handle.shutdown().await;
}

#[tokio::test]
async fn released_address_is_assigned_to_another_gateway_after_cooldown() {
    const COOLDOWN: Duration = Duration::from_secs(1);
    let (ip, port) = (own_address(), free_port());
    let mut objects = classed();
    insert(&mut objects, "one", port, None);
    let memory = MemorySource::new(objects);
    let handle = Server::builder()
        .source(memory.clone())
        .addresses(ip.to_string().parse().unwrap())
        .address_cooldown(COOLDOWN)
        .start()
        .await
        .unwrap();
    let mut reports = handle.reports();
    let released = Instant::now();
    memory.update(|objects| {
        insert(objects, "two", port, None);
        objects.gateways.remove(&name("one"));
    });
    report_where(&mut reports, "two waits", |report| {
        programmed(report, "two").is_some_and(|found| found.reason == Reason::ADDRESS_NOT_ASSIGNED)
    })
    .await;
    report_where(&mut reports, "two has the address", |report| address(report, "two") == Some(ip))
        .await;
    assert!(released.elapsed() >= COOLDOWN);
    handle.shutdown().await;
}

/// Translates Gateways that request any address of a pool of three, and returns the addresses that
/// cool down afterwards.
fn cooling_down(
    previous: &mut Assignments,
    gateways: &[(&'static str, Option<IpAddr>)],
) -> Vec<String> {
    let mut objects = classed();
    for (gateway, requested) in gateways {
        insert(&mut objects, gateway, 80, *requested);
    }
    let settings = Settings::default().with_addresses("10.0.0.1-10.0.0.3".parse().unwrap());
    *previous = translate(&objects, &settings, previous).assignments;
    let cooling_down = previous.cooling_down.iter();
    cooling_down.map(|(address, gateway)| format!("{address} {gateway}")).collect()
}

#[test]
fn released_address_cools_down_until_it_is_assigned_again() {
    let mut assignments = Assignments::default();
    let requested = |address: &str| Some(address.parse().unwrap());
    let first = [("one", requested("10.0.0.1")), ("two", requested("10.0.0.2"))];
    assert!(cooling_down(&mut assignments, &first).is_empty());
    let moved = [("one", requested("10.0.0.3")), ("two", requested("10.0.0.2"))];
    assert_eq!(cooling_down(&mut assignments, &moved), ["10.0.0.1 default/one"]);
    let only_one = [("one", requested("10.0.0.3"))];
    assert_eq!(
        cooling_down(&mut assignments, &only_one),
        ["10.0.0.1 default/one", "10.0.0.2 default/two"]
    );
    // A Gateway that requests the address by its value gets it at once, without a cooldown.
    let by_value = [("one", requested("10.0.0.3")), ("three", requested("10.0.0.1"))];
    assert_eq!(cooling_down(&mut assignments, &by_value), ["10.0.0.2 default/two"]);
    // The last Gateway gets its address back.
    let back = [("one", requested("10.0.0.3")), ("three", requested("10.0.0.1")), ("two", None)];
    assert!(cooling_down(&mut assignments, &back).is_empty());
    assert_eq!(assignments.addresses[&name("two")], ["10.0.0.2".parse::<IpAddr>().unwrap()]);
}
