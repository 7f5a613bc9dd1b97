//! The budget of connections, and the limit of dials to one backend.

use std::num::NonZeroUsize;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sluicegate::forward::{Outcome, Settings};
use sluicegate::plan::{Plan, Routing};
use tokio::net::TcpStream;

use crate::reserve::END;
use crate::support::events::{messages_with, record};
use crate::support::peer::{Backend, Peer, Silent};
use crate::support::plans::{ANY, plan, settings, to};
use crate::support::stream::Stream;
use crate::support::test_forwarder::TestForwarder;
use crate::support::{WAIT_TIMEOUT, eventually};
use crate::{LIMIT, Ready, fill, run_alone};

/// Number of connections that the budget allows in these tests.
const BUDGET: usize = 20;

/// Part of the warning of a forwarder whose clients wait for a permit.
const NO_PERMIT: &str = "all connections that the limit";

/// Starts a proxy with a small budget. The forwarder reads the limit at its start. Afterwards the
/// limit is raised, because the tests need more descriptors.
async fn start_with_budget(settings: Settings, plan: &Plan) -> TestForwarder {
    // For the worker: its event queue, two further handles to it, its waker, and 32 pipes.
    const OTHERWISE: usize = 4 + 64;
    set_limit(OTHERWISE + 2 * BUDGET);
    // With a reserve, the engine would also compare numbers of descriptors with this limit.
    let settings = settings.with_descriptor_reserve(0);
    let forwarder = sluicegate::forward::Forwarder::start(settings).unwrap();
    set_limit(LIMIT as usize);
    let mut proxy = TestForwarder { forwarder, bindings: Default::default() };
    proxy.apply(plan).await;
    assert!(proxy.bindings.errors.is_empty(), "{:?}", proxy.bindings.errors);
    proxy
}

fn set_limit(limit: usize) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit as u64), maximum }).unwrap();
}

fn only(routing: Routing) -> Plan {
    plan([("tcp", ANY, routing)])
}

#[test]
fn clients_without_a_permit_wait_in_the_backlog() {
    run_alone(wait_for_permits());
}

async fn wait_for_permits() {
    const WAITING: usize = 30;
    record();
    let backend = Backend::listen().await;
    // The clients connect at once, so many dials are in progress.
    let settings = settings(1).with_dials_per_backend(NonZeroUsize::new(BUDGET));
    let proxy = start_with_budget(settings, &only(to(&[backend.address]))).await;
    let mut clients = Vec::new();
    for _ in 0..BUDGET + WAITING {
        clients.push(proxy.connect("tcp").await);
    }
    let active = || proxy.counters("tcp").active();
    eventually("the permits are used", || active() == BUDGET as u64).await;
    let warned = || !messages_with(NO_PERMIT).is_empty();
    eventually("a warning is logged", warned).await;
    // When a connection ends, the next client in the backlog gets its permit.
    let mut clients = clients.into_iter();
    for (count, client) in (1..=WAITING as u64).zip(clients.by_ref()) {
        client.reset();
        let is_accepted = || proxy.counters("tcp").accepted == BUDGET as u64 + count;
        eventually("the next client is accepted", is_accepted).await;
        assert!(active() <= BUDGET as u64);
    }
    assert_eq!(proxy.counters("tcp").ended(Outcome::DownstreamReset), WAITING as u64);
}

#[test]
fn forwarders_of_a_process_share_the_permits() {
    run_alone(share_permits());
}

async fn share_permits() {
    record();
    let backend = Backend::listen().await;
    let plan = only(to(&[backend.address]));
    let start = || start_with_budget(settings(1), &plan);
    let (first, second) = (start().await, start().await);
    let before = messages_with(NO_PERMIT).len();
    let warnings = || messages_with(NO_PERMIT).len() - before;
    let mut clients = Vec::new();
    for _ in 0..BUDGET {
        clients.push(first.pair(&backend).await);
    }
    eventually("the first forwarder has no permit", || warnings() == 1).await;
    let mut waiting = second.connect("tcp").await;
    waiting.send("hello").await;
    eventually("the second forwarder has no permit", || warnings() == 2).await;
    assert_eq!(second.counters("tcp").accepted, 0);
    drop(clients.pop());
    let mut server = backend.accept().await;
    server.receives("hello").await;
    assert_eq!(second.counters("tcp").active(), 1);
    // A forwarder that ends returns its permits, too.
    let _another = first.connect("tcp").await;
    drop((second, waiting));
    backend.accept().await;
    eventually("the permits are used", || first.counters("tcp").active() == BUDGET as u64).await;
}

#[test]
fn silent_backend_leaves_connections_for_others() {
    run_alone(dial_silent_backend());
}

