//! Applying another plan while connections are open.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sluicegate::forward::Settings;
use sluicegate::plan::{Plan, RejectReason, Routing};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::peer::{Backend, Peer, Reserved};
use crate::support::plans::{ANY, backend, id, plan, rejecting, route, settings, to};
use crate::support::stream::{Stream, refused};
use crate::support::test_forwarder::TestForwarder;
use crate::support::{WAIT_TIMEOUT, eventually, within};

#[tokio::test]
async fn reload_under_load_disturbs_no_connection() {
    let peers = [Peer::named(b'A').await, Peer::named(b'B').await];
    let plan_number = |number: usize| {
        let [a, b] = peers.each_ref().map(|peer| peer.address);
        let routing = match number % 5 {
            0 => to(&[a]),
            1 => to(&[b]),
            2 => route("route", [backend("a", 1, &[a]), backend("b", 1, &[b])]),
            3 => route("route", [backend("a", 70, &[a, b]), backend("b", 30, &[b])]),
            _ => route("another", [backend("a", 1, &[a]), backend("none", 0, &[])]),
        };
        // Other listeners are added and removed. The route of one of them rejects connections.
        let others = ["x", "y", "z"].into_iter().enumerate();
        let others = others.filter(|(index, _)| number.is_multiple_of(index + 2));
        let mut plan = plan(others.map(|(_, other)| (other, ANY, to(&[a]))));
        if number.is_multiple_of(2) {
            let broken = route("broken", [rejecting("gone", 1, RejectReason::BackendNotFound)]);
            plan.listeners.extend(self::plan([("broken", ANY, broken)]).listeners);
        }
        plan.listeners.extend(self::plan([("tcp", ANY, routing)]).listeners);
        plan
    };
    let mut proxy = TestForwarder::open(&plan_number(0)).await;
    let address = proxy.address("tcp");

    let load = Load::default();
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        clients.spawn(load.clone().reconnect(address));
        clients.spawn(load.clone().stay_connected(address));
    }
    eventually("four stay connected", || load.staying.load(Ordering::Relaxed) == 4).await;
    for number in 1..=200 {
        proxy.apply(&plan_number(number)).await;
        assert!(proxy.bindings.errors.is_empty());
        assert_eq!(proxy.address("tcp"), address);
        let served = load.served.load(Ordering::Relaxed);
        eventually("clients are served", || load.served.load(Ordering::Relaxed) > served + 4).await;
    }
    load.over.store(true, Ordering::Relaxed);
    // The task of a client with an error has panicked, and this panics, too.
    within("the clients", clients.join_all()).await;
    assert!(load.served.load(Ordering::Relaxed) >= 1000);
}

