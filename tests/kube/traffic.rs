//! A complete gateway, and connections through it.

use std::net::SocketAddr;

use sluicegate::Server;
use sluicegate::sources::KubeSource;

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
