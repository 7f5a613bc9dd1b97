//! Relaying: all bytes arrive, in order, up to EOF, with backpressure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sluicegate::forward::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::support::peer::Peer;
use crate::support::plans::to;
use crate::support::stream::{Stream, whole};
use crate::support::test_forwarder::TestForwarder;
use crate::support::within;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn half_close_by_client_is_passed_on() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;

    client.send("question").await;
    server.receives("question").await;
    server.send("wait").await;
    client.receives("wait").await;
    server.receives_nothing();

    client.end().await;
    server.receives_end().await;
    for _ in 0..3 {
        server.send("answer").await;
        client.receives("answer").await;
        client.receives_nothing();
    }

    server.end().await;
    client.receives_end().await;
    proxy.ended("tcp", &[(Outcome::Completed, 1)]).await;
    let counters = proxy.counters("tcp");
    assert_eq!((counters.bytes_up, counters.bytes_down), (8, 4 + 3 * 6));
}

#[tokio::test]
async fn half_close_by_backend_is_passed_on() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;

    server.send("all I know").await;
    client.receives("all I know").await;
    client.send("go on").await;
    server.receives("go on").await;
    client.receives_nothing();

    server.end().await;
    client.receives_end().await;
    for _ in 0..3 {
        client.send("thanks").await;
        server.receives("thanks").await;
        server.receives_nothing();
    }

    client.end().await;
    server.receives_end().await;
    proxy.ended("tcp", &[(Outcome::Completed, 1)]).await;
    let counters = proxy.counters("tcp");
    assert_eq!((counters.bytes_up, counters.bytes_down), (5 + 3 * 6, 10));
}

#[tokio::test]
async fn half_close_without_data_completes() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    client.end().await;
    server.receives_end().await;
    server.end().await;
    client.receives_end().await;
    proxy.ended("tcp", &[(Outcome::Completed, 1)]).await;
}

#[tokio::test]
async fn bytes_of_backend_that_sends_first_arrive() {
    let banner = Peer::named(b'B').await;
    let proxy = TestForwarder::to(to(&[banner.address])).await;
    let mut client = proxy.connect("tcp").await;
    client.receives("B").await;
    client.echoes().await;
}

#[tokio::test]
async fn bulk_in_both_directions_arrives_intact() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    let received = within("the exchange", async {
        tokio::join!(whole::exchange(&mut client, 64 * MIB), whole::exchange(&mut server, 64 * MIB))
    });
    assert_eq!(received.await, (64 * MIB, 64 * MIB));
    proxy.ended("tcp", &[(Outcome::Completed, 1)]).await;
    let counters = proxy.counters("tcp");
    assert_eq!((counters.bytes_up, counters.bytes_down), (64 << 20, 64 << 20));
}

/// When the sender closes, more bytes are in flight than any buffer holds.
#[tokio::test]
async fn bytes_in_flight_arrive_after_sender_closes() {
    let source = Peer::source(8 * MIB).await;
    let sink = Peer::sink().await;
    let proxy = TestForwarder::to(to(&[source.address])).await;
    let mut client = proxy.connect("tcp").await;
    assert_eq!(within("the download", whole::receive(&mut client)).await.unwrap(), 8 * MIB);
    client.end().await;
    proxy.ended("tcp", &[(Outcome::Completed, 1)]).await;

    let proxy = TestForwarder::to(to(&[sink.address])).await;
    let mut client = proxy.connect("tcp").await;
    whole::send(&mut client, 8 * MIB).await.unwrap();
    client.end().await;
    assert_eq!(within("the receipt", client.read_u64()).await.unwrap(), 8 << 20);
    client.receives_end().await;
    proxy.ended("tcp", &[(Outcome::Completed, 1)]).await;
}

/// A connection completes when the kernel has all bytes. The proxy is dropped then, while most of
/// the bytes are still in a send buffer.
#[tokio::test]
async fn bytes_in_flight_arrive_after_forwarder_is_dropped() {
    const DOWNLOAD_SIZE: usize = MIB / 2;
    let source = Peer::source(DOWNLOAD_SIZE).await;
    let mut proxy = TestForwarder::to(to(&[source.address])).await;
    let mut client = proxy.connect("tcp").await;
    client.end().await;
    proxy.ended("tcp", &[(Outcome::Completed, 1)]).await;
    within("the drain", proxy.forwarder.drain(Duration::ZERO)).await;
    drop(proxy);
    assert_eq!(within("the download", whole::receive(&mut client)).await.unwrap(), DOWNLOAD_SIZE);
}

#[tokio::test]
async fn backpressure_of_slow_backend_reaches_client() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (client, server) = proxy.pair(&backend).await;
    assert_backpressure(client, server).await;
    proxy.ended("tcp", &[(Outcome::Completed, 1)]).await;
}

#[tokio::test]
async fn backpressure_of_slow_client_reaches_backend() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (client, server) = proxy.pair(&backend).await;
    assert_backpressure(server, client).await;
    proxy.ended("tcp", &[(Outcome::Completed, 1)]).await;
}

/// Asserts that a sender stops when all buffers are full, because the receiver does not read, and
/// that the other direction continues. Then the receiver reads, and all bytes arrive.
async fn assert_backpressure(sender: TcpStream, mut receiver: TcpStream) {
    let (mut from, mut to) = sender.into_split();
    let sent = Arc::<AtomicUsize>::default();
    let count = sent.clone();
    let sending = tokio::spawn(async move {
        for _ in 0..64 {
            // The length is that of the pattern, so the parts continue the pattern.
            whole::send(&mut to, 1_000_003).await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
        }
        to.shutdown().await.unwrap();
        to
    });

    let mut before = usize::MAX;
    while before != sent.load(Ordering::Relaxed) {
        before = sent.load(Ordering::Relaxed);
        sleep(Duration::from_millis(150)).await;
    }
    assert!(before < 48, "{before} MB sent to a receiver that does not read");
    receiver.send("still here").await;
    let mut message = [0; 10];
    within("the other direction", from.read_exact(&mut message)).await.unwrap();
    assert_eq!(&message, b"still here");

    let received = within("all bytes", whole::receive(&mut receiver)).await.unwrap();
    assert_eq!(received, 64 * 1_000_003);
    drop(within("the sender", sending).await.unwrap());
    drop(receiver);
}
