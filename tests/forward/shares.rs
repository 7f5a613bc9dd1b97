//! Load balancing: weights of backends, rotation of endpoints, and rejections.

use std::io;
use std::net::SocketAddr;

use sluicegate::forward::Outcome;
use sluicegate::plan::{RejectReason, Routing};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::peer::Peer;
use crate::support::plans::{ANY, backend, plan, rejecting, route, to};
use crate::support::stream::{Stream, is_rejected};
use crate::support::test_forwarder::TestForwarder;
use crate::support::within;

#[tokio::test]
async fn rejected_share_is_exact_and_dials_nothing() {
    assert_rejected_share(80, 20).await;
    assert_rejected_share(1, 3).await;
}

async fn assert_rejected_share(taken: u32, rejected: u32) {
    const CONNECTIONS: u64 = 10_000;
    let peer = Peer::named(b'P').await;
    let proxy = TestForwarder::to(route(
        "route",
        [
            backend("there", taken, &[peer.address]),
            rejecting("missing", rejected, RejectReason::BackendNotFound),
        ],
    ))
    .await;

    let mut clients = JoinSet::new();
    for _ in 0..8 {
        clients.spawn(count_rejected(proxy.address("tcp"), CONNECTIONS / 8));
    }
    let counted: u64 = within("10 000 connections", clients.join_all()).await.into_iter().sum();

    let due = CONNECTIONS * u64::from(rejected) / u64::from(taken + rejected);
    assert!(counted.abs_diff(due) <= 1, "{counted} rejected, {due} due");
    assert_eq!(
        proxy.counters("tcp").ended(Outcome::Rejected(RejectReason::BackendNotFound)),
        counted
    );
    assert_eq!(peer.accepted() as u64, CONNECTIONS - counted);
}

async fn count_rejected(address: SocketAddr, connections: u64) -> u64 {
    let mut rejected = 0;
    for _ in 0..connections {
        let result = first_byte(address).await;
        if is_rejected(&result) {
            rejected += 1;
        } else {
            assert_eq!(result.unwrap(), b'P');
        }
    }
    rejected
}

/// Returns the first byte of the peer. Then the connection is reset, so no port is in `TIME_WAIT`.
async fn first_byte(address: SocketAddr) -> io::Result<u8> {
    let mut stream = TcpStream::connect(address).await?;
    let name = stream.read_u8().await;
    stream.reset();
    name
}

#[tokio::test]
async fn route_without_weight_rejects_all() {
    let peer = Peer::echo().await;
    let routing =
        route("route", [backend("a", 0, &[peer.address]), backend("b", 0, &[peer.address])]);
    assert_all_rejected(routing, RejectReason::NoWeight).await;
    assert_eq!(peer.accepted(), 0);
}

#[tokio::test]
async fn route_without_backends_rejects_all() {
    assert_all_rejected(route("route", []), RejectReason::NoWeight).await;
}

#[tokio::test]
async fn listener_without_route_rejects_all() {
    assert_all_rejected(Routing::Unrouted, RejectReason::NoRoute).await;
}

#[tokio::test]
async fn backend_without_endpoints_rejects_all() {
    assert_all_rejected(to(&[]), RejectReason::NoEndpoints).await;
}

async fn assert_all_rejected(routing: Routing, reason: RejectReason) {
    let proxy = TestForwarder::to(routing).await;
    for _ in 0..20 {
        let result = within("the reset", first_byte(proxy.address("tcp"))).await;
        assert!(is_rejected(&result), "{result:?}");
    }
    proxy.ended("tcp", &[(Outcome::Rejected(reason), 20)]).await;
}

#[tokio::test]
async fn endpoints_are_picked_round_robin() {
    let peers = [Peer::echo().await, Peer::echo().await, Peer::echo().await];
    let proxy = TestForwarder::to(to(&peers.each_ref().map(|peer| peer.address))).await;
    for _ in 0..10 * peers.len() {
        proxy.connect("tcp").await.echoes().await;
    }
    assert_eq!(peers.map(|peer| peer.accepted()), [10, 10, 10]);
}

#[tokio::test]
async fn route_keeps_its_rotation_when_it_changes_listener() {
    let peers = [Peer::named(b'A').await, Peer::named(b'B').await];
    let at = |listener| {
        let backends = [backend("a", 1, &[peers[0].address]), backend("b", 1, &[peers[1].address])];
        plan([(listener, ANY, route("route", backends))])
    };
    let mut proxy = TestForwarder::open(&at("one")).await;
    for (listener, peer) in [("one", "A"), ("two", "B"), ("one", "A")] {
        proxy.apply(&at(listener)).await;
        proxy.connect(listener).await.receives(peer).await;
    }
}

/// With a rotation for each listener, the first connection of both would reach A.
#[tokio::test]
async fn route_shares_its_rotation_between_listeners() {
    let peers = [Peer::named(b'A').await, Peer::named(b'B').await];
    let routing = route(
        "route",
        [backend("a", 1, &[peers[0].address]), backend("b", 1, &[peers[1].address])],
    );
    let proxy =
        TestForwarder::open(&plan([("one", ANY, routing.clone()), ("two", ANY, routing)])).await;
    for _ in 0..5 {
        proxy.connect("one").await.receives("A").await;
        proxy.connect("two").await.receives("B").await;
    }
}
