//! A TCP gateway embedded in a program, which builds the objects in code.
//!
//! It forwards port 15432 of this host to port 5432. Ctrl-C stops it.

use std::net::Ipv4Addr;
use std::time::Duration;

use sluicegate::Server;
use sluicegate::model::{
    BackendRef, EndpointSlice, Gateway, GatewayClass, Listener, ObjectMeta, ParentRef, PortNumber,
    Resources, Service, TcpRoute,
};
use sluicegate::sources::MemorySource;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (listener_port, backend_port) = (PortNumber::try_from(15432)?, PortNumber::try_from(5432)?);
    let class = GatewayClass::new("edge".parse()?, "example.com/edge".parse()?);
    let listeners = vec![Listener::tcp("postgres".parse()?, listener_port)];
    let gateway = Gateway::new(ObjectMeta::named("public".parse()?), "edge".parse()?, listeners);
    let backend = BackendRef::service("postgres".parse()?, backend_port);
    let parent = ParentRef::gateway("public".parse()?);
    let route = TcpRoute::new(ObjectMeta::named("postgres".parse()?), vec![parent], vec![backend]);
    let service = Service::new(ObjectMeta::named("postgres".parse()?), backend_port);
    let endpoints = EndpointSlice::new(&service, backend_port, [Ipv4Addr::LOCALHOST.into()]);

    let mut objects = Resources::new();
    objects.insert(class);
    objects.insert(gateway);
    objects.insert(route);
    objects.insert(service);
    objects.insert(endpoints);
    let handle = Server::builder().source(MemorySource::new(objects)).start().await?;

    tokio::signal::ctrl_c().await?;
    handle.drain(Duration::from_secs(30)).await;
    Ok(())
}