async fn dial_silent_backend() {
    const DIALS: usize = 5;
    record();
    let (silent, echo) = (Silent::new().await, Peer::echo().await);
    let routes = [("silent", ANY, to(&[silent.address])), ("healthy", ANY, healthy(&echo))];
    let limited = settings(1).with_dials_per_backend(NonZeroUsize::new(DIALS));
    // The default limit is three quarters of a small budget.
    for (settings, dials) in [(settings(1), BUDGET * 3 / 4), (limited, DIALS)] {
        let proxy = start_with_budget(settings, &plan(routes.clone())).await;
        let mut clients = Vec::new();
        for _ in 0..2 * BUDGET {
            // The proxy resets some clients while they connect.
            clients.extend(TcpStream::connect(proxy.address("silent")).await);
        }
        let counters = || proxy.counters("silent");
        eventually("all are accepted", || counters().accepted == 2 * BUDGET as u64).await;
        let is_limited = || counters().ended(Outcome::DialLimit) == (2 * BUDGET - dials) as u64;
        eventually("those beyond the limit are reset", is_limited).await;
        assert_eq!(counters().active(), dials as u64);
        let warned = || !messages_with("further ones are reset (outcome dial_limit)").is_empty();
        eventually("a warning is logged", warned).await;
        proxy.connect("healthy").await.echoes().await;

        // A dial that ends makes room for another one.
        for client in clients {
            client.reset();
        }
        eventually("the dials end", || counters().active() == 0).await;
        let _client = proxy.connect("silent").await;
        eventually("another one dials", || counters().active() == 1).await;
    }
}

/// The limit of descriptors stays low here. Without a limit of dials, the dials to the silent
/// backend would use all of them.
#[test]
fn silent_backend_leaves_descriptors_for_others() {
    run_alone(dial_silent_backend_at_the_limit());
}

async fn dial_silent_backend_at_the_limit() {
    const LOW: usize = 256;
    // A quarter of the descriptors is reserved, and a connection needs two.
    const CLIENTS: usize = LOW / 2;
    let (silent, echo) = (Silent::new().await, Peer::echo().await);
    // The clients get numbers above those that the engine may use.
    let files = fill(LOW as i32);
    let (clients, client): (Vec<_>, _) =
        ((0..CLIENTS).map(|_| Ready::new()).collect(), Ready::new());
    drop(files);
    set_limit(LOW);
    // No dial ends during the test.
    let settings =
        settings(1).with_dial_timeout(WAIT_TIMEOUT * 2).with_dial_budget(WAIT_TIMEOUT * 2);
    let routes = [("silent", ANY, to(&[silent.address])), ("healthy", ANY, healthy(&echo))];
    let proxy = TestForwarder::with(settings, &plan(routes)).await;
    let mut connected = Vec::new();
    for client in clients {
        // The proxy resets some clients while they connect.
        connected.extend(client.0.connect(proxy.address("silent")).await);
    }
    eventually("the proxy has accepted all or failed", || {
        let counters = proxy.counters("silent");
        // An accept fails when no descriptor is left.
        counters.accepted == CLIENTS as u64 || counters.accept_errors > 0
    })
    .await;
    client.connect(proxy.address("healthy")).await.echoes().await;
}

/// Returns a route of its own, with a backend of its own.
fn healthy(echo: &Peer) -> Routing {
    let backend = crate::support::plans::backend("healthy", 1, &[echo.address]);
    crate::support::plans::route("healthy", [backend])
}

/// A connection needs two descriptors. If only one is free, the proxy must not accept a client and
/// then reset it.
#[test]
fn odd_and_even_numbers_of_descriptors_reset_no_client() {
    run_alone(leave_few_descriptors());
}

async fn leave_few_descriptors() {
    const CLIENTS: usize = 6;
    for left in 0..=5 {
        let backend = Backend::listen().await;
        let proxy = TestForwarder::with(settings(1), &only(to(&[backend.address]))).await;
        let clients: Vec<_> = (0..CLIENTS).map(|_| Ready::new()).collect();
        // So few numbers are left for this client that the engine checks numbers from now on.
        let mut files = fill(END - 12);
        let _first = proxy.pair(&backend).await;
        files.extend(fill(END - left));
        let mut waiting = Vec::new();
        for client in clients {
            waiting.push(client.connect(proxy.address("tcp")).await);
        }
        let counters = || proxy.counters("tcp");
        let served = 1 + u64::from(left.unsigned_abs() / 2);
        eventually("the others are retried", || {
            counters().active() == served && counters().accept_errors >= 3
        })
        .await;
        assert_eq!(counters().active(), counters().accepted, "none is reset");
        drop(files);
        eventually("all are served", || counters().active() == 1 + CLIENTS as u64).await;
    }
}
