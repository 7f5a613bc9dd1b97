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
    client.send("never mind").await;
    server.receives("never mind").await;
    client.reset();
    server.is_reset().await;
    proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
}

#[tokio::test]
async fn reset_by_backend_reaches_client() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    server.send("no more").await;
    client.receives("no more").await;
    server.reset();
    client.is_reset().await;
    proxy.ended("tcp", &[(Outcome::UpstreamReset, 1)]).await;
}

/// The handshake and the reset may come in one event. The backend has accepted the connection, so
/// the dial did not fail, and the bytes that the backend sent before the reset arrive.
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
        client.receives("go away").await;
        client.is_reset().await;
    }
    server.join().unwrap();
    proxy.ended("tcp", &[(Outcome::UpstreamReset, TIMES)]).await;
}

#[tokio::test]
async fn reset_by_client_after_half_close_reaches_backend() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    client.send("think about it").await;
    client.end().await;
    server.receives("think about it").await;
    server.receives_end().await;
    client.reset();
    server.is_lost().await;
    proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
}

#[tokio::test]
async fn reset_by_backend_after_half_close_reaches_client() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (mut client, mut server) = proxy.pair(&backend).await;
    server.send("your turn").await;
    server.end().await;
    client.receives("your turn").await;
    client.receives_end().await;
    server.reset();
    client.is_lost().await;
    proxy.ended("tcp", &[(Outcome::UpstreamReset, 1)]).await;
}

/// The client closes the connection while the backend still sends.
#[tokio::test]
async fn close_with_unread_data_resets_backend() {
    let (proxy, backend) = TestForwarder::to_backend().await;
    let (client, mut server) = proxy.pair(&backend).await;
    server.send("unheard").await;
    client.readable().await.unwrap();
    // The kernel resets a connection that is closed with unread data.
    drop(client);
    server.is_reset().await;
    proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
}

/// If a backend takes no bytes, the proxy does not read from the client, so no read reports the
/// reset. The backend may also have half-closed the connection before.
#[tokio::test]
async fn reset_by_client_reaches_stalled_backend() {
    for half_closed in [false, true] {
        let (proxy, backend) = TestForwarder::to_backend().await;
        let (mut client, mut server) = proxy.relaying_pair(&backend).await;
        if half_closed {
            server.end().await;
            client.receives_end().await;
        }
        let message = [b'x'; 64 * 1024];
        let relayed = || proxy.counters("tcp").bytes_up;
        let mut last = u64::MAX;
        while last != relayed() {
            last = relayed();
            while client.try_write(&message).is_ok() {}
            sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(proxy.counters("tcp").active(), 1);
        client.reset();
        server.is_lost().await;
        proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
    }
}
