//! Binding listeners, and failures to bind.

use std::future::poll_fn;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::task::Poll;

use sluicegate::forward::Forwarder;
use sluicegate::plan::{BindErrorKind, SocketId};
use tokio::net::TcpStream;

use crate::support::peer::{Peer, Reserved};
use crate::support::plans::{ANY, id, plan, settings, to};
use crate::support::stream::Stream;
use crate::support::test_forwarder::TestForwarder;
use crate::support::within;

#[tokio::test]
async fn port_in_use_fails_alone_and_is_bound_by_retry() {
    let echo = Peer::echo().await;
    let reserved = Reserved::new();
    let taken = reserved.take();
    let routing = to(&[echo.address]);
    let plan = plan([
        ("before", ANY, routing.clone()),
        ("taken", reserved.address, routing.clone()),
        ("with", ANY, routing),
    ]);
    let mut proxy = TestForwarder::open(&Default::default()).await;
    proxy.apply(&plan).await;

    let failures = &proxy.bindings.errors[&id("taken")];
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].socket, SocketId::tcp(reserved.address));
    assert_eq!(failures[0].kind, BindErrorKind::PortUnavailable);
    assert_eq!(proxy.bindings.errors.len(), 1);
    assert!(!proxy.bindings.bound.contains_key(&id("taken")));
    for listener in ["before", "with"] {
        proxy.connect(listener).await.echoes().await;
    }
    assert_eq!(proxy.forwarder.retry().await, None);

    drop(taken);
    let before = proxy.bindings.clone();
    proxy.bindings = proxy.forwarder.retry().await.unwrap().clone();
    assert!(proxy.bindings.errors.is_empty());
    assert_eq!(proxy.address("taken"), reserved.address);
    proxy.connect("taken").await.echoes().await;
    for listener in ["before", "with"] {
        assert_eq!(proxy.bindings.bound[&id(listener)], before.bound[&id(listener)]);
    }
    assert_eq!(proxy.forwarder.retry().await, None);
}

#[tokio::test]
async fn foreign_address_is_not_usable() {
    let echo = Peer::echo().await;
    // Reserved for documentation.
    let elsewhere = SocketAddr::from(([198, 51, 100, 1], 0));
    let routing = to(&[echo.address]);
    let plan = plan([("both", ANY, routing.clone()), ("both", elsewhere, routing)]);
    let mut proxy = TestForwarder::open(&Default::default()).await;
    proxy.apply(&plan).await;
    let failures = &proxy.bindings.errors[&id("both")];
    assert_eq!(failures.len(), 1);
    assert_eq!(
        (failures[0].socket, failures[0].kind),
        (SocketId::tcp(elsewhere), BindErrorKind::AddressNotUsable)
    );
    // The other address of the listener is open all the same.
    proxy.connect("both").await.echoes().await;
}

#[tokio::test]
async fn shared_address_goes_to_first_listener() {
    let peers = [Peer::named(b'A').await, Peer::named(b'B').await];
    let reserved = Reserved::new();
    let mut proxy = TestForwarder::open(&Default::default()).await;
    proxy
        .apply(&plan([
            ("a", reserved.address, to(&[peers[0].address])),
            ("a", reserved.address, to(&[peers[0].address])),
            ("b", reserved.address, to(&[peers[1].address])),
        ]))
        .await;
    proxy.connect("a").await.hears("A").await;
    let failures = &proxy.bindings.errors[&id("b")];
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].socket, SocketId::tcp(reserved.address));
    assert_eq!(failures[0].kind, BindErrorKind::PortUnavailable);
    assert_eq!(proxy.bindings.errors.len(), 1);

    let only = plan([("b", reserved.address, to(&[peers[1].address]))]);
    proxy.apply(&only).await;
    assert!(proxy.bindings.errors.is_empty());
    proxy.connect("b").await.hears("B").await;

    let mut both = only;
    let first = plan([("a", reserved.address, to(&[peers[0].address]))]);
    both.listeners.extend(first.listeners);
    proxy.apply(&both).await;
    proxy.connect("a").await.hears("A").await;
    assert_eq!(proxy.bindings.errors[&id("b")].len(), 1);
    assert!(!proxy.bindings.bound.contains_key(&id("b")));
}

