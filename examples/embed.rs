//! A TCP gateway inside a program of one's own, from objects that it builds in code.
//!
//! Connections to port 15432 of this host go to port 5432. Stop it with ctrl-c.

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
    let (outside, inside) = (PortNumber::try_from(15432)?, PortNumber::try_from(5432)?);
    let class = GatewayClass::new("edge".parse()?, "example.com/edge".parse()?);
    let listeners = vec![Listener::tcp("postgres".parse()?, outside)];
    let gateway = Gateway::new(ObjectMeta::named("public".parse()?), "edge".parse()?, listeners);
    let backend = BackendRef::service("postgres".parse()?, inside);
    let parent = ParentRef::gateway("public".parse()?);
    let route = TcpRoute::new(ObjectMeta::named("postgres".parse()?), vec![parent], vec![backend]);
    let service = Service::new(ObjectMeta::named("postgres".parse()?), inside);
    let endpoints = EndpointSlice::new(&service, inside, [Ipv4Addr::LOCALHOST.into()]);

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
