//! The event at the end of a connection: exactly one for each connection, with all fields.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "forward/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream as StdTcpStream};
use std::time::{Duration, Instant};

use sluicegate::forward::{DialFailure, Outcome};
use sluicegate::plan::{Plan, RejectReason, Routing};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use support::events::{Fields, record, recorded, recorded_of};
use support::peer::{Backend, Peer, Reserved, Silent};
use support::plans::{ANY, backend, id, plan, rejecting, route, settings, to};
use support::stream::Stream;
use support::test_forwarder::TestForwarder;
use support::{WAIT_TIMEOUT, eventually, within};

const ALL: [&str; 13] = [
    "attempts",
    "backend",
    "bytes_down",
    "bytes_up",
    "dial_us",
    "downstream",
    "duration_us",
    "endpoint",
    "listener",
    "local",
    "message",
    "outcome",
    "route",
];

/// Returns the event at the end of the only connection of a listener.
async fn event(listener: &str) -> Fields {
    let ended = || recorded(&id(listener), "connection ended");
    eventually("the event", || !ended().is_empty()).await;
    let [event] = &ended()[..] else { panic!("more than one: {:?}", ended()) };
    event.clone()
}

/// Starts a proxy with this listener. Each test has a listener name of its own, so it finds only
/// its own events.
async fn start_proxy(listener: &str, routing: Routing) -> TestForwarder {
    record();
    let settings = settings(2).with_dial_budget(2 * WAIT_TIMEOUT);
    let settings = settings.with_drain_timeout(Duration::from_millis(50));
    TestForwarder::with(settings, &plan([(listener, ANY, routing)])).await
}

fn only(endpoint: SocketAddr) -> Routing {
    route("orders", [backend("database", 1, &[endpoint])])
}

#[tokio::test]
async fn event_of_completed_connection_has_all_fields() {
    let backend = Backend::listen().await;
    let proxy = start_proxy("completed", only(backend.address)).await;
    let started = Instant::now();
    let mut client = proxy.connect("completed").await;
    let mut server = backend.accept().await;
    client.send("seven b").await;
    client.end().await;
    server.receives("seven b").await;
    server.send("three").await;
    server.end().await;
    client.receives("three").await;
    client.receives_end().await;

    let event = event("completed").await;
    assert_eq!(event.names(), ALL);
    assert_eq!(event.get("listener"), "default/edge/completed");
    assert_eq!(event.get("route"), "TCPRoute/default/orders");
    assert_eq!(event.get("backend"), "default/database");
    assert_eq!(event.get("endpoint"), backend.address.to_string());
    assert_eq!(event.get("downstream"), client.local_addr().unwrap().to_string());
    assert_eq!(event.get("local"), proxy.address("completed").to_string());
    assert_eq!((event.get("bytes_up"), event.get("bytes_down")), ("7", "5"));
    assert_eq!(event.get("outcome"), "completed");
    let duration: u128 = event.get("duration_us").parse().unwrap();
    assert!(duration > 0 && duration <= started.elapsed().as_micros());
}

#[tokio::test]
async fn event_of_rejected_connection_has_reason() {
    let missing = route("orders", [rejecting("missing", 1, RejectReason::RefNotPermitted)]);
    let proxy = start_proxy("rejected", missing).await;
    proxy.resets("rejected").await;
    let event = event("rejected").await;
    assert_eq!((event.get("outcome"), event.get("reason")), ("rejected", "ref_not_permitted"));
    assert_eq!(event.get("route"), "TCPRoute/default/orders");
    assert_eq!(event.get("backend"), "default/missing");
    for absent in ["endpoint", "attempts", "dial_us"] {
        assert!(!event.names().contains(&absent), "{event:?}");
    }
}

#[tokio::test]
async fn event_of_unrouted_connection_has_no_route() {
    let proxy = start_proxy("unrouted", Routing::Unrouted).await;
    proxy.resets("unrouted").await;
    let event = event("unrouted").await;
    assert_eq!((event.get("outcome"), event.get("reason")), ("rejected", "no_route"));
    for absent in ["route", "backend", "endpoint"] {
        assert!(!event.names().contains(&absent));
    }
}

