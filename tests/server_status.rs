//! The status in the reports of a gateway over several passes.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::collections::BTreeMap;
use std::net::TcpListener;

use sluicegate::model::{
    BackendRef, ConditionStatus, ConditionType, Gateway, GatewayClass, Listener, ObjectMeta,
    ParentRef, PortNumber, Resources, Service, TcpRoute, Timestamp,
};
use sluicegate::sources::MemorySource;
use sluicegate::{Report, Server};
use support::{eventually, free_port, own_address, report_where};

fn named(name: &str) -> ObjectMeta {
    ObjectMeta::named(name.parse().unwrap())
}

fn route(service: &str) -> TcpRoute {
    let backend = BackendRef::service(service.parse().unwrap(), PortNumber::new(1).unwrap());
    TcpRoute::new(named("r"), vec![ParentRef::gateway("g".parse().unwrap())], vec![backend])
}

/// Gateway `g` with a listener at this port, and a route to an existing Service.
fn objects(port: u16) -> Resources {
    let port = PortNumber::new(port).unwrap();
    let mut objects = Resources::new();
    objects.insert(GatewayClass::new("c".parse().unwrap(), "example.com/c".parse().unwrap()));
    let listener = Listener::tcp("l".parse().unwrap(), port);
    objects.insert(Gateway::new(named("g"), "c".parse().unwrap(), vec![listener]));
    objects.insert(Service::new(named("s"), PortNumber::new(1).unwrap()));
    objects.insert(route("s"));
    objects
}

/// The status and the transition time of each condition, by object and type.
type Transitions = BTreeMap<(String, ConditionType), (ConditionStatus, Timestamp)>;

/// Returns the transitions of a report. Every condition must have a time.
fn transitions(report: &Report) -> Transitions {
    let conditions = report.status.conditions().map(|(subject, condition)| {
        let key = (subject.to_string(), condition.condition_type.clone());
        (key, (condition.status, condition.last_transition_time.unwrap()))
    });
    conditions.collect()
}

/// Waits until the next pass has another second than this time.
fn wait_for_second_after(time: Timestamp) {
    eventually("the next second", || Timestamp::now().as_second() > time.as_second());
}

#[tokio::test]
async fn transition_time_changes_with_the_status_and_with_the_object() {
    let start = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let memory = MemorySource::new(objects(free_port()));
    let gateway =
        Server::builder().source(memory.clone()).bind(own_address()).start().await.unwrap();
    let mut reports = gateway.reports();
    let first = transitions(&gateway.report());
    assert_eq!(first.len(), 8, "{first:?}");
    let times: Vec<_> = first.values().map(|(_, time)| *time).collect();
    assert!(times.iter().all(|time| *time == times[0] && *time >= start), "{first:?}");

    wait_for_second_after(times[0]);
    memory.update(|objects| objects.insert(route("missing")));
    let resolved = ("TCPRoute default/r at g".to_owned(), ConditionType::RESOLVED_REFS);
    let second = report_where(&mut reports, "the Service is missing", |report| {
        transitions(report)[&resolved].0 == ConditionStatus::False
    })
    .await;
    let second = transitions(&second);
    let changed: Vec<_> = second.iter().filter(|(key, value)| first[*key] != **value).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    let (_, changed_at) = second[&resolved];
    assert!(changed_at > times[0], "{changed_at}");

    wait_for_second_after(changed_at);
    let replaced = memory.resources().tcp_routes.values().next().unwrap().clone();
    memory.update(|objects| objects.tcp_routes.clear());
    memory.update(|objects| objects.insert(route("missing")));
    let accepted = ("TCPRoute default/r at g".to_owned(), ConditionType::ACCEPTED);
    let third = report_where(&mut reports, "another route", |report| {
        let created =
            report.resources.tcp_routes.values().map(|it| &it.metadata.creation_timestamp);
        created.into_iter().any(|time| *time != replaced.metadata.creation_timestamp)
    })
    .await;
    let third = transitions(&third);
    assert!(third[&accepted].1 > changed_at && third[&resolved].1 > changed_at, "{third:?}");
    let of_gateway = ("Gateway default/g".to_owned(), ConditionType::ACCEPTED);
    assert_eq!(third[&of_gateway], first[&of_gateway]);
    gateway.shutdown().await;
}

#[tokio::test]
async fn transition_time_is_set_when_a_listener_opens_after_a_retry() {
    let (address, port) = (own_address(), free_port());
    let taken = TcpListener::bind((address, port)).unwrap();
    let memory = MemorySource::new(objects(port));
    let gateway = Server::builder().source(memory).bind(address).start().await.unwrap();
    let mut reports = gateway.reports();
    let before = transitions(&gateway.report());
    let programmed = ("Gateway default/g".to_owned(), ConditionType::PROGRAMMED);
    assert_eq!(before[&programmed].0, ConditionStatus::False);
    wait_for_second_after(before[&programmed].1);
    drop(taken);
    let after = report_where(&mut reports, "programmed", |report| {
        transitions(report)[&programmed].0 == ConditionStatus::True
    })
    .await;
    let after = transitions(&after);
    assert!(after[&programmed].1 > before[&programmed].1);
    let accepted = ("Gateway default/g".to_owned(), ConditionType::ACCEPTED);
    assert_eq!(after[&accepted], before[&accepted]);
    gateway.shutdown().await;
}
