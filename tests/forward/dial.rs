//! Dialling endpoints: the next one after a failure, the number of attempts, timeouts.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sluicegate::forward::{Outcome, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::peer::{Peer, Reserved, Silent};
use crate::support::plans::{ANY, plan, settings, to};
use crate::support::stream::{Stream, is_rejected};
use crate::support::test_forwarder::TestForwarder;
use crate::support::{WAIT_TIMEOUT, eventually, within};

async fn start_proxy(settings: Settings, endpoints: &[SocketAddr]) -> TestForwarder {
    TestForwarder::with(settings, &plan([("tcp", ANY, to(endpoints))])).await
}

#[tokio::test]
async fn refused_dial_moves_to_next_endpoint() {
    let (refusing, echo) = (Reserved::new(), Peer::echo().await);
    let proxy = start_proxy(settings(1), &[refusing.address, echo.address]).await;
    for _ in 0..10 {
        let mut client = proxy.connect("tcp").await;
        client.echoes().await;
        client.end().await;
        client.hears_end().await;
    }
    proxy.ended("tcp", &[(Outcome::Completed, 10)]).await;
}

/// Of four endpoints three refuse, and each of four connections begins with another one: so the
/// number of attempts decides how many of them find the fourth.
#[tokio::test]
async fn dial_attempts_are_limited() {
    let echo = Peer::echo().await;
    let refusing = [Reserved::new(), Reserved::new(), Reserved::new()];
    let mut endpoints = refusing.each_ref().map(|refusing| refusing.address).to_vec();
    endpoints.push(echo.address);

    for (attempts, failing) in [(1, 3), (2, 2), (3, 1), (4, 0), (9, 0)] {
        let proxy = start_proxy(settings(1).with_dial_attempts(attempts), &endpoints).await;
        let mut failed = 0;
        for _ in 0..endpoints.len() {
            failed += usize::from(is_rejected(&end(proxy.address("tcp")).await));
        }
        assert_eq!(failed, failing, "with {attempts} attempts");
        let completed = endpoints.len() - failing;
        proxy
            .ended(
                "tcp",
                &[(Outcome::DialFailed, failing as u64), (Outcome::Completed, completed as u64)],
            )
            .await;
    }
}

/// Says nothing and waits for the end.
async fn end(address: SocketAddr) -> io::Result<()> {
    let mut client = TcpStream::connect(address).await?;
    // It fails if the client is reset already, which the read tells as well.
    let _ = client.shutdown().await;
    within("an end", client.read(&mut [0; 1])).await.map(drop)
}

#[tokio::test]
async fn refused_dial_of_all_endpoints_resets_client() {
    let refusing = [Reserved::new(), Reserved::new()];
    let proxy =
        start_proxy(settings(1), &refusing.each_ref().map(|refusing| refusing.address)).await;
    proxy.resets("tcp").await;
    proxy.ended("tcp", &[(Outcome::DialFailed, 1)]).await;
}

#[tokio::test]
async fn dial_attempts_of_zero_means_one() {
    let echo = Peer::echo().await;
    let mut settings = settings(1);
    settings.dial_attempts = 0;
    let proxy = start_proxy(settings, &[echo.address]).await;
    proxy.connect("tcp").await.echoes().await;
}

#[tokio::test]
async fn dial_timeout_resets_client() {
    let silent = Silent::new().await;
    let timeout = Duration::from_millis(50);
    let proxy = start_proxy(settings(1).with_dial_timeout(timeout), &[silent.address]).await;
    let started = Instant::now();
    proxy.connect("tcp").await.is_reset().await;
    assert!(started.elapsed() >= timeout);
    proxy.ended("tcp", &[(Outcome::DialTimedOut, 1)]).await;
}

/// What the client says while nobody listens yet is not lost, nor is its end.
#[tokio::test]
async fn dial_timeout_moves_to_next_endpoint() {
    let (silent, echo) = (Silent::new().await, Peer::echo().await);
    let settings = settings(1).with_dial_timeout(Duration::from_millis(50));
    let proxy = start_proxy(settings, &[silent.address, echo.address]).await;
    for _ in 0..2 {
        let mut client = proxy.connect("tcp").await;
        client.say("early").await;
        client.end().await;
        client.hears("early").await;
        client.hears_end().await;
    }
    proxy.ended("tcp", &[(Outcome::Completed, 2)]).await;
}

/// Long before the endpoint is given up.
#[tokio::test]
async fn dial_stops_when_client_resets() {
    let silent = Silent::new().await;
    let proxy =
        start_proxy(settings(1).with_dial_timeout(2 * WAIT_TIMEOUT), &[silent.address]).await;
    let mut client = proxy.connect("tcp").await;
    client.say("hello?").await;
    client.reset();
    proxy.ended("tcp", &[(Outcome::DownstreamReset, 1)]).await;
}

#[tokio::test]
async fn dial_is_cut_by_drain() {
    let silent = Silent::new().await;
    let mut proxy =
        start_proxy(settings(1).with_dial_timeout(2 * WAIT_TIMEOUT), &[silent.address]).await;
    let mut client = proxy.connect("tcp").await;
    eventually("accepted", || proxy.counters("tcp").active() == 1).await;
    within("the drain", proxy.forwarder.drain(Duration::from_millis(50))).await;
    client.is_reset().await;
    proxy.ended("tcp", &[(Outcome::Drained, 1)]).await;
}
