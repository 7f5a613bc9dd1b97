//! Binding listeners, and failures to bind.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::task::Poll;

use sluicegate::forward::Forwarder;
use sluicegate::plan::{BindErrorKind, SocketId};
use socket2::{Domain, Socket, Type};
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
    // This network is reserved for documentation.
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
    // The other address of the listener is open.
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
    proxy.connect("a").await.receives("A").await;
    let failures = &proxy.bindings.errors[&id("b")];
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].socket, SocketId::tcp(reserved.address));
    assert_eq!(failures[0].kind, BindErrorKind::PortUnavailable);
    assert_eq!(proxy.bindings.errors.len(), 1);

    let only = plan([("b", reserved.address, to(&[peers[1].address]))]);
    proxy.apply(&only).await;
    assert!(proxy.bindings.errors.is_empty());
    proxy.connect("b").await.receives("B").await;

    let mut both = only;
    let first = plan([("a", reserved.address, to(&[peers[0].address]))]);
    both.listeners.extend(first.listeners);
    proxy.apply(&both).await;
    proxy.connect("a").await.receives("A").await;
    assert_eq!(proxy.bindings.errors[&id("b")].len(), 1);
    assert!(!proxy.bindings.bound.contains_key(&id("b")));
}

/// A cancelled apply may have applied a part of the plan. The next one applies the rest. An apply
/// waits only for sockets that it has to close first: a wildcard address conflicts with every other
/// address at its port.
#[tokio::test]
async fn cancelled_apply_can_be_repeated() {
    let echo = Peer::echo().await;
    // Without a reservation at all addresses, another test could bind the port at one of them.
    let wildcard = Reserved::on((Ipv4Addr::UNSPECIFIED, 0).into());
    let specific = SocketAddr::from((Ipv4Addr::LOCALHOST, wildcard.address.port()));
    let first = plan([("tcp", specific, to(&[echo.address]))]);
    let second = plan([("tcp", wildcard.address, to(&[echo.address]))]);
    let mut proxy = TestForwarder::open(&first).await;
    {
        let mut apply = pin!(proxy.forwarder.apply(&second));
        // The apply is ready if the worker has already closed its socket.
        let _ = poll_fn(|context| Poll::Ready(apply.as_mut().poll(context).is_ready())).await;
    }
    proxy.apply(&second).await;
    assert!(proxy.bindings.errors.is_empty(), "{:?}", proxy.bindings.errors);
    assert_eq!(proxy.address("tcp"), wildcard.address);
    proxy.connect("tcp").await.echoes().await;
}

#[tokio::test]
async fn port_is_not_shared_with_another_forwarder() {
    let (first, second) = (Peer::named(b'1').await, Peer::named(b'2').await);
    let proxy = TestForwarder::to(to(&[first.address])).await;
    let address = proxy.address("tcp");
    let mut other = Forwarder::start(settings(2)).unwrap();
    let bindings = other.apply(&plan([("tcp", address, to(&[second.address]))])).await;
    assert_eq!(bindings.errors[&id("tcp")][0].kind, BindErrorKind::PortUnavailable);
    for _ in 0..20 {
        proxy.connect("tcp").await.receives("1").await;
    }
}

#[tokio::test]
async fn listener_binds_ipv4_and_ipv6() {
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
async fn backend_of_other_address_family_is_dialled() {
    if !has_ipv6() {
        return;
    }
    let server = tokio::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = TestForwarder::to(to(&[server.local_addr().unwrap()])).await;
    let mut client = proxy.connect("tcp").await;
    let (mut server, _) = within("accepting", server.accept()).await.unwrap();
    client.send("over there").await;
    server.receives("over there").await;
}

/// With `SO_REUSEPORT` on both sockets, the kernel would distribute connections over both.
#[tokio::test]
async fn port_is_not_shared_with_another_socket() {
    let echo = Peer::echo().await;
    for workers in [1, 4] {
        let plan = plan([("tcp", ANY, to(&[echo.address]))]);
        let proxy = TestForwarder::with(settings(workers), &plan).await;
        let address = proxy.address("tcp");
        let other = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        other.set_reuse_address(true).unwrap();
        other.set_reuse_port(true).unwrap();
        assert_eq!(other.bind(&address.into()).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}

fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}
