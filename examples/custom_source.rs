//! A custom source: it resolves a DNS name every few seconds, and publishes the addresses as the
//! endpoints of a Service.
//!
//! `cargo run --example custom_source -- localhost:5432` forwards port 15432 to these addresses.
//! Ctrl-C stops the gateway.

use std::time::Duration;

use sluicegate::Server;
use sluicegate::model::{
    BackendRef, EndpointSlice, Gateway, GatewayClass, Listener, ObjectMeta, ParentRef, PortNumber,
    Resources, Service, TcpRoute,
};
use sluicegate::sources::{Feed, MemorySource, Source, SourceError, async_trait};

/// Source that publishes the addresses of `name` as the endpoints of `service`.
struct DnsSource {
    name: String,
    service: Service,
}

#[async_trait]
impl Source for DnsSource {
    fn name(&self) -> String {
        format!("DNS {}", self.name)
    }

    async fn run(self: Box<Self>, feed: Feed) -> Result<(), SourceError> {
        // An error here fails the start of the gateway. A later failure keeps the addresses.
        let mut addresses: Vec<_> = tokio::net::lookup_host(&self.name).await?.collect();
        loop {
            let mut objects = Resources::new();
            objects.insert(self.service.clone());
            if let Some(port) = addresses.first().and_then(|first| PortNumber::new(first.port())) {
                let ips = addresses.iter().map(|address| address.ip());
                objects.insert(EndpointSlice::new(&self.service, port, ips));
            }
            feed.publish(objects);
            tokio::time::sleep(Duration::from_secs(5)).await;
            if let Ok(found) = tokio::net::lookup_host(&self.name).await {
                addresses = found.collect();
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).ok_or("usage: custom_source HOST:PORT")?;
    let port = PortNumber::try_from(15432)?;
    let service = Service::new(ObjectMeta::named("target".parse()?), port);

    let mut objects = Resources::new();
    objects.insert(GatewayClass::new("edge".parse()?, "example.com/edge".parse()?));
    let listeners = vec![Listener::tcp("tcp".parse()?, port)];
    let gateway = ObjectMeta::named("public".parse()?);
    objects.insert(Gateway::new(gateway, "edge".parse()?, listeners));
    let parents = vec![ParentRef::gateway("public".parse()?)];
    let backends = vec![BackendRef::service("target".parse()?, port)];
    objects.insert(TcpRoute::new(ObjectMeta::named("target".parse()?), parents, backends));

    // Two sources: constant objects from memory, and the endpoints from the DNS.
    let handle = Server::builder()
        .source(MemorySource::new(objects))
        .source(DnsSource { name, service })
        .start()
        .await?;
    for (listener, report) in handle.listeners() {
        eprintln!("{listener} listens on {:?}", report.bound);
    }
    tokio::signal::ctrl_c().await?;
    handle.shutdown().await;
    Ok(())
}
