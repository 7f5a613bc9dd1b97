//! A reset (RST) of one side is passed on to the other.

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use sluicegate::forward::Outcome;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::support::plans::{ANY, to};
use crate::support::stream::Stream;
use crate::support::test_forwarder::TestForwarder;

#[tokio::test]
async fn reset_by_client_reaches_backend() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    client.say("never mind").await;
    server.hears("never mind").await;
    client.reset();
    server.is_reset().await;
    proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
}

#[tokio::test]
async fn reset_by_backend_reaches_client() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    server.say("no more").await;
    client.hears("no more").await;
    server.reset();
    client.is_reset().await;
    proxy.ended("tcp", &[(Outcome::UpstreamReset, 1)]).await;
}

/// The handshake and the reset may come in one event. The backend has accepted the connection, so
/// the dial did not fail, and what it sent before arrives.
#[tokio::test]
async fn reset_right_after_accept_reaches_client() {
    const TIMES: u64 = 200;
    let listener = std::net::TcpListener::bind(ANY).unwrap();
    let address = listener.local_addr().unwrap();
    // A thread of its own is fast enough to reset some connections before the proxy sees them.
    let server = thread::spawn(move || {
        for stream in listener.incoming().take(TIMES as usize) {
            let mut stream = stream.unwrap();
            stream.write_all(b"go away").unwrap();
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
    });
    let proxy = TestForwarder::to(to(&[address])).await;
    for _ in 0..TIMES {
        // A client may see the reset while it connects.
        let Ok(mut client) = TcpStream::connect(proxy.address("tcp")).await else { continue };
        client.hears("go away").await;
        client.is_reset().await;
    }
    server.join().unwrap();
    proxy.ended("tcp", &[(Outcome::UpstreamReset, TIMES)]).await;
}

#[tokio::test]
async fn reset_by_client_after_half_close_reaches_backend() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    client.say("think about it").await;
    client.end().await;
    server.hears("think about it").await;
    server.hears_end().await;
    client.reset();
    server.lost().await;
    proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
}

#[tokio::test]
async fn reset_by_backend_after_half_close_reaches_client() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    server.say("your turn").await;
    server.end().await;
    client.hears("your turn").await;
    client.hears_end().await;
    server.reset();
    client.lost().await;
    proxy.ended("tcp", &[(Outcome::UpstreamReset, 1)]).await;
}

/// A client that is gone while the backend still speaks.
#[tokio::test]
async fn close_with_unread_data_resets_backend() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (client, mut server) = proxy.pair(&backend).await;
    server.say("unheard").await;
    client.readable().await.unwrap();
    // The system resets a connection that is closed with something unread.
    drop(client);
    server.is_reset().await;
    proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
}

/// A backend that takes no more keeps the proxy from reading, and so from noticing. Whether the
/// backend has said its last by then makes no difference.
#[tokio::test]
async fn reset_by_client_reaches_stalled_backend() {
    for half_closed in [false, true] {
        let (proxy, backend) = TestForwarder::to_backend().await;
        let (mut client, mut server) = proxy.talking_pair(&backend).await;
        if half_closed {
            server.end().await;
            client.hears_end().await;
        }
        let message = [b'x'; 64 * 1024];
        let said = || proxy.counters("tcp").bytes_up;
        let mut moved = u64::MAX;
        while moved != said() {
            moved = said();
            while client.try_write(&message).is_ok() {}
            sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(proxy.counters("tcp").active(), 1);
        client.reset();
        server.lost().await;
        proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
    }
}
