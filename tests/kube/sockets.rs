//! The connections of the source, over real sockets.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use kube::Config;
use sluicegate::sources::{Feed, KubeSource, Source};
use tokio::net::TcpListener;

use crate::support::eventually;

/// The timer of a socket in `/proc/net/tcp`: keepalive.
const KEEPALIVE_TIMER: &str = "02";

/// A client whose peer vanishes would otherwise wait for hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_have_keepalive() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let source = KubeSource::with_config(Config::new(url)).unwrap();
    let (feed, _receiver) = Feed::channel();
    let running = tokio::spawn(Box::new(source.read_only()).run(feed));
    let (_connection, client) = listener.accept().await.unwrap();
    eventually("the keepalive timer runs", || {
        let Some((timer, left)) = timer_of(client) else { return false };
        timer == KEEPALIVE_TIMER && left <= Duration::from_secs(15)
    });
    running.abort();
}

/// Returns the timer of the socket with a local address, and its remaining time.
fn timer_of(local: SocketAddr) -> Option<(String, Duration)> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let SocketAddr::V4(local) = local else { return None };
    let address = format!("{:08X}:{:04X}", u32::from(*local.ip()).swap_bytes(), local.port());
    let row = table.lines().find(|row| row.split_whitespace().nth(1) == Some(&address))?;
    let (timer, left) = row.split_whitespace().nth(5)?.split_once(':')?;
    // In ticks of 1/100 s.
    let ticks = u64::from_str_radix(left, 16).ok()?;
    Some((timer.to_owned(), Duration::from_millis(ticks * 10)))
}
