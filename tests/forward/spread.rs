//! The spread of connections over the workers.

use fastrand::Rng;
use tokio::net::TcpStream;

use crate::support::eventually;
use crate::support::peer::Peer;
use crate::support::plans::{ANY, id, plan, settings, to};
use crate::support::stream::Stream;
use crate::support::test_forwarder::TestForwarder;

const WORKERS: usize = 4;
const CONNECTIONS: usize = 200;

/// One worker accepts all connections of a listener. They are still spread evenly over all workers:
/// after all are opened at once, and after half of them are replaced.
#[tokio::test]
async fn workers_have_about_equal_numbers_of_connections() {
    let echo = Peer::echo().await;
    let plan = plan([("tcp", ANY, to(&[echo.address]))]);
    let proxy = TestForwarder::with(settings(WORKERS), &plan).await;
    let mut clients = open(&proxy, CONNECTIONS).await;
    assert_even(&proxy);

    Rng::with_seed(1).shuffle(&mut clients);
    for mut client in clients.drain(..CONNECTIONS / 2) {
        client.end().await;
        client.receives_end().await;
    }
    eventually("half are left", || active(&proxy).iter().sum::<u64>() == CONNECTIONS as u64 / 2)
        .await;
    clients.extend(open(&proxy, CONNECTIONS / 2).await);
    assert_even(&proxy);
}

/// Opens connections at once.
async fn open(proxy: &TestForwarder, count: usize) -> Vec<TcpStream> {
    let address = proxy.address("tcp");
    let connecting: Vec<_> =
        (0..count).map(|_| tokio::spawn(TcpStream::connect(address))).collect();
    let mut clients = Vec::new();
    for client in connecting {
        clients.push(client.await.unwrap().unwrap());
    }
    for client in &mut clients {
        client.echoes().await;
    }
    clients
}

fn active(proxy: &TestForwarder) -> Vec<u64> {
    let by_worker = proxy.forwarder.counters().by_worker(&id("tcp")).unwrap();
    by_worker.iter().map(|counters| counters.active()).collect()
}

/// Asserts that the numbers differ by at most 10 % of the largest one, or 2.
fn assert_even(proxy: &TestForwarder) {
    let active = active(proxy);
    assert_eq!(active.iter().sum::<u64>(), CONNECTIONS as u64);
    let (most, fewest) = (active.iter().max().unwrap(), active.iter().min().unwrap());
    assert!(most - fewest <= (most / 10).max(2), "{active:?}");
}
