//! A forwarder that runs a plan, with assertions.

use std::io::ErrorKind;
use std::net::SocketAddr;

use sluicegate::forward::{Bindings, Forwarder, ListenerCounters, Outcome, Settings};
use sluicegate::plan::{Plan, Routing};
use tokio::net::TcpStream;

use super::peer::Backend;
use super::plans::{ANY, id, plan, settings, to};
use super::stream::Stream;
use super::{eventually, within};

pub struct TestForwarder {
    pub forwarder: Forwarder,
    pub bindings: Bindings,
}

impl TestForwarder {
    /// Starts a proxy with two workers and otherwise default settings.
    pub async fn open(plan: &Plan) -> Self {
        Self::with(settings(2), plan).await
    }

    pub async fn with(settings: Settings, plan: &Plan) -> Self {
        let mut proxy =
            Self { forwarder: Forwarder::start(settings).unwrap(), bindings: Bindings::default() };
        proxy.apply(plan).await;
        assert!(proxy.bindings.errors.is_empty(), "{:?}", proxy.bindings.errors);
        proxy
    }

    /// Starts a proxy with listener `tcp`, on a port of its own.
    pub async fn to(routing: Routing) -> Self {
        Self::open(&plan([("tcp", ANY, routing)])).await
    }

    /// Starts a proxy with listener `tcp`, and the backend of its route.
    pub async fn to_backend() -> (Self, Backend) {
        let backend = Backend::listen().await;
        (Self::to(to(&[backend.address])).await, backend)
    }

    pub async fn apply(&mut self, plan: &Plan) {
        self.bindings = within("applying a plan", self.forwarder.apply(plan)).await.clone();
    }

    /// Returns the bound address of a listener that has one.
    pub fn address(&self, listener: &str) -> SocketAddr {
        match &self.bindings.bound[&id(listener)][..] {
            [address] => *address,
            addresses => panic!("not one address, but {addresses:?}"),
        }
    }

    pub async fn connect(&self, listener: &str) -> TcpStream {
        within("connecting", TcpStream::connect(self.address(listener))).await.unwrap()
    }

    /// Connects, and asserts that the connect or the first read reports a reset.
    pub async fn resets(&self, listener: &str) {
        match within("connecting", TcpStream::connect(self.address(listener))).await {
            Ok(mut client) => client.is_reset().await,
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }

    /// Returns both ends of a connection through listener `tcp`.
    pub async fn pair(&self, backend: &Backend) -> (TcpStream, TcpStream) {
        (self.connect("tcp").await, backend.accept().await)
    }

    /// Returns both ends of a connection that has relayed a message in each direction.
    pub async fn relaying_pair(&self, backend: &Backend) -> (TcpStream, TcpStream) {
        let (mut client, mut server) = self.pair(backend).await;
        client.send("hello").await;
        server.receives("hello").await;
        server.send("hello").await;
        client.receives("hello").await;
        (client, server)
    }

    pub fn counters(&self, listener: &str) -> ListenerCounters {
        self.forwarder.counters().listener(&id(listener)).unwrap()
    }

    /// Waits until all connections have ended, and asserts the number for each outcome.
    pub async fn ended(&self, listener: &str, outcomes: &[(Outcome, u64)]) {
        let count: u64 = outcomes.iter().map(|(_, count)| count).sum();
        eventually("all connections ended", || {
            let counters = self.counters(listener);
            counters.accepted == count && counters.active() == 0
        })
        .await;
        let counters = self.counters(listener);
        for (outcome, count) in outcomes {
            assert_eq!(counters.ended(*outcome), *count, "{outcome} in {counters:?}");
        }
    }
}
