//! The engine in a network namespace of its own: the counters of the kernel contain only the
//! traffic of the test, and the range of local ports can be small.
//!
//! Each test runs itself again, in the namespace.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "forward/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::env;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use sluicegate::forward::{DialFailure, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use support::events::{record, recorded_of};
use support::peer::Peer;
use support::plans::{ANY, plan, settings, to};
use support::stream::Stream;
use support::test_forwarder::TestForwarder;
use support::within;

/// Variable that is set in the namespace.
const MARKER: &str = "SLUICEGATE_TEST_NAMESPACE";

/// Returns `true` in a network namespace of its own. Otherwise runs the test in one, after the
/// shell command `setup`, and asserts that the test passes. If the kernel does not allow the
/// namespace, the test is skipped.
fn is_in_namespace(test: &str, setup: &str) -> bool {
    if env::var_os(MARKER).is_some() {
        return true;
    }
    let script = format!("ip link set lo up && {setup}");
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "sh", "-c", script]);
        command
    };
    if !unshare(&script).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this host allows no network namespace with `{script}`");
        return false;
    }
    let output = unshare(&format!("{script} && exec \"$0\" --exact {test} --nocapture"))
        .arg(env::current_exe().unwrap())
        .env(MARKER, "1")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
    false
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// A backend with Nagle's algorithm sends its second segment when the first one is acknowledged.
/// If that ACK is delayed, the answer is 40 ms late.
#[test]
fn first_segment_of_backend_is_acknowledged_at_once() {
    if is_in_namespace("first_segment_of_backend_is_acknowledged_at_once", "true") {
        block_on(count_delayed_acks());
    }
}

async fn count_delayed_acks() {
    const CONNECTIONS: u64 = 50;
    let listener = TcpListener::bind(ANY).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut backend = JoinSet::new();
    backend.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // TCP_NODELAY is off by default.
            stream.receives("request").await;
            stream.write_all(b"head").await.unwrap();
            stream.write_all(b"body").await.unwrap();
            stream.receives_end().await;
        }
    });
    let proxy = TestForwarder::with(settings(1), &plan([("tcp", ANY, to(&[address]))])).await;
    let before = delayed_acks();
    for _ in 0..CONNECTIONS {
        let mut client = proxy.connect("tcp").await;
        client.send("request").await;
        client.receives("headbody").await;
        client.end().await;
        client.receives_end().await;
    }
    let delayed = delayed_acks() - before;
    assert!(delayed < CONNECTIONS / 5, "{delayed} delayed ACKs in {CONNECTIONS} connections");
}

/// Returns the number of ACKs that the kernel has sent after a delay, in this namespace.
fn delayed_acks() -> u64 {
    let text = fs::read_to_string("/proc/net/netstat").unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("TcpExt:")).collect();
    let [names, values] = lines[..] else { panic!("{text}") };
    let position = names.split(' ').position(|name| name == "DelayedACKs").unwrap();
    values.split(' ').nth(position).unwrap().parse().unwrap()
}

#[test]
fn local_port_exhaustion_does_not_mark_endpoint() {
    let range = "echo 32768 32771 > /proc/sys/net/ipv4/ip_local_port_range";
    if is_in_namespace("local_port_exhaustion_does_not_mark_endpoint", range) {
        block_on(exhaust_local_ports());
    }
}

async fn exhaust_local_ports() {
    record();
    let echo = Peer::echo().await;
    let proxy = TestForwarder::with(settings(1), &plan([("tcp", ANY, to(&[echo.address]))])).await;
    let mut clients = Vec::new();
    while let Ok(client) = echo_from(clients.len() as u8 + 1, proxy.address("tcp")).await {
        clients.push(client);
    }
    assert!((1..=4).contains(&clients.len()), "{} connections", clients.len());
    let endpoint = echo.address.to_string();
    let [warning] = &recorded_of("endpoint", &endpoint, "cannot dial")[..] else {
        panic!("not one warning")
    };
    assert_eq!((warning.get("level"), warning.get("reason")), ("WARN", "no_local_port"));
    assert_eq!(recorded_of("endpoint", &endpoint, "endpoint failed").len(), 0);
    drop(clients);
    let failed = Outcome::DialFailed(DialFailure::NoLocalPort);
    assert_eq!(proxy.counters("tcp").ended(failed), 1);
}

/// Connects from an address of its own, so that clients do not compete for ports, and exchanges a
/// byte. The connection stays open.
async fn echo_from(host: u8, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 1, host), 0).into())?;
    let mut client = within("connecting", socket.connect(address)).await?;
    client.write_all(b"x").await?;
    within("an answer", client.read_exact(&mut [0])).await?;
    Ok(client)
}
