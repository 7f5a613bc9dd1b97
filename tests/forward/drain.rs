//! Draining: open connections may finish until a deadline, then they are reset.

use std::time::{Duration, Instant};

use sluicegate::forward::Outcome;
use sluicegate::plan::Plan;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::peer::{Backend, Peer};
use crate::support::plans::{ANY, plan, settings, to};
use crate::support::stream::{Stream, refused};
use crate::support::test_forwarder::TestForwarder;
use crate::support::{WAIT_TIMEOUT, eventually, within};

const SOON: Duration = Duration::from_millis(100);

#[tokio::test]
async fn drain_ends_with_last_connection() {
    let (mut proxy, backend) = TestForwarder::to_backend().await;
    let address = proxy.address("tcp");
    let (mut client, mut server) = proxy.relaying_pair(&backend).await;
    let draining = tokio::spawn(async move {
        proxy.forwarder.drain(10 * WAIT_TIMEOUT).await;
        proxy
    });
    refused(address).await;
    assert!(!draining.is_finished());

    // The connection still relays bytes and EOF in both directions.
    client.send("one more").await;
    server.receives("one more").await;
    client.end().await;
    server.receives_end().await;
    server.send("goodbye").await;
    server.end().await;
    client.receives("goodbye").await;
    client.receives_end().await;

    let proxy = within("the drain", draining).await.unwrap();
    assert_eq!(proxy.counters("tcp").ended(Outcome::Completed), 1);
}

#[tokio::test]
async fn drain_resets_connections_at_deadline() {
    let (mut proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.relaying_pair(&backend).await;
    let started = Instant::now();
    within("the drain", proxy.forwarder.drain(SOON)).await;
    assert!(started.elapsed() >= SOON);
    client.is_reset().await;
    server.is_reset().await;
    proxy.ended("tcp", &[(Outcome::Drained, 1)]).await;
}

#[tokio::test]
async fn drain_that_is_cancelled_can_be_repeated() {
    let (mut proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.relaying_pair(&backend).await;
    timeout(Duration::from_millis(20), proxy.forwarder.drain(10 * WAIT_TIMEOUT)).await.unwrap_err();
    client.send("still here").await;
    server.receives("still here").await;
    let started = Instant::now();
    within("the drain", proxy.forwarder.drain(SOON)).await;
    assert!(started.elapsed() >= SOON);
    client.is_reset().await;
    server.is_reset().await;
}

#[tokio::test]
async fn drain_without_connections_returns_at_once() {
    let (mut proxy, _backend) = TestForwarder::to_backend().await;
    within("the drain", proxy.forwarder.drain(10 * WAIT_TIMEOUT)).await;
    within("another drain", proxy.forwarder.drain(10 * WAIT_TIMEOUT)).await;
}

/// The deadline of the drain applies, not the drain timeout for removed listeners.
#[tokio::test]
async fn drain_ignores_timeout_of_removed_listeners() {
    let backend = Backend::listen().await;
    let settings = settings(1).with_drain_timeout(Duration::ZERO);
    let mut proxy =
        TestForwarder::with(settings, &plan([("tcp", ANY, to(&[backend.address]))])).await;
    let (mut client, mut server) = proxy.relaying_pair(&backend).await;
    let draining = tokio::spawn(async move { proxy.forwarder.drain(Duration::MAX).await });
    for _ in 0..20 {
        sleep(Duration::from_millis(5)).await;
        client.send("here").await;
        server.receives("here").await;
    }
    client.end().await;
    server.end().await;
    within("the drain", draining).await.unwrap();
}

/// If a listener was removed before the drain, its connections are reset at the deadline of the
/// removal or of the drain, whichever is earlier.
#[tokio::test]
async fn drain_includes_removed_listeners() {
    for (removed, drain) in [(10 * WAIT_TIMEOUT, SOON), (SOON, 10 * WAIT_TIMEOUT)] {
        let backend = Backend::listen().await;
        let settings = settings(1).with_drain_timeout(removed);
        let mut proxy =
            TestForwarder::with(settings, &plan([("tcp", ANY, to(&[backend.address]))])).await;
        let (mut client, mut server) = proxy.relaying_pair(&backend).await;
        proxy.apply(&Plan::default()).await;
        within("the drain", proxy.forwarder.drain(drain)).await;
        client.is_reset().await;
        server.is_reset().await;
    }
}

#[tokio::test]
async fn drain_allows_another_plan() {
    let echo = Peer::echo().await;
    let plan = plan([("tcp", ANY, to(&[echo.address]))]);
    let mut proxy = TestForwarder::open(&plan).await;
    within("the drain", proxy.forwarder.drain(SOON)).await;
    proxy.apply(&plan).await;
    proxy.connect("tcp").await.echoes().await;
}

#[tokio::test]
async fn drop_resets_all_connections() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let address = proxy.address("tcp");
    let (mut client, mut server) = proxy.relaying_pair(&backend).await;
    let counters = proxy.forwarder.counters();
    drop(proxy);
    client.is_reset().await;
    server.is_reset().await;
    refused(address).await;
    let counters = counters.listeners().into_values().next().unwrap();
    assert_eq!((counters.ended(Outcome::Drained), counters.active()), (1, 0));
}

/// Workers give connections to each other until the last one has stopped accepting.
#[tokio::test(flavor = "multi_thread")]
async fn drop_resets_clients_that_are_being_accepted() {
    const ROUNDS: u64 = 20;
    const CLIENTS: usize = 100;
    let backend = Peer::sink().await;
    for round in 0..ROUNDS {
        let plan = plan([("tcp", ANY, to(&[backend.address]))]);
        let proxy = TestForwarder::with(settings(4), &plan).await;
        let address = proxy.address("tcp");
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(async move {
                // The listener may be closed, or the client reset while it connects.
                let mut client = TcpStream::connect(address).await.ok()?;
                // The kernel may forget a client whose handshake ends while the listener closes.
                timeout(Duration::from_secs(2), client.read(&mut [0])).await.ok()?.ok()
            });
        }
        sleep(Duration::from_micros(200 * round)).await;
        drop(proxy);
        let ends = within("the resets", clients.join_all()).await;
        assert!(ends.iter().all(Option::is_none), "a client received EOF instead of a reset");
    }
}

#[tokio::test]
async fn active_connections_include_removed_listeners() {
    let (mut proxy, backend) = TestForwarder::to_backend().await;
    let counters = proxy.forwarder.counters();
    let first = proxy.relaying_pair(&backend).await;
    assert_eq!(counters.active(), 1);
    proxy.apply(&Plan::default()).await;
    assert_eq!((counters.listeners().len(), counters.active()), (0, 1));

    // The new listener has its own counters, although its name is the same.
    proxy.apply(&plan([("tcp", ANY, to(&[backend.address]))])).await;
    let second = proxy.relaying_pair(&backend).await;
    assert_eq!((proxy.counters("tcp").active(), counters.active()), (1, 2));
    drop(first);
    eventually("the first has ended", || counters.active() == 1).await;
    drop(second);
    eventually("both have ended", || counters.active() == 0).await;
}