#[derive(Clone, Default)]
struct Load {
    served: Arc<AtomicU64>,
    staying: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Load {
    async fn reconnect(self, address: SocketAddr) {
        while !self.over.load(Ordering::Relaxed) {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.read_u8().await.unwrap();
            client.echoes().await;
            client.end().await;
            client.receives_end().await;
            self.served.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn stay_connected(self, address: SocketAddr) {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.read_u8().await.unwrap();
        self.staying.fetch_add(1, Ordering::Relaxed);
        while !self.over.load(Ordering::Relaxed) {
            client.echoes().await;
            self.served.fetch_add(1, Ordering::Relaxed);
        }
        client.end().await;
        client.receives_end().await;
    }
}

#[tokio::test]
async fn connection_keeps_its_backend_after_reload() {
    let (mut proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    let other = Peer::named(b'N').await;
    for routing in [to(&[other.address]), Routing::Unrouted, to(&[other.address])] {
        proxy.apply(&plan([("tcp", ANY, routing)])).await;
        client.send("still you?").await;
        server.receives("still you?").await;
        server.send("yes").await;
        client.receives("yes").await;
    }
    proxy.connect("tcp").await.receives("N").await;
}

fn draining(timeout: Duration) -> Settings {
    settings(2).with_drain_timeout(timeout)
}

#[tokio::test]
async fn removed_listener_lets_connections_finish() {
    let backend = Backend::listen().await;
    let routing = to(&[backend.address]);
    let mut proxy =
        TestForwarder::with(draining(10 * WAIT_TIMEOUT), &plan([("tcp", ANY, routing)])).await;
    let address = proxy.address("tcp");
    let (mut client, mut server) = proxy.pair(&backend).await;
    proxy.apply(&Plan::default()).await;
    assert!(proxy.bindings.bound.is_empty());
    refused(address).await;
    client.send("last words").await;
    client.end().await;
    server.receives("last words").await;
    server.receives_end().await;
    server.send("noted").await;
    server.end().await;
    client.receives("noted").await;
    client.receives_end().await;
}

/// The kernel has established these connections, but the proxy may not have accepted them yet.
#[tokio::test]
async fn removed_listener_serves_connections_in_its_backlog() {
    let echo = Peer::echo().await;
    let plan = plan([("tcp", ANY, to(&[echo.address]))]);
    let mut proxy = TestForwarder::with(draining(10 * WAIT_TIMEOUT), &plan).await;
    for _ in 0..20 {
        proxy.apply(&plan).await;
        let mut clients = Vec::new();
        for _ in 0..10 {
            let mut client = proxy.connect("tcp").await;
            client.send("just in time").await;
            clients.push(client);
        }
        proxy.apply(&Plan::default()).await;
        for client in &mut clients {
            client.receives("just in time").await;
        }
    }
}

#[tokio::test]
async fn removed_listener_resets_connections_at_deadline() {
    let backend = Backend::listen().await;
    let timeout = Duration::from_millis(100);
    let kept = Peer::echo().await;
    let mut proxy = TestForwarder::with(
        draining(timeout),
        &plan([("tcp", ANY, to(&[backend.address])), ("kept", ANY, to(&[kept.address]))]),
    )
    .await;
    let (mut client, mut server) = proxy.relaying_pair(&backend).await;
    let mut other = proxy.connect("kept").await;
    other.echoes().await;
    let started = Instant::now();
    proxy.apply(&plan([("kept", ANY, to(&[kept.address]))])).await;
    client.is_reset().await;
    server.is_reset().await;
    assert!(started.elapsed() >= timeout);
    other.echoes().await;
}

/// Repeats a scenario with longer drain timeouts, until its listener is restored within the
/// timeout. On a busy machine, that can take longer than the shortest timeout. The connections are
/// then reset, which is correct.
async fn repeat_until_in_time(scenario: impl AsyncFn(Duration) -> bool) {
    for timeout in [200, 2_000, 20_000].map(Duration::from_millis) {
        if scenario(timeout).await {
            return;
        }
    }
    panic!("the listener was not restored within 20 s");
}

/// A plan without the listener may be a mistake, which the next plan corrects.
#[tokio::test]
async fn restored_listener_keeps_its_connections() {
    repeat_until_in_time(restore_listener).await;
}

async fn restore_listener(timeout: Duration) -> bool {
    let (reserved, backend) = (Reserved::new(), Backend::listen().await);
    let listener = |name| (name, reserved.address, to(&[backend.address]));
    let clock = || ("clock", ANY, to(&[backend.address]));
    let mut proxy = TestForwarder::with(draining(timeout), &plan([listener("tcp"), clock()])).await;
    let (mut early, mut early_server) = proxy.relaying_pair(&backend).await;
    let (mut ticking, _other_end) = (proxy.connect("clock").await, backend.accept().await);

    let removed = Instant::now();
    proxy.apply(&plan([clock()])).await;
    proxy.apply(&plan([listener("tcp")])).await;
    if removed.elapsed() >= timeout {
        return false;
    }
    let (mut late, mut late_server) = proxy.relaying_pair(&backend).await;
    // This listener was removed after `tcp` and is not restored, so both timeouts are over.
    ticking.is_reset().await;
    for (client, server) in [(&mut early, &mut early_server), (&mut late, &mut late_server)] {
        client.send("still here").await;
        server.receives("still here").await;
    }

    // If the listener is not restored, its connections are reset, but not before the timeout.
    let removed = Instant::now();
    proxy.apply(&Plan::default()).await;
    for stream in [&mut early, &mut early_server, &mut late, &mut late_server] {
        stream.is_reset().await;
    }
    assert!(removed.elapsed() >= timeout);
    true
}

/// The connections stay open although another socket has the port.
#[tokio::test]
async fn restored_listener_keeps_its_connections_when_port_is_in_use() {
    repeat_until_in_time(restore_listener_with_port_in_use).await;
}

async fn restore_listener_with_port_in_use(timeout: Duration) -> bool {
    let (reserved, backend) = (Reserved::new(), Backend::listen().await);
    let only = plan([("tcp", reserved.address, to(&[backend.address]))]);
    let clock = plan([("clock", ANY, to(&[backend.address]))]);
    let mut both = only.clone();
    both.listeners.extend(clock.listeners.clone());
    let mut proxy = TestForwarder::with(draining(timeout), &both).await;
    let (mut client, mut server) = proxy.relaying_pair(&backend).await;
    let (mut ticking, _other_end) = (proxy.connect("clock").await, backend.accept().await);

    let removed = Instant::now();
    proxy.apply(&clock).await;
    refused(reserved.address).await;
    let _taken = reserved.take();
    proxy.apply(&only).await;
    if removed.elapsed() >= timeout {
        return false;
    }
    assert!(proxy.bindings.errors.contains_key(&id("tcp")));
    ticking.is_reset().await;
    client.send("still here").await;
    server.receives("still here").await;
    proxy.apply(&Plan::default()).await;
    client.is_reset().await;
    true
}

#[tokio::test]
async fn renamed_listener_keeps_its_connections() {
    let (reserved, backend) = (Reserved::new(), Backend::listen().await);
    let named = |listener| plan([(listener, reserved.address, to(&[backend.address]))]);
    let mut proxy = TestForwarder::with(draining(Duration::ZERO), &named("tcp")).await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    proxy.apply(&named("renamed")).await;
    assert!(proxy.bindings.errors.is_empty());
    assert_eq!(proxy.address("renamed"), reserved.address);
    assert!(!proxy.bindings.bound.contains_key(&id("tcp")));

    client.send("same as before").await;
    server.receives("same as before").await;
    let _another = (proxy.connect("renamed").await, backend.accept().await);
    assert_eq!(proxy.counters("renamed").accepted, 1);
    assert_eq!(proxy.forwarder.counters().listener(&id("tcp")), None);
}

#[tokio::test]
async fn swapped_ports_keep_connections() {
    let (one, two) = (Reserved::new(), Reserved::new());
    let peers = [Peer::named(b'A').await, Peer::named(b'B').await];
    let ports = |a: &Reserved, b: &Reserved| {
        plan([
            ("a", a.address, route("a", [backend("a", 1, &[peers[0].address])])),
            ("b", b.address, route("b", [backend("b", 1, &[peers[1].address])])),
        ])
    };
    let mut proxy = TestForwarder::with(draining(Duration::ZERO), &ports(&one, &two)).await;
    let mut of_a = proxy.connect("a").await;
    let mut of_b = proxy.connect("b").await;
    of_a.receives("A").await;
    of_b.receives("B").await;

    proxy.apply(&ports(&two, &one)).await;
    assert!(proxy.bindings.errors.is_empty());
    assert_eq!((proxy.address("a"), proxy.address("b")), (two.address, one.address));
    of_a.echoes().await;
    of_b.echoes().await;
    proxy.connect("a").await.receives("A").await;
    proxy.connect("b").await.receives("B").await;
}

/// The two sockets cannot be open together, so one is closed before the other is opened.
#[tokio::test]
async fn wildcard_and_specific_address_replace_each_other() {
    let everywhere = Reserved::on((Ipv4Addr::UNSPECIFIED, 0).into());
    let port = everywhere.address.port();
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let backend = Backend::listen().await;
    let at = |address| plan([("tcp", address, to(&[backend.address]))]);
    let mut proxy = TestForwarder::with(draining(10 * WAIT_TIMEOUT), &at(everywhere.address)).await;

    let mut pairs = Vec::new();
    for address in [here, everywhere.address, here] {
        pairs.push((TcpStream::connect(here).await.unwrap(), backend.accept().await));
        proxy.apply(&at(address)).await;
        assert!(proxy.bindings.errors.is_empty(), "{:?}", proxy.bindings.errors);
        assert_eq!(proxy.address("tcp"), address);
        for (client, server) in &mut pairs {
            client.send("still here").await;
            server.receives("still here").await;
        }
    }
}

/// The first plan has port 0, and the second one the port that the kernel assigned.
#[tokio::test]
async fn ephemeral_port_is_kept_when_requested_by_number() {
    let (mut proxy, backend) = TestForwarder::to_backend().await;
    let address = proxy.address("tcp");
    let (mut client, mut server) = proxy.pair(&backend).await;
    proxy.apply(&plan([("tcp", address, to(&[backend.address]))])).await;
    assert!(proxy.bindings.errors.is_empty(), "{:?}", proxy.bindings.errors);
    assert_eq!(proxy.address("tcp"), address);
    client.send("still here").await;
    server.receives("still here").await;
    let _another = proxy.pair(&backend).await;
}
