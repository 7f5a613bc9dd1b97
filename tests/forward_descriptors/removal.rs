//! Removal of a listener with clients in its backlog.

use std::fs::File;
use std::io::{Read, Seek};
use std::net::SocketAddr;

use sluicegate::plan::Plan;
use tokio::net::TcpStream;

use crate::support::peer::Peer;
use crate::support::plans::{ANY, plan, settings, to};
use crate::support::stream::Stream;
use crate::support::test_forwarder::TestForwarder;
use crate::support::{WAIT_TIMEOUT, eventually};
use crate::{Ready, exhaust, run_alone};

/// Number of clients in the backlog.
const WAITING: usize = 300;

/// The kernel has completed the handshakes, so the clients are connected.
#[test]
fn removed_listener_serves_its_whole_backlog() {
    run_alone(remove_listener_with_full_backlog());
}

async fn remove_listener_with_full_backlog() {
    let echo = Peer::echo().await;
    let (mut proxy, mut clients) = full_backlog(&echo).await;
    proxy.apply(&Plan::default()).await;
    for client in &mut clients {
        client.echoes().await;
    }
    assert_eq!(echo.accepted(), WAITING);
}

/// Returns a proxy that could not accept the clients of its listener, and can do so now.
async fn full_backlog(echo: &Peer) -> (TestForwarder, Vec<TcpStream>) {
    let settings = settings(1).with_drain_timeout(10 * WAIT_TIMEOUT);
    let proxy = TestForwarder::with(settings, &plan([("tcp", ANY, to(&[echo.address]))])).await;

    let table = File::open("/proc/net/tcp").unwrap();
    let ready: Vec<_> = (0..WAITING).map(|_| Ready::new()).collect();
    let files = exhaust();
    let address = proxy.address("tcp");
    let mut clients = Vec::new();
    for client in ready {
        clients.push(client.connect(address).await);
    }
    eventually("all clients wait", || waiting(&table, address) == WAITING).await;
    // After 8 errors, the backoff is so long that a removal comes before the next attempt.
    eventually("accepts have failed", || proxy.counters("tcp").accept_errors >= 8).await;
    drop(files);
    (proxy, clients)
}

/// Reserved descriptors of the accepted connections do not keep the socket open.
#[test]
fn removed_listener_frees_its_address_at_once() {
    run_alone(rebind_address());
}

async fn rebind_address() {
    let echo = Peer::echo().await;
    let (mut proxy, mut clients) = full_backlog(&echo).await;
    let address = proxy.address("tcp");
    proxy.apply(&Plan::default()).await;
    proxy.apply(&plan([("again", address, to(&[echo.address]))])).await;
    assert!(proxy.bindings.errors.is_empty(), "{:?}", proxy.bindings.errors);
    proxy.connect("again").await.echoes().await;
    for client in &mut clients {
        client.echoes().await;
    }
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