#[tokio::test]
async fn event_of_failed_dial_has_endpoint() {
    let refusing = Reserved::new();
    let proxy = start_proxy("refused", only(refusing.address)).await;
    proxy.resets("refused").await;
    let event = event("refused").await;
    assert_eq!((event.get("outcome"), event.get("reason")), ("dial_failed", "refused"));
    assert_eq!(event.get("endpoint"), refusing.address.to_string());
    assert_eq!(event.get("attempts"), "1");
    let endpoint = refusing.address.to_string();
    let [warning] = &recorded_of("endpoint", &endpoint, "endpoint failed")[..] else {
        panic!("not one warning")
    };
    assert!(warning.get("message").contains("all endpoints of the backend fail"), "{warning:?}");
    let dial_us: u64 = event.get("dial_us").parse().unwrap();
    assert!((1..=event.get("duration_us").parse().unwrap()).contains(&dial_us), "{event:?}");
}

#[tokio::test]
async fn event_of_reset_names_the_side() {
    for (listener, by_client) in [("downstream", true), ("upstream", false)] {
        let backend = Backend::listen().await;
        let proxy = start_proxy(listener, only(backend.address)).await;
        let mut client = proxy.connect(listener).await;
        let mut server = backend.accept().await;
        client.send("hello").await;
        server.receives("hello").await;
        if by_client {
            client.reset()
        } else {
            server.reset()
        }
        let event = event(listener).await;
        assert_eq!(event.get("outcome"), format!("{listener}_reset"));
        assert_eq!((event.get("bytes_up"), event.get("bytes_down")), ("5", "0"));
        assert_eq!(event.names(), ALL);
    }
}

#[tokio::test]
async fn event_of_client_reset_during_dial_has_backend() {
    record();
    let (silent, echo) = (Silent::new().await, Peer::echo().await);
    let routes = [("impatient", ANY, only(silent.address)), ("other", ANY, to(&[echo.address]))];
    let proxy = TestForwarder::with(settings(1), &plan(routes)).await;
    let client = proxy.connect("impatient").await;
    eventually("accepted", || proxy.counters("impatient").active() == 1).await;
    // The worker has begun the dial when it serves a later connection.
    proxy.connect("other").await.echoes().await;
    client.reset();
    let event = event("impatient").await;
    assert_eq!(event.get("outcome"), "downstream_reset");
    assert_eq!(event.get("backend"), "default/database");
    assert_eq!(event.get("attempts"), "1");
}

#[tokio::test]
async fn event_of_drain_during_dial_is_drained() {
    let silent = Silent::new().await;
    let mut proxy = start_proxy("dialling", only(silent.address)).await;
    let mut client = proxy.connect("dialling").await;
    eventually("accepted", || proxy.counters("dialling").active() == 1).await;
    within("the drain", proxy.forwarder.drain(Duration::ZERO)).await;
    client.is_reset().await;
    let event = event("dialling").await;
    assert_eq!((event.get("outcome"), event.get("attempts")), ("drained", "1"));
    assert_ne!(event.get("dial_us"), "0");
}

#[tokio::test]
async fn event_of_removed_listener_is_drained() {
    let backend = Backend::listen().await;
    let mut proxy = start_proxy("removed", only(backend.address)).await;
    let mut client = proxy.connect("removed").await;
    let mut server = backend.accept().await;
    client.send("hello").await;
    server.receives("hello").await;
    proxy.apply(&Plan::default()).await;
    client.is_reset().await;
    let event = event("removed").await;
    assert_eq!(event.get("outcome"), "drained");
    assert_eq!(event.names(), ALL);
}

#[tokio::test]
async fn event_of_dropped_forwarder_is_drained() {
    let backend = Backend::listen().await;
    let proxy = start_proxy("dropped", only(backend.address)).await;
    let _client = proxy.connect("dropped").await;
    let _server = backend.accept().await;
    drop(proxy);
    assert_eq!(event("dropped").await.get("outcome"), "drained");
}

/// A dual-stack socket reports IPv4 addresses as IPv4-mapped IPv6 addresses.
#[tokio::test]
async fn event_unmaps_ipv4_addresses() {
    record();
    let echo = Peer::echo().await;
    let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let proxy = TestForwarder::open(&plan([("wrapped", all, only(echo.address))])).await;
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, proxy.address("wrapped").port()));
    let mut client = TcpStream::connect(local).await.unwrap();
    client.end().await;
    client.receives_end().await;
    let event = event("wrapped").await;
    assert_eq!(event.get("downstream"), client.local_addr().unwrap().to_string());
    assert_eq!(event.get("local"), local.to_string());
}

