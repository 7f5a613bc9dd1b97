//! File descriptors: behaviour when none is free, and no leaks. The limit applies to the process,
//! so these tests have a binary of their own and run one after the other.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod dial;
mod reserve;
#[path = "../forward/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sluicegate::forward::Outcome;
use sluicegate::plan::{BindErrorKind, Plan, RejectReason};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio::time::sleep;

use support::events::{record, recorded};
use support::peer::{Backend, Peer, Reserved, Silent};
use support::plans::{ANY, backend, id, plan, rejecting, route, settings, to};
use support::stream::Stream;
use support::test_forwarder::TestForwarder;
use support::{WAIT_TIMEOUT, eventually, within};

/// The limit of descriptors in these tests.
const LIMIT: i32 = 2048;

/// Runs a test alone in a runtime of its own, so that no other test uses descriptors.
fn run_alone(test: impl Future<Output = ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(LIMIT as u64), maximum }).unwrap();
    Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// Opens files until no descriptor is free. Dropping the files frees the descriptors.
fn exhaust() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// A client that has its descriptor already.
struct Ready(TcpSocket);

impl Ready {
    fn new() -> Self {
        Self(TcpSocket::new_v4().unwrap())
    }

    /// Connects. The kernel completes the handshake even if the proxy accepts no connection.
    async fn connect(self, address: SocketAddr) -> TcpStream {
        within("connecting", self.0.connect(address)).await.unwrap()
    }
}

#[test]
fn descriptor_exhaustion_delays_accepts_with_backoff() {
    run_alone(exhaust_descriptors());
}

async fn exhaust_descriptors() {
    record();
    let echo = Peer::echo().await;
    let routing = || to(&[echo.address]);
    let mut plan = plan([("one", ANY, routing()), ("two", ANY, routing())]);
    let mut proxy = TestForwarder::with(settings(1), &plan).await;
    // They stay open, so that no descriptor becomes free.
    let mut clients = vec![proxy.connect("one").await, proxy.connect("two").await];
    for client in &mut clients {
        client.echoes().await;
    }

    for episode in 1..=2 {
        let (ones, twos) = ([Ready::new(), Ready::new()], [Ready::new()]);
        let errors_before = proxy.counters("one").accept_errors;
        sleep(Duration::from_secs(1)).await;
        let hoard = exhaust();
        let started = Instant::now();
        let mut waiting = Vec::new();
        for client in ones {
            waiting.push(client.connect(proxy.address("one")).await);
        }
        for client in twos {
            waiting.push(client.connect(proxy.address("two")).await);
        }
        let errors = || proxy.counters("one").accept_errors - errors_before;
        // The proxy retries with exponential backoff: after 5 ms, 10 ms, 20 ms and so on.
        eventually("the proxy retries", || errors() >= 5).await;
        let (errors, elapsed) = (errors(), started.elapsed());
        let most = 1 + (elapsed.as_millis() / 5 + 1).ilog2();
        assert!(errors <= most.into(), "{errors} attempts in {elapsed:?}");
        // There is one warning for each series of errors, and at most one in a second.
        assert_eq!(recorded(&id("one"), "cannot accept connections").len(), episode);

        for client in &mut clients {
            client.echoes().await;
        }
        for client in &waiting {
            client.hears_nothing();
        }

        drop(hoard);
        clients.extend(waiting);
        for client in &mut clients {
            client.echoes().await;
        }
    }
    assert_eq!(proxy.counters("one").accepted, 1 + 2 * 2);
    assert_eq!(proxy.counters("two").accepted, 1 + 2);

    // A new listener fails and is opened later. The other listeners are not affected.
    let hoard = exhaust();
    plan.listeners.extend(support::plans::plan([("late", ANY, routing())]).listeners);
    proxy.apply(&plan).await;
    assert_eq!(proxy.bindings.errors[&id("late")][0].kind, BindErrorKind::NoResources);
    assert_eq!(proxy.bindings.bound.len(), 2);
    assert_eq!(proxy.forwarder.retry().await, None);
    for client in &mut clients {
        client.echoes().await;
    }
    drop(hoard);
    proxy.bindings = proxy.forwarder.retry().await.unwrap().clone();
    proxy.connect("late").await.echoes().await;
}

