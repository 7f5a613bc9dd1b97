//! A complete gateway, and connections through it.

use std::net::SocketAddr;

use sluicegate::Server;
use sluicegate::model::ObjectKind;
use sluicegate::sources::{KubeSource, MemorySource};

use crate::api::Api;
use crate::objects::{gateway, route, service, slice, usual};
use crate::support::{backend, eventually, free_port, name_at, own_address};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_continues_during_an_outage() {
    let (address, port) = (own_address(), free_port());
    let api = Api::with(usual());
    api.apply(gateway("g", port));
    api.apply(slice("s", backend("one")));
    api.apply(service("t"));
    api.apply(slice("t", backend("two")));
    let source = KubeSource::new(api.client()).identity("test");
    let running = Server::builder().source(source).bind(address).start().await.unwrap();
    let at = SocketAddr::new(address, port);
    eventually("one answers", || name_at(at).as_deref() == Some("one"));
    eventually("status is written", || {
        let status = api.get("gateways/default/g")["status"].clone();
        status["addresses"][0]["value"] == address.to_string()
    });

    api.down();
    eventually("it is said", || !running.report().problems.is_empty());
    assert_eq!(name_at(at).as_deref(), Some("one"));
    api.apply(route("r", "t"));
    assert_eq!(name_at(at).as_deref(), Some("one"));
    api.up();
    eventually("what happened meanwhile is done", || name_at(at).as_deref() == Some("two"));
    running.shutdown().await;
}

/// Only the route of the other source refers to the Service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn route_of_another_source_leads_to_a_service_of_the_cluster() {
    let (address, port) = (own_address(), free_port());
    let api = Api::with(usual());
    api.apply(gateway("g", port));
    api.apply(slice("s", backend("one")));
    api.delete("tcproutes/default/r");
    let routes = MemorySource::default();
    let source = KubeSource::new(api.client()).identity("test");
    let builder = Server::builder().source(source).source(routes.clone()).bind(address);
    let running = builder.start().await.unwrap();
    let at = SocketAddr::new(address, port);
    assert_eq!(running.report().resources.services.len(), 0);
    let of_memory = ObjectKind::TcpRoute.deserialize(route("r", "s")).unwrap();
    let key = of_memory.key();
    routes.update(|resources| resources.insert(of_memory));
    eventually("one answers", || name_at(at).as_deref() == Some("one"));
    api.apply(slice("s", backend("two")));
    eventually("its changes are followed", || name_at(at).as_deref() == Some("two"));
    routes.update(|resources| resources.remove(&key));
    eventually("the service is left out", || running.report().resources.services.is_empty());
    running.shutdown().await;
}