/// The log contains one line when an endpoint begins to fail and one when it recovers, for any
/// number of connections that try it.
#[tokio::test]
async fn event_of_endpoint_is_logged_at_failure_and_recovery() {
    let (refusing, echo) = (Reserved::new(), Peer::echo().await);
    let routing = route("orders", [backend("database", 1, &[refusing.address, echo.address])]);
    let proxy = start_proxy("recovering", routing).await;
    let of_endpoint = |message| recorded_of("endpoint", &refusing.address.to_string(), message);
    for _ in 0..20 {
        proxy.connect("recovering").await.echoes().await;
    }
    let [failure] = &of_endpoint("endpoint failed")[..] else {
        panic!("not one warning: {:?}", of_endpoint("endpoint failed"))
    };
    assert_eq!((failure.get("level"), failure.get("reason")), ("WARN", "refused"));
    assert_eq!(failure.get("backend"), "default/database");
    assert_eq!(failure.get("retry_after_s"), "1.0");
    assert!(failure.get("message").contains("prefer others"), "{failure:?}");

    let _listening = refusing.take();
    eventually("a connection tries the endpoint again", || {
        // It is due 1 s after the failure, or later if an attempt has failed in the meantime.
        drop(StdTcpStream::connect(proxy.address("recovering")).unwrap());
        !of_endpoint("endpoint accepts connections again").is_empty()
    })
    .await;
    let [recovery] = &of_endpoint("endpoint accepts connections again")[..] else {
        panic!("not one line: {:?}", of_endpoint("endpoint accepts connections again"))
    };
    assert_eq!((recovery.get("level"), recovery.get("backend")), ("INFO", "default/database"));
    let failing_ms: u64 = recovery.get("failing_ms").parse().unwrap();
    assert!(failing_ms >= 1_000, "{recovery:?}");
}

/// Even if all clients leave before the dial timeout, the endpoint fails.
#[tokio::test]
async fn event_of_silent_endpoint_is_logged_when_clients_leave() {
    let (silent, echo) = (Silent::new().await, Peer::echo().await);
    let routing = route("orders", [backend("database", 1, &[silent.address, echo.address])]);
    record();
    let settings = settings(1).with_dial_timeout(2 * WAIT_TIMEOUT);
    let settings = settings.with_dial_budget(2 * WAIT_TIMEOUT);
    let proxy = TestForwarder::with(settings, &plan([("leaving", ANY, routing)])).await;
    // The proxy dials the silent endpoint for one of the clients.
    let clients = [proxy.connect("leaving").await, proxy.connect("leaving").await];
    eventually("accepted", || proxy.counters("leaving").accepted == 2).await;
    // An attempt of less than 1 s does not count as failed if the client leaves.
    sleep(Duration::from_millis(1_200)).await;
    clients.into_iter().for_each(Stream::reset);
    let failures = || recorded_of("endpoint", &silent.address.to_string(), "endpoint failed");
    eventually("the warning", || !failures().is_empty()).await;
    assert_eq!(failures()[0].get("reason"), "timed_out");
}

/// The number of events is that of the connections, for each outcome.
#[tokio::test]
async fn event_is_logged_once_per_connection() {
    let (echo, refusing) = (Peer::echo().await, Reserved::new());
    let routing = route(
        "orders",
        [
            backend("there", 2, &[echo.address]),
            backend("away", 1, &[refusing.address]),
            rejecting("missing", 1, RejectReason::BackendNotFound),
        ],
    );
    let mut proxy = start_proxy("mixed", routing).await;
    let mut kept = Vec::new();
    for number in 0..100 {
        let Ok(mut client) = TcpStream::connect(proxy.address("mixed")).await else { continue };
        match number % 3 {
            0 => client.reset(),
            // The shutdown fails if the client is already reset.
            1 => drop(client.shutdown().await),
            _ => kept.push(client),
        }
    }
    eventually("all are accepted", || proxy.counters("mixed").accepted == 100).await;
    let counters = proxy.forwarder.counters();
    within("the drain", proxy.forwarder.drain(Duration::ZERO)).await;

    let counters = counters.listener(&id("mixed")).unwrap();
    let ended = recorded(&id("mixed"), "connection ended");
    assert_eq!((ended.len(), counters.accepted, counters.active()), (100, 100, 0));
    for outcome in [
        Outcome::Completed,
        Outcome::Rejected(RejectReason::BackendNotFound),
        Outcome::DialFailed(DialFailure::Refused),
        Outcome::DownstreamReset,
        Outcome::Drained,
    ] {
        let logged = ended.iter().filter(|event| event.get("outcome") == outcome.as_str()).count();
        assert_eq!(logged as u64, counters.ended(outcome), "{outcome}");
    }
}
