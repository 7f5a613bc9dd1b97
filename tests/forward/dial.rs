//! Dialling endpoints: the choice after a failure, marks of failed endpoints, time limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use sluicegate::forward::{DialFailure, Outcome, Settings};
use sluicegate::plan::{Plan, Routing};

use crate::support::peer::{Peer, Reserved, Silent};
use crate::support::plans::{ANY, backend, plan, route, settings, to};
use crate::support::stream::Stream;
use crate::support::test_forwarder::TestForwarder;
use crate::support::{WAIT_TIMEOUT, eventually, within};

const REFUSED: Outcome = Outcome::DialFailed(DialFailure::Refused);
const TIMED_OUT: Outcome = Outcome::DialFailed(DialFailure::TimedOut);

async fn start_proxy(settings: Settings, endpoints: &[SocketAddr]) -> TestForwarder {
    TestForwarder::with(settings, &plan([("tcp", ANY, to(endpoints))])).await
}

/// Makes connections one after the other. Each must be served.
async fn serve(proxy: &TestForwarder, listener: &str, connections: usize) {
    for _ in 0..connections {
        proxy.connect(listener).await.echoes().await;
    }
}

/// Asserts the number of failed attempts. An endpoint that fails causes one at once, and another
/// one at the end of each mark. The first mark lasts 1 s.
async fn assert_failed_attempts(proxy: &TestForwarder, failing: u64, started: Instant) {
    eventually("all connections ended", || proxy.counters("tcp").active() == 0).await;
    let counters = proxy.counters("tcp");
    let failed = counters.dial_attempts - counters.accepted;
    let checks = failing * started.elapsed().as_secs();
    assert!((failing..=failing + checks).contains(&failed), "{failed} failed: {counters:?}");
}

#[tokio::test]
async fn refused_dial_moves_to_next_endpoint() {
    let (refusing, echo) = (Reserved::new(), Peer::echo().await);
    let proxy = start_proxy(settings(1), &[refusing.address, echo.address]).await;
    for _ in 0..10 {
        let mut client = proxy.connect("tcp").await;
        client.echoes().await;
        client.end().await;
        client.receives_end().await;
    }
    proxy.ended("tcp", &[(Outcome::Completed, 10)]).await;
}

/// The endpoints of a node are neighbours in the sorted list, and fail together.
#[tokio::test]
async fn endpoints_that_fail_together_reset_no_client() {
    const CONNECTIONS: usize = 60;
    let on = |host| Reserved::on((Ipv4Addr::new(127, 0, 0, host), 0).into());
    let failing = [on(2), on(3), on(4), on(5)];
    let peers = [Peer::echo().await, Peer::echo().await];
    let mut endpoints = failing.each_ref().map(|reserved| reserved.address).to_vec();
    endpoints.extend(peers.each_ref().map(|peer| peer.address));
    let started = Instant::now();
    let proxy = start_proxy(settings(1), &endpoints).await;
    serve(&proxy, "tcp", CONNECTIONS).await;
    assert_failed_attempts(&proxy, 4, started).await;
    let served = peers.map(|peer| peer.accepted());
    assert!(served.iter().all(|served| served.abs_diff(CONNECTIONS / 2) <= 4), "{served:?}");
}

#[tokio::test]
async fn silent_endpoint_delays_one_connection() {
    let (silent, echo) = (Silent::new().await, Peer::echo().await);
    let timeout = Duration::from_millis(500);
    let started = Instant::now();
    let proxy =
        start_proxy(settings(1).with_dial_timeout(timeout), &[silent.address, echo.address]).await;
    serve(&proxy, "tcp", 20).await;
    assert_failed_attempts(&proxy, 1, started).await;
    let dial_time = proxy.counters("tcp").dial_time;
    assert!(dial_time >= timeout, "{dial_time:?}");
}

/// The data that the client sends before the dial ends is not lost, nor is its EOF.
#[tokio::test]
async fn dial_timeout_keeps_early_data() {
    let (silent, echo) = (Silent::new().await, Peer::echo().await);
    let settings = settings(1).with_dial_timeout(Duration::from_millis(500));
    let proxy = start_proxy(settings, &[silent.address, echo.address]).await;
    for _ in 0..2 {
        let mut client = proxy.connect("tcp").await;
        client.send("early").await;
        client.end().await;
        client.receives("early").await;
        client.receives_end().await;
    }
    proxy.ended("tcp", &[(Outcome::Completed, 2)]).await;
}