/// The kernel has completed the handshakes, so the clients are connected.
#[test]
fn removed_listener_serves_its_whole_backlog() {
    run_alone(remove_listener_with_full_backlog());
}

async fn remove_listener_with_full_backlog() {
    const WAITING: usize = 300;
    let echo = Peer::echo().await;
    let settings = settings(1).with_drain_timeout(10 * WAIT_TIMEOUT);
    let mut proxy = TestForwarder::with(settings, &plan([("tcp", ANY, to(&[echo.address]))])).await;

    let table = File::open("/proc/net/tcp").unwrap();
    let ready: Vec<_> = (0..WAITING).map(|_| Ready::new()).collect();
    let hoard = exhaust();
    let address = proxy.address("tcp");
    let mut clients = Vec::new();
    for client in ready {
        clients.push(client.connect(address).await);
    }
    eventually("all clients wait", || waiting(&table, address) == WAITING).await;
    // After 8 errors, the backoff is so long that the removal comes before the next attempt.
    eventually("accepts have failed", || proxy.counters("tcp").accept_errors >= 8).await;
    drop(hoard);
    proxy.apply(&Plan::default()).await;
    for client in &mut clients {
        client.echoes().await;
    }
    assert_eq!(echo.accepted(), WAITING);
}

/// Returns the number of connections in the backlog of an address. `table` is `/proc/net/tcp`,
/// which cannot be opened without a free descriptor.
fn waiting(mut table: &File, address: SocketAddr) -> usize {
    let port = format!(":{:04X}", address.port());
    let mut sockets = String::new();
    table.rewind().unwrap();
    table.read_to_string(&mut sockets).unwrap();
    let listening = sockets.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // sl local_address rem_address st tx_queue:rx_queue …; 0A is LISTEN.
        (fields[1].ends_with(&port) && fields[3] == "0A").then(|| fields[4].to_owned())
    });
    let listening = listening.unwrap();
    usize::from_str_radix(listening.split_once(':').unwrap().1, 16).unwrap()
}

#[test]
fn descriptors_are_closed_after_connections_and_listeners() {
    run_alone(open_and_close_everything());
}

async fn open_and_close_everything() {
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    {
        let (echo, held) = (Peer::echo().await, Backend::listen().await);
        let (refusing, silent) = (Reserved::new(), Silent::new().await);
        let around = open();
        let mut proxy = TestForwarder::with(settings(2), &Plan::default()).await;
        let started = open();
        let full = plan([
            ("echo", ANY, to(&[echo.address])),
            ("held", ANY, to(&[held.address])),
            ("refused", ANY, to(&[refusing.address])),
            ("dialling", ANY, to(&[silent.address])),
            ("rejected", ANY, route("r", [rejecting("b", 1, RejectReason::BackendNotFound)])),
            ("stand-in", ANY, route("s", [backend("b", 1, &[refusing.address, echo.address])])),
        ]);
        for removed in [false, true] {
            proxy.apply(&full).await;
            for _ in 0..20 {
                proxy.resets("refused").await;
                proxy.resets("rejected").await;
                proxy.connect("dialling").await.reset();
                for listener in ["echo", "stand-in"] {
                    let mut client = proxy.connect(listener).await;
                    client.echoes().await;
                    client.end().await;
                    client.hears_end().await;
                }
            }
            let mut kept = Vec::new();
            for _ in 0..20 {
                kept.push((proxy.connect("held").await, Some(held.accept().await)));
                kept.push((proxy.connect("dialling").await, None));
            }
            eventually("all are accepted", || proxy.counters("dialling").accepted >= 40).await;
            if removed {
                proxy.apply(&Plan::default()).await;
            }
            within("the drain", proxy.forwarder.drain(Duration::from_millis(20))).await;
            if !removed {
                assert_eq!(proxy.counters("held").ended(Outcome::Drained), 20);
            }
            drop(kept);
            eventually("all are closed", || open() == started).await;
        }
        drop(proxy);
        assert_eq!(open(), around);
    }
    eventually("all are closed", || open() == before).await;
}
