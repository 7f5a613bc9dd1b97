//! The log of connections: its limit, its setting, and the lines of connections that open.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "forward/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use sluicegate::forward::{ConnectionLog, Outcome, Settings};
use sluicegate::plan::{RejectReason, Routing};
use tokio::net::TcpStream;

use support::events::{record, recorded, summaries};
use support::peer::{Backend, Peer};
use support::plans::{ANY, id, plan, route, settings, to};
use support::stream::Stream;
use support::test_forwarder::TestForwarder;
use support::{eventually, within};

const LIMIT: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Starts a proxy with this listener. Each test has a listener name of its own, so it finds only
/// its own events.
async fn start_proxy(settings: Settings, listener: &str, routing: Routing) -> TestForwarder {
    record();
    TestForwarder::with(settings, &plan([(listener, ANY, routing)])).await
}

fn limited() -> Settings {
    settings(2).with_connection_log_limit(LIMIT)
}

/// Opens connections, which the proxy rejects.
async fn open_rejected(proxy: &TestForwarder, listener: &str, count: usize) {
    let before = proxy.counters(listener).rejected();
    for _ in 0..count {
        let _ = within("connecting", TcpStream::connect(proxy.address(listener))).await;
    }
    eventually("all are rejected", || proxy.counters(listener).rejected() == before + count as u64)
        .await;
}

async fn exchange(proxy: &TestForwarder, listener: &str) {
    let mut client = proxy.connect(listener).await;
    client.echoes().await;
    client.end().await;
    client.receives_end().await;
}

fn lines(listener: &str) -> usize {
    recorded(&id(listener), "connection ended").len()
}

/// Returns the number of suppressed lines, from the summaries.
fn suppressed(listener: &str) -> usize {
    summaries(&id(listener))
        .iter()
        .map(|line| line.get("suppressed").parse::<usize>().unwrap())
        .sum()
}

#[tokio::test]
async fn lines_beyond_limit_are_counted_without_further_connections() {
    let started = Instant::now();
    let proxy = start_proxy(limited(), "flood", Routing::Unrouted).await;
    open_rejected(&proxy, "flood", 300).await;
    let seconds = started.elapsed().as_secs() as usize + 1;
    let logged = lines("flood");
    assert!(logged >= 10 && logged <= 10 * (seconds + 1), "{logged} lines in {seconds} s");
    eventually("the others are reported", || lines("flood") + suppressed("flood") == 300).await;
    let summaries = summaries(&id("flood"));
    assert!(summaries.len() <= started.elapsed().as_secs() as usize + 1, "{summaries:?}");
    let summary = &summaries[0];
    assert_eq!(summary.get("limit"), "10");
    let count = summary.get("suppressed");
    assert_eq!(summary.get("counts"), format!("default/edge/flood rejected (no_route): {count}"));
    assert!(summary.get("message").contains("Settings::connection_log_limit"), "{summary:?}");
}

#[tokio::test]
async fn lines_continue_in_next_second() {
    let proxy = start_proxy(limited(), "again", Routing::Unrouted).await;
    open_rejected(&proxy, "again", 100).await;
    eventually("the second is over", || suppressed("again") > 0).await;
    let before = lines("again");
    open_rejected(&proxy, "again", 1).await;
    eventually("the line", || lines("again") == before + 1).await;
}

#[tokio::test]
async fn drain_reports_suppressed_lines() {
    let mut proxy = start_proxy(limited(), "draining", Routing::Unrouted).await;
    open_rejected(&proxy, "draining", 100).await;
    within("the drain", proxy.forwarder.drain(Duration::ZERO)).await;
    assert_eq!(lines("draining") + suppressed("draining"), 100);
}

#[tokio::test]
async fn drop_reports_suppressed_lines() {
    let backend = Backend::listen().await;
    let proxy = start_proxy(limited(), "dropping", to(&[backend.address])).await;
    let mut kept = Vec::new();
    for _ in 0..50 {
        let (mut client, mut server) = (proxy.connect("dropping").await, backend.accept().await);
        server.send("hello").await;
        client.receives("hello").await;
        kept.push((client, server));
    }
    let counters = proxy.forwarder.counters();
    drop(proxy);
    assert_eq!(counters.listener(&id("dropping")).unwrap().ended(Outcome::Drained), 50);
    assert_eq!(
        lines("dropping") + recorded(&id("dropping"), "connection opened").len(),
        100 - suppressed("dropping")
    );
    let counts: String =
        summaries(&id("dropping")).iter().map(|line| line.get("counts").to_owned()).collect();
    assert!(counts.contains("default/edge/dropping drained: "), "{counts}");
    assert!(counts.contains("default/edge/dropping opened: "), "{counts}");
}

#[tokio::test]
async fn lines_are_not_limited_without_limit() {
    let settings = settings(2).with_connection_log_limit(None);
    let proxy = start_proxy(settings, "unlimited", Routing::Unrouted).await;
    open_rejected(&proxy, "unlimited", 1_500).await;
    eventually("all lines", || lines("unlimited") == 1_500).await;
    drop(proxy);
    assert_eq!(suppressed("unlimited"), 0);
    assert_eq!(Settings::default().connection_log_limit.map(NonZeroU32::get), Some(1_000));
}

#[tokio::test]
async fn log_of_failures_excludes_completed_connections() {
    let echo = Peer::echo().await;
    let settings = settings(2).with_connection_log(ConnectionLog::Failures);
    let routing = to(&[echo.address]);
    let mut proxy = start_proxy(settings, "failing", routing).await;
    exchange(&proxy, "failing").await;
    eventually("it is completed", || proxy.counters("failing").ended(Outcome::Completed) == 1)
        .await;
    proxy.apply(&plan([("failing", ANY, route("empty", []))])).await;
    open_rejected(&proxy, "failing", 1).await;
    eventually("the line", || lines("failing") > 0).await;
    let events = recorded(&id("failing"), "connection ");
    let outcomes: Vec<_> = events.iter().map(|event| event.get("outcome")).collect();
    assert_eq!(outcomes, ["rejected"]);
}

#[tokio::test]
async fn log_that_is_off_excludes_all_connections() {
    let settings = limited().with_connection_log(ConnectionLog::Off);
    let proxy = start_proxy(settings, "off", Routing::Unrouted).await;
    open_rejected(&proxy, "off", 100).await;
    let counters = proxy.counters("off");
    assert_eq!(counters.ended(Outcome::Rejected(RejectReason::NoRoute)), 100);
    drop(proxy);
    assert_eq!((lines("off"), suppressed("off")), (0, 0));
}

#[tokio::test]
async fn line_of_opened_connection_has_endpoint() {
    let backend = Backend::listen().await;
    let routing = route("orders", [support::plans::backend("database", 1, &[backend.address])]);
    let proxy = start_proxy(settings(2), "opened", routing).await;
    let client = proxy.connect("opened").await;
    let _server = backend.accept().await;
    let opened = || recorded(&id("opened"), "connection opened");
    eventually("the line", || !opened().is_empty()).await;
    let [event] = &opened()[..] else { panic!("more than one: {:?}", opened()) };
    assert_eq!(
        event.names(),
        ["backend", "downstream", "endpoint", "listener", "message", "route"]
    );
    assert_eq!(event.get("route"), "TCPRoute/default/orders");
    assert_eq!(event.get("backend"), "default/database");
    assert_eq!(event.get("endpoint"), backend.address.to_string());
    assert_eq!(event.get("downstream"), client.local_addr().unwrap().to_string());
    assert_eq!(lines("opened"), 0);
}
