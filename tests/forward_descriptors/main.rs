//! File descriptors: behaviour when none is free, and no leaks. The limit applies to the process,
//! so these tests have a binary of their own and run one after the other.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod budget;
mod dial;
mod removal;
mod reserve;
#[path = "../forward/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
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
use support::{eventually, within};

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

/// Longest pause between two accepts without a free descriptor.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Opens files until no descriptor is free. Dropping the files frees the descriptors.
fn exhaust() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// Opens files until no number below `end` is free.
fn fill(end: i32) -> Vec<File> {
    let open = || File::open("/dev/null").unwrap();
    std::iter::repeat_with(open).take_while(|file| file.as_raw_fd() < end).collect()
}

/// A client whose descriptor is already open.
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
    // These connections stay open, so that no descriptor becomes free.
    let mut clients = vec![proxy.connect("one").await, proxy.connect("two").await];
    for client in &mut clients {
        client.echoes().await;
    }

    for episode in 1..=2 {
        let (ones, twos) = ([Ready::new(), Ready::new()], [Ready::new()]);
        let errors_before = proxy.counters("one").accept_errors;
        sleep(Duration::from_secs(1)).await;
        let files = exhaust();
        let started = Instant::now();
        let mut waiting = Vec::new();
        for client in ones {
            waiting.push(client.connect(proxy.address("one")).await);
        }
        for client in twos {
            waiting.push(client.connect(proxy.address("two")).await);
        }
        let errors = || proxy.counters("one").accept_errors - errors_before;
        // The proxy retries with exponential backoff: after 5 ms, 10 ms and so on up to 100 ms.
        eventually("the proxy retries", || errors() >= 5).await;
        let (errors, elapsed) = (errors(), started.elapsed());
        let millis = elapsed.as_millis();
        let most = u128::from(1 + (millis / 5 + 1).ilog2()) + millis / LONGEST_PAUSE.as_millis();
        assert!(u128::from(errors) <= most, "{errors} attempts in {elapsed:?}");
        // There is one warning for each series of errors, and at most one in a second.
        assert_eq!(recorded(&id("one"), "cannot accept connections").len(), episode);

        for client in &mut clients {
            client.echoes().await;
        }
        for client in &waiting {
            client.receives_nothing();
        }

        drop(files);
        clients.extend(waiting);
        for client in &mut clients {
            client.echoes().await;
        }
    }
    assert_eq!(proxy.counters("one").accepted, 1 + 2 * 2);
    assert_eq!(proxy.counters("two").accepted, 1 + 2);

    // A new listener fails and is opened later. The other listeners are not affected.
    let files = exhaust();
    plan.listeners.extend(support::plans::plan([("late", ANY, routing())]).listeners);
    proxy.apply(&plan).await;
    assert_eq!(proxy.bindings.errors[&id("late")][0].kind, BindErrorKind::NoResources);
    assert_eq!(proxy.bindings.bound.len(), 2);
    assert_eq!(proxy.forwarder.retry().await, None);
    for client in &mut clients {
        client.echoes().await;
    }
    drop(files);
    proxy.bindings = proxy.forwarder.retry().await.unwrap().clone();
    proxy.connect("late").await.echoes().await;
}

/// A quiet listener competes with busy ones for each descriptor that becomes free.
#[test]
fn descriptor_exhaustion_pauses_accepts_briefly() {
    run_alone(retry_often());
}

async fn retry_often() {
    const ATTEMPTS: u32 = 20;
    let echo = Peer::echo().await;
    let plan = plan([("tcp", ANY, to(&[echo.address]))]);
    let proxy = TestForwarder::with(settings(1), &plan).await;
    let client = Ready::new();
    let files = exhaust();
    let mut client = client.connect(proxy.address("tcp")).await;
    let started = Instant::now();
    let errors = || proxy.counters("tcp").accept_errors;
    eventually("the proxy retries", || errors() >= ATTEMPTS.into()).await;
    // With pauses of up to a second, it takes 13 seconds.
    let elapsed = started.elapsed();
    assert!(elapsed < 3 * ATTEMPTS * LONGEST_PAUSE, "{ATTEMPTS} attempts in {elapsed:?}");
    drop(files);
    client.echoes().await;
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
                    client.receives_end().await;
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
