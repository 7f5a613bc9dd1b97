//! Pipes for bulk transfers: they are used, limited in number, and never mix the data of
//! connections. Descriptors are counted for the process, so these tests have a binary of their own
//! and run one after the other.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "forward/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::fs::{self, File};
use std::sync::{LazyLock, Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sluicegate::forward::Outcome;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use support::peer::Backend;
use support::plans::{ANY, plan, settings, to};
use support::stream::{Stream, whole};
use support::test_forwarder::TestForwarder;
use support::{eventually, within};

/// Number of bytes of a bulk transfer: far more than sockets and a pipe hold.
const BULK: usize = 16 << 20;

/// Maximum number of pipes, and of free pipes that a worker keeps. Each pipe has two ends.
const MAX_PIPES: usize = 32;
const MAX_SPARE_PIPES: usize = 4;

/// Runs a test alone on a runtime of its own, with a fixed limit of descriptors.
fn run_alone(test: impl Future<Output = ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    LazyLock::force(&INHERITED);
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(1024), maximum }).unwrap();
    Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    assert_eq!(pipe_ends(), 0, "pipes are still open");
}

/// Number of pipe ends that this process inherited, such as its standard output.
static INHERITED: LazyLock<usize> = LazyLock::new(all_pipe_ends);

/// Returns the number of open pipe ends that the process did not inherit.
fn pipe_ends() -> usize {
    all_pipe_ends() - *INHERITED
}

fn all_pipe_ends() -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    // A descriptor may be closed before its link is read.
    let leads_to = descriptors.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    leads_to.filter(|to| to.to_string_lossy().starts_with("pipe:")).count()
}

/// Starts a proxy with one worker.
async fn start_proxy(backend: &Backend) -> TestForwarder {
    let plan = plan([("tcp", ANY, to(&[backend.address]))]);
    TestForwarder::with(settings(1), &plan).await
}

/// Sends [`BULK`] bytes and EOF, in a task of its own.
fn send(tasks: &mut JoinSet<()>, mut server: TcpStream) {
    tasks.spawn(async move {
        // A send fails if the client resets the connection.
        let _ = whole::send(&mut server, BULK).await;
        let _ = server.shutdown().await;
    });
}

/// Waits until the proxy has relayed nothing for a while, because the receiver does not read.
async fn stalled(proxy: &TestForwarder) {
    let (mut carried, mut unchanged) = (0, 0);
    eventually("everything stalls", || {
        let now = proxy.counters("tcp").bytes_down;
        unchanged = if now == carried { unchanged + 1 } else { 0 };
        carried = now;
        unchanged == 50
    })
    .await;
}

#[test]
fn pipe_is_used_for_bulk_and_reused() {
    run_alone(async {
        let backend = Backend::listen().await;
        let proxy = start_proxy(&backend).await;
        let mut tasks = JoinSet::new();
        for _ in 0..3 {
            let (mut client, server) = proxy.relaying_pair(&backend).await;
            send(&mut tasks, server);
            eventually("there is a pipe", || pipe_ends() == 2).await;
            assert_eq!(within("the bulk", whole::receive(&mut client)).await.unwrap(), BULK);
            client.end().await;
        }
        proxy.ended("tcp", &[(Outcome::Completed, 3)]).await;
        // The connections came one after the other, so they shared a pipe.
        assert_eq!(pipe_ends(), 2);
    });
}

#[test]
fn pipe_with_data_of_lost_client_is_not_reused() {
    run_alone(async {
        let backend = Backend::listen().await;
        let proxy = start_proxy(&backend).await;
        for _ in 0..3 {
            let mut tasks = JoinSet::new();
            let (lost, server) = proxy.relaying_pair(&backend).await;
            send(&mut tasks, server);
            stalled(&proxy).await;
            lost.reset();
            within("the loss", tasks.join_all()).await;

            let mut tasks = JoinSet::new();
            let (mut client, server) = proxy.pair(&backend).await;
            send(&mut tasks, server);
            assert_eq!(within("the bulk", whole::receive(&mut client)).await.unwrap(), BULK);
            client.end().await;
            within("the end", tasks.join_all()).await;
        }
        assert!(pipe_ends() <= 2, "a pipe was not returned");
    });
}

