//! The lines that a gateway logs about changes.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "forward/support/events.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod events;
mod support;

use std::net::IpAddr;
use std::sync::Arc;

use events::messages_with;
use sluicegate::model::{
    BackendRef, EndpointSlice, Gateway, GatewayClass, Listener, ObjectMeta, ParentRef, PortNumber,
    Resources, Service, TcpRoute, default_namespace,
};
use sluicegate::sources::MemorySource;
use sluicegate::{Handle, Server};
use support::{eventually, free_port, own_address};

fn named(name: &str) -> ObjectMeta {
    ObjectMeta::named(name.parse().unwrap())
}

fn slice(name: &str, endpoint: &str) -> EndpointSlice {
    let port = PortNumber::new(5432).unwrap();
    EndpointSlice::new(&Service::new(named(name), port), port, [endpoint.parse().unwrap()])
}

/// Returns a Gateway, a route and a Service of this name, without endpoints.
fn objects(name: &str) -> Resources {
    let (port, listener_port) = (5432.try_into().unwrap(), free_port().try_into().unwrap());
    let listener = Listener::tcp("db".parse().unwrap(), listener_port);
    let parent = ParentRef::gateway(name.parse().unwrap());
    let backend = BackendRef::service(name.parse().unwrap(), port);
    let mut objects = Resources::new();
    objects.insert(GatewayClass::new("c".parse().unwrap(), "example.com/c".parse().unwrap()));
    objects.insert(Gateway::new(named(name), "c".parse().unwrap(), vec![listener]));
    objects.insert(TcpRoute::new(named(name), vec![parent], vec![backend]));
    objects.insert(Service::new(named(name), port));
    objects
}

async fn start(source: MemorySource, address: IpAddr) -> Handle {
    events::record();
    Server::builder().source(source).bind(address).start().await.unwrap()
}

/// Returns the lines about changes that contain a name.
fn changes(name: &str) -> Vec<String> {
    let mut lines = messages_with(name);
    lines.retain(|line| line.starts_with("changes applied"));
    lines
}

#[tokio::test]
async fn change_of_endpoints_is_one_line_with_route_and_endpoints() {
    let memory = MemorySource::new(objects("churn"));
    let handle = start(memory.clone(), own_address()).await;
    memory.update(|objects| drop(objects.insert(slice("churn", "127.0.0.1"))));
    eventually("the line is logged", || !changes("churn").is_empty());
    memory.update(|objects| drop(objects.insert(slice("churn", "127.0.0.2"))));
    eventually("both lines are logged", || changes("churn").len() == 2);
    assert_eq!(
        changes("churn"),
        [
            "changes applied: objects added: 1 (EndpointSlice default/churn-ipv4); routes changed: \
             1 (TCPRoute/default/churn: 1 endpoint +127.0.0.1:5432)",
            "changes applied: objects changed: 1 (EndpointSlice default/churn-ipv4); routes \
             changed: 1 (TCPRoute/default/churn: 1 endpoint +127.0.0.2:5432 -127.0.0.1:5432)",
        ]
    );
    handle.shutdown().await;
}

#[tokio::test]
async fn status_in_an_object_is_not_logged_as_a_change() {
    let memory = MemorySource::new(objects("written"));
    let handle = start(memory.clone(), own_address()).await;
    let name = sluicegate::model::NamespacedName {
        namespace: default_namespace(),
        name: "written".parse().unwrap(),
    };
    let status = handle.status();
    memory.update(|objects| {
        let gateway = objects.gateways.get_mut(&name).unwrap();
        Arc::make_mut(gateway).status = Some(status.gateways[&name].clone());
        let route = objects.tcp_routes.get_mut(&name).unwrap();
        Arc::make_mut(route).status = Some(status.tcp_routes[&name].clone());
    });
    eventually("the status is in the report", || {
        handle.report().resources.gateways[&name].status.is_some()
    });
    memory.update(|objects| drop(objects.insert(slice("written", "127.0.0.1"))));
    eventually("a line is logged", || !changes("written").is_empty());
    let [line] = &changes("written")[..] else { panic!("{:?}", changes("written")) };
    assert!(line.starts_with("changes applied: objects added: 1 (EndpointSlice"), "{line}");
    handle.shutdown().await;
}