/// Half of a plan may have been applied then; the next time the rest is.
#[tokio::test]
async fn cancelled_apply_can_be_repeated() {
    // More than a task may hand over without pausing.
    const LISTENERS: usize = 100;
    let echo = Peer::echo().await;
    let names: Vec<_> = (0..LISTENERS).map(|number| format!("tcp-{number}")).collect();
    let plan = plan(names.iter().map(|name| (name.as_str(), ANY, to(&[echo.address]))));
    let mut proxy = TestForwarder::open(&Default::default()).await;
    {
        let mut apply = pin!(proxy.forwarder.apply(&plan));
        poll_fn(|context| {
            assert!(apply.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    proxy.apply(&plan).await;
    assert!(proxy.bindings.errors.is_empty());
    for name in &names {
        proxy.connect(name).await.echoes().await;
    }
}

/// Workers share a port, but not with anybody else.
#[tokio::test]
async fn port_is_not_shared_with_another_forwarder() {
    let (first, second) = (Peer::named(b'1').await, Peer::named(b'2').await);
    let proxy = TestForwarder::to(to(&[first.address])).await;
    let address = proxy.address("tcp");
    let mut other = Forwarder::start(settings(2)).unwrap();
    let bindings = other.apply(&plan([("tcp", address, to(&[second.address]))])).await;
    assert_eq!(bindings.errors[&id("tcp")][0].kind, BindErrorKind::PortUnavailable);
    for _ in 0..20 {
        proxy.connect("tcp").await.hears("1").await;
    }
}

#[tokio::test]
async fn listener_may_bind_ipv4_and_ipv6() {
    if !has_ipv6() {
        return;
    }
    let echo = Peer::echo().await;
    let routing = to(&[echo.address]);
    let ipv6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let proxy =
        TestForwarder::open(&plan([("tcp", ANY, routing.clone()), ("tcp", ipv6, routing)])).await;
    let bound = &proxy.bindings.bound[&id("tcp")];
    assert_eq!(bound.iter().filter(|address| address.is_ipv6()).count(), 1);
    assert_eq!(bound.len(), 2);
    for address in bound {
        TcpStream::connect(address).await.unwrap().echoes().await;
    }
}

#[tokio::test]
async fn wildcard_address_accepts_ipv4_and_ipv6() {
    let echo = Peer::echo().await;
    let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let proxy = TestForwarder::open(&plan([("tcp", all, to(&[echo.address]))])).await;
    let port = proxy.address("tcp").port();
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap().echoes().await;
    if has_ipv6() {
        TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap().echoes().await;
    }
}

#[tokio::test]
async fn backend_may_use_other_address_family() {
    if !has_ipv6() {
        return;
    }
    let server = tokio::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = TestForwarder::to(to(&[server.local_addr().unwrap()])).await;
    let mut client = proxy.connect("tcp").await;
    let (mut server, _) = within("accepting", server.accept()).await.unwrap();
    client.say("over there").await;
    server.hears("over there").await;
}

/// Every worker's socket is at the one port, and every worker serves.
#[tokio::test]
async fn port_is_shared_by_all_workers() {
    let echo = Peer::echo().await;
    let settings = settings(4);
    let proxy = TestForwarder::with(settings, &plan([("tcp", ANY, to(&[echo.address]))])).await;
    // That chance leaves one of the four out is not to be expected.
    for _ in 0..200 {
        proxy.connect("tcp").await.echoes().await;
    }
    assert_eq!(proxy.counters("tcp").accepted, 200);
    let by_worker = proxy.forwarder.counters().by_worker(&id("tcp")).unwrap();
    let accepted: Vec<_> = by_worker.iter().map(|counters| counters.accepted).collect();
    assert_eq!(accepted.len(), 4);
    assert_eq!(accepted.iter().sum::<u64>(), 200);
    assert!(accepted.iter().all(|accepted| *accepted > 0), "{accepted:?}");
}

fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}
