//! Pipes for bulk transfers: they are used, limited in number, and never mix up data. Descriptors
//! are counted for the process, so these tests have a binary of their own and run one after the
//! other.
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

/// Far more than sockets and a pipe hold.
const BULK: usize = 16 << 20;

/// Pipes that the workers have at most, and how many they keep; each has two ends.
const MAX_PIPES: usize = 32;
const MAX_SPARE_PIPES: usize = 4;

/// Runs a test on a runtime of its own, with descriptors that it knows the number of.
fn run_alone(test: impl Future<Output = ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    LazyLock::force(&INHERITED);
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(1024), maximum }).unwrap();
    Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    assert_eq!(pipe_ends(), 0, "pipes left behind");
}

/// Ends of pipes that this process was born with, such as its standard output.
static INHERITED: LazyLock<usize> = LazyLock::new(all_pipe_ends);

/// Open ends of pipes.
fn pipe_ends() -> usize {
    all_pipe_ends() - *INHERITED
}

fn all_pipe_ends() -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap();
    // One may be closed before it is looked at.
    let leads_to = descriptors.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    leads_to.filter(|to| to.to_string_lossy().starts_with("pipe:")).count()
}

/// A proxy with one worker.
async fn start_proxy(backend: &Backend) -> TestForwarder {
    let plan = plan([("tcp", ANY, to(&[backend.address]))]);
    TestForwarder::with(settings(1), &plan).await
}

/// Sends [`BULK`] and the end, in a task of its own.
fn send(tasks: &mut JoinSet<()>, mut server: TcpStream) {
    tasks.spawn(async move {
        // It fails where the client has had enough.
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
            let (mut client, server) = proxy.talking_pair(&backend).await;
            send(&mut tasks, server);
            eventually("there is a pipe", || pipe_ends() == 2).await;
            assert_eq!(within("the bulk", whole::receive(&mut client)).await.unwrap(), BULK);
            client.end().await;
        }
        proxy.ended("tcp", &[(Outcome::Completed, 3)]).await;
        // One after the other, they needed no other.
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
            let (lost, server) = proxy.talking_pair(&backend).await;
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
        assert!(pipe_ends() <= 2, "a pipe that was not given back");
    });
}

#[test]
fn pipe_limit_makes_bulk_copied() {
    run_alone(async {
        const CLIENTS: usize = MAX_PIPES + 8;
        let backend = Backend::listen().await;
        let proxy = start_proxy(&backend).await;
        let (mut tasks, mut clients) = (JoinSet::new(), Vec::new());
        for _ in 0..CLIENTS {
            let (client, server) = proxy.talking_pair(&backend).await;
            send(&mut tasks, server);
            clients.push(client);
        }
        stalled(&proxy).await;
        // The system may let this user have fewer.
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
fn pipe_without_descriptors_makes_bulk_copied() {
    run_alone(async {
        let backend = Backend::listen().await;
        let proxy = start_proxy(&backend).await;
        let (mut client, server) = proxy.talking_pair(&backend).await;
        let hoard: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
        let mut tasks = JoinSet::new();
        send(&mut tasks, server);
        assert_eq!(within("the bulk", whole::receive(&mut client)).await.unwrap(), BULK);
        drop(hoard);
        assert_eq!(pipe_ends(), 0);
    });
}

/// Urgent data is not carried; but it must not get in the way of what comes after it, where a pipe
/// would stop for ever.
#[test]
fn pipe_passes_over_urgent_data() {
    /// Whether a pipe meets it is a matter of luck, most of the time of good luck.
    const TIMES: u64 = 8;
    run_alone(async {
        let backend = Backend::listen().await;
        let proxy = start_proxy(&backend).await;
        for _ in 0..TIMES {
            let (mut client, mut server) = proxy.talking_pair(&backend).await;
            let mut tasks = JoinSet::new();
            tasks.spawn(async move {
                whole::send(&mut server, BULK / 2).await.unwrap();
                let urgent = || SockRef::from(&server).send_out_of_band(b"!");
                within("sending", server.async_io(Interest::WRITABLE, urgent)).await.unwrap();
                whole::send(&mut server, BULK / 2).await.unwrap();
                server.end().await;
                server.hears_end().await;
            });
            for _ in 0..2 {
                let mut bulk = (&mut client).take(BULK as u64 / 2);
                assert_eq!(within("the bulk", whole::receive(&mut bulk)).await.unwrap(), BULK / 2);
            }
            client.hears_end().await;
            client.end().await;
            within("the end", tasks.join_all()).await;
        }
        proxy.ended("tcp", &[(Outcome::Completed, TIMES)]).await;
    });
}

/// A pipe is emptied into a socket whose other end is lost: what an ordinary write only reports is
/// a signal then, and this process need not ignore it.
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
            // One of another test may just be ending.
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