/// The marks belong to the backend, not to a route or a worker.
#[tokio::test]
async fn marks_are_shared_and_stay_when_routes_change() {
    let (refusing, echo) = (Reserved::new(), Peer::echo().await);
    let endpoints = [refusing.address, echo.address];
    let to_route = |name, weight| route(name, [backend("backend", weight, &endpoints)]);
    let plan_with =
        |one: Routing| -> Plan { plan([("tcp", ANY, one), ("other", ANY, to_route("other", 1))]) };
    let started = Instant::now();
    let mut proxy = TestForwarder::with(settings(2), &plan_with(to_route("route", 1))).await;
    serve(&proxy, "tcp", 10).await;
    serve(&proxy, "other", 10).await;
    proxy.apply(&plan_with(to_route("route", 2))).await;
    serve(&proxy, "tcp", 10).await;
    proxy.apply(&plan_with(to_route("renamed", 2))).await;
    serve(&proxy, "tcp", 10).await;
    eventually("all connections ended", || {
        proxy.counters("tcp").active() + proxy.counters("other").active() == 0
    })
    .await;
    let (tcp, other) = (proxy.counters("tcp"), proxy.counters("other"));
    let failed = tcp.dial_attempts + other.dial_attempts - tcp.accepted - other.accepted;
    // One attempt fails at once, and one at the end of each mark.
    assert!((1..=1 + started.elapsed().as_secs()).contains(&failed), "{failed} attempts failed");
}

#[tokio::test]
async fn marked_endpoint_is_used_if_there_is_no_other() {
    let reserved = Reserved::new();
    let proxy = start_proxy(settings(1), &[reserved.address]).await;
    proxy.resets("tcp").await;
    proxy.ended("tcp", &[(REFUSED, 1)]).await;
    let listener = reserved.take();
    let client = proxy.connect("tcp").await;
    within("accepting", tokio::task::spawn_blocking(move || listener.accept()))
        .await
        .unwrap()
        .unwrap();
    drop(client);
    proxy.ended("tcp", &[(REFUSED, 1), (Outcome::Completed, 1)]).await;
}

#[tokio::test]
async fn first_endpoint_depends_on_the_seed() {
    let peers = [Peer::named(b'A').await, Peer::named(b'B').await, Peer::named(b'C').await];
    let endpoints = peers.each_ref().map(|peer| peer.address);
    let mut firsts = Vec::new();
    for seed in 0..16 {
        let proxy = start_proxy(settings(1).with_endpoint_seed(seed), &endpoints).await;
        let before = peers.each_ref().map(Peer::accepted);
        drop(proxy.connect("tcp").await);
        eventually("a peer accepts", || peers.each_ref().map(Peer::accepted) != before).await;
        firsts.push((0..3).find(|peer| peers[*peer].accepted() > before[*peer]).unwrap());
    }
    for peer in 0..3 {
        assert!(firsts.contains(&peer), "{firsts:?}");
    }
}

#[tokio::test]
async fn refused_dial_of_all_endpoints_resets_client() {
    let refusing = [Reserved::new(), Reserved::new()];
    let proxy =
        start_proxy(settings(1), &refusing.each_ref().map(|refusing| refusing.address)).await;
    proxy.resets("tcp").await;
    proxy.ended("tcp", &[(REFUSED, 1)]).await;
    assert_eq!(proxy.counters("tcp").dial_attempts, 2);
}

#[tokio::test]
async fn dial_budget_resets_client() {
    let silent = [Silent::new().await, Silent::new().await, Silent::new().await];
    let budget = Duration::from_millis(250);
    let settings =
        settings(1).with_dial_budget(budget).with_dial_timeout(Duration::from_millis(150));
    let proxy = start_proxy(settings, &silent.each_ref().map(|silent| silent.address)).await;
    let started = Instant::now();
    proxy.resets("tcp").await;
    assert!(started.elapsed() >= budget);
    proxy.ended("tcp", &[(TIMED_OUT, 1)]).await;
    let counters = proxy.counters("tcp");
    assert!(counters.dial_time >= budget, "{counters:?}");
    // The second attempt has 100 ms, unless the first one ends late.
    assert!((1..=2).contains(&counters.dial_attempts), "{counters:?}");
}

/// The reset ends the dial long before the end of its budget.
#[tokio::test]
async fn dial_stops_when_client_resets() {
    let silent = Silent::new().await;
    let proxy =
        start_proxy(settings(1).with_dial_budget(2 * WAIT_TIMEOUT), &[silent.address]).await;
    let mut client = proxy.connect("tcp").await;
    client.send("hello?").await;
    client.reset();
    proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
}

#[tokio::test]
async fn dial_is_cut_by_drain() {
    let silent = Silent::new().await;
    let mut proxy =
        start_proxy(settings(1).with_dial_budget(2 * WAIT_TIMEOUT), &[silent.address]).await;
    let mut client = proxy.connect("tcp").await;
    eventually("accepted", || proxy.counters("tcp").active() == 1).await;
    within("the drain", proxy.forwarder.drain(Duration::from_millis(50))).await;
    client.is_reset().await;
    proxy.ended("tcp", &[(Outcome::Drained, 1)]).await;
}
