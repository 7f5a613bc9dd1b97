//! The lines about connections that the engine formats itself.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "forward/support/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with other test binaries")]
mod support;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use sluicegate::forward::{ConnectionLines, LineFormat, LineOutput};
use sluicegate::plan::{RejectReason, Routing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use support::events::{record, recorded};
use support::peer::Peer;
use support::plans::{ANY, id, plan, rejecting, route, settings, to};
use support::stream::Stream as _;
use support::test_forwarder::TestForwarder;
use support::{eventually, within};

/// Output that keeps the lines in memory.
#[derive(Default)]
struct Kept(Mutex<Vec<u8>>);

impl LineOutput for Kept {
    fn write(&self, lines: &[u8]) {
        assert!(lines.ends_with(b"\n"), "a line is not complete");
        self.0.lock().unwrap().extend_from_slice(lines);
    }
}

impl Kept {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

/// Output whose first writes panic.
struct Failing {
    panics: AtomicUsize,
    kept: Kept,
}

impl LineOutput for Failing {
    fn write(&self, lines: &[u8]) {
        let take = |panics: usize| panics.checked_sub(1);
        let taken = self.panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        assert!(taken.is_err(), "the output panics, as the test expects");
        self.kept.write(lines);
    }
}

/// Makes one connection. Returns its line, and the addresses of client and proxy.
async fn line(listener: &str, format: LineFormat, routing: Routing) -> (String, [String; 2]) {
    record();
    let kept = Arc::new(Kept::default());
    let lines = ConnectionLines::new(format, kept.clone());
    let settings = settings(2).with_connection_lines(lines);
    let proxy = TestForwarder::with(settings, &plan([(listener, ANY, routing)])).await;
    // A rejected client can be reset while it connects, so it is bound to its address before.
    let client = TcpSocket::new_v4().unwrap();
    client.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let addresses = [client.local_addr().unwrap(), proxy.address(listener)];
    let _ = exchange(client, addresses[1]).await;
    eventually("the line is written", || !kept.lines().is_empty()).await;
    assert!(recorded(&id(listener), "connection ended").is_empty(), "an event is emitted too");
    let [line] = kept.lines().try_into().unwrap();
    (line, addresses.map(|address| address.to_string()))
}

/// Sends four bytes and receives them again.
async fn exchange(client: TcpSocket, proxy: SocketAddr) -> io::Result<()> {
    let mut client = within("connecting", client.connect(proxy)).await?;
    client.write_all(b"ping").await?;
    client.shutdown().await?;
    let mut received = Vec::new();
    within("the answer", client.read_to_end(&mut received)).await?;
    assert_eq!(received, b"ping");
    Ok(())
}

#[tokio::test]
async fn json_line_has_the_fields_of_the_event() {
    let echo = Peer::echo().await;
    let (line, [client, proxy]) = line("json", LineFormat::Json, to(&[echo.address])).await;
    let fields: Value = serde_json::from_str(&line).unwrap();
    for (field, expected) in [
        ("level", "INFO"),
        ("message", "connection ended"),
        ("listener", "default/edge/json"),
        ("route", "TCPRoute/default/route"),
        ("backend", "default/backend"),
        ("endpoint", &echo.address.to_string()),
        ("downstream", &client),
        ("local", &proxy),
        ("outcome", "completed"),
        ("target", "sluicegate::forward::connection"),
    ] {
        assert_eq!(fields[field], expected, "{line}");
    }
    assert_eq!(fields["attempts"], 1, "{line}");
    for number in ["dial_us", "duration_us", "bytes_up", "bytes_down"] {
        assert!(fields[number].as_u64().unwrap() > 0, "{number} in {line}");
    }
    assert!(fields.get("reason").is_none(), "{line}");
    let time = fields["timestamp"].as_str().unwrap();
    assert_eq!((time.len(), time.ends_with('Z')), ("2026-01-31T08:00:00.000000Z".len(), true));
}

#[tokio::test]
async fn text_line_has_the_fields_of_the_event() {
    let rejects = route("r", [rejecting("b", 1, RejectReason::BackendNotFound)]);
    let (line, [client, proxy]) = line("text", LineFormat::Text, rejects).await;
    let (time, rest) = line.split_once("  ").unwrap();
    assert_eq!(time.len(), "2026-01-31T08:00:00.000000Z".len());
    let (before, after) = rest.split_once("duration_us=").unwrap();
    assert_eq!(
        before,
        format!(
            "INFO connection ended listener=default/edge/text route=TCPRoute/default/r \
             backend=default/b downstream={client} local={proxy} bytes_up=0 bytes_down=0 "
        )
    );
    let (_, after) = after.split_once(' ').unwrap();
    assert_eq!(after, "outcome=\"rejected\" reason=\"backend_not_found\"");
}

#[tokio::test]
async fn output_that_panics_loses_only_its_lines() {
    const PANICS: usize = 3;
    record();
    let echo = Peer::echo().await;
    let failing = Arc::new(Failing { panics: PANICS.into(), kept: Kept::default() });
    let lines = ConnectionLines::new(LineFormat::Text, failing.clone());
    let plan = plan([("panics", ANY, to(&[echo.address]))]);
    let mut proxy = TestForwarder::with(settings(1).with_connection_lines(lines), &plan).await;
    let mut open = proxy.connect("panics").await;
    open.echoes().await;
    for left in (0..PANICS).rev() {
        let mut client = proxy.connect("panics").await;
        client.echoes().await;
        drop(client);
        eventually("the output panics", || failing.panics.load(Ordering::SeqCst) == left).await;
        open.echoes().await;
    }
    assert!(failing.kept.lines().is_empty());

    let mut client = proxy.connect("panics").await;
    client.echoes().await;
    drop(client);
    eventually("a line is written", || failing.kept.lines().len() == 1).await;
    open.echoes().await;
    // The drain ends only if it does not wait for a lost line.
    drop(open);
    within("the drain", proxy.forwarder.drain(Duration::MAX)).await;
    assert_eq!(failing.kept.lines().len(), 2);
}