#[test]
fn bulk_beyond_pipe_limit_is_copied() {
    run_alone(async {
        const CLIENTS: usize = MAX_PIPES + 8;
        let backend = Backend::listen().await;
        let proxy = start_proxy(&backend).await;
        let (mut tasks, mut clients) = (JoinSet::new(), Vec::new());
        for _ in 0..CLIENTS {
            let (client, server) = proxy.relaying_pair(&backend).await;
            send(&mut tasks, server);
            clients.push(client);
        }
        stalled(&proxy).await;
        // The kernel may allow this user fewer.
        assert!((1..=2 * MAX_PIPES).contains(&pipe_ends()), "{} ends of pipes", pipe_ends());
        let mut received = JoinSet::new();
        for mut client in clients {
            received.spawn(async move {
                let received = whole::receive(&mut client);
                assert_eq!(within("the bulk", received).await.unwrap(), BULK);
                client.end().await;
            });
        }
        within("the bulk", received.join_all()).await;
        eventually("most pipes are closed", || pipe_ends() <= 2 * MAX_SPARE_PIPES).await;
        proxy.ended("tcp", &[(Outcome::Completed, CLIENTS as u64)]).await;
    });
}

#[test]
fn bulk_without_descriptors_for_pipe_is_copied() {
    run_alone(async {
        let backend = Backend::listen().await;
        let proxy = start_proxy(&backend).await;
        let (mut client, server) = proxy.relaying_pair(&backend).await;
        let files: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        let mut tasks = JoinSet::new();
        send(&mut tasks, server);
        assert_eq!(within("the bulk", whole::receive(&mut client)).await.unwrap(), BULK);
        drop(files);
        assert_eq!(pipe_ends(), 0);
    });
}

/// Urgent data is not forwarded. A splice stops before it, so without a read the bytes after it
/// would never arrive.
#[test]
fn bulk_after_urgent_data_arrives() {
    /// Number of transfers. In most of them, a splice meets the urgent data; in the others, a read.
    const TIMES: u64 = 8;
    run_alone(async {
        let backend = Backend::listen().await;
        let proxy = start_proxy(&backend).await;
        for _ in 0..TIMES {
            let (mut client, mut server) = proxy.relaying_pair(&backend).await;
            let mut tasks = JoinSet::new();
            tasks.spawn(async move {
                whole::send(&mut server, BULK / 2).await.unwrap();
                let urgent = || SockRef::from(&server).send_out_of_band(b"!");
                within("sending", server.async_io(Interest::WRITABLE, urgent)).await.unwrap();
                whole::send(&mut server, BULK / 2).await.unwrap();
                server.end().await;
                server.receives_end().await;
            });
            for _ in 0..2 {
                let mut bulk = (&mut client).take(BULK as u64 / 2);
                assert_eq!(within("the bulk", whole::receive(&mut bulk)).await.unwrap(), BULK / 2);
            }
            client.receives_end().await;
            client.end().await;
            within("the end", tasks.join_all()).await;
        }
        proxy.ended("tcp", &[(Outcome::Completed, TIMES)]).await;
    });
}

/// A splice into a socket whose peer is lost raises SIGPIPE. If neither the worker blocks the
/// signal nor the embedding program ignores it, it ends the process.
#[test]
fn sigpipe_is_blocked_on_workers() {
    const SIGPIPE: u64 = 1 << (13 - 1);
    run_alone(async {
        let backend = Backend::listen().await;
        let proxy = start_proxy(&backend).await;
        // The worker serves a connection, so its thread has begun.
        let _pair = proxy.pair(&backend).await;
        let mut workers = 0;
        for thread in fs::read_dir("/proc/self/task").unwrap() {
            // A thread of another test may have ended meanwhile.
            let status = fs::read_to_string(thread.unwrap().path().join("status"));
            let Ok(status) = status else { continue };
            if !status.starts_with("Name:\tsluicegate-") {
                continue;
            }
            workers += 1;
            let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
            let blocked = u64::from_str_radix(blocked.trim(), 16).unwrap();
            assert_ne!(blocked & SIGPIPE, 0, "{blocked:#x}");
        }
        assert_eq!(workers, 1);
    });
}
