//! Load: short connections with one request and one answer each.

use std::cell::Cell;
use std::io;
use std::net::SocketAddrV4;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use super::{Ready, Tally, all};
use crate::socket::connect;

/// Bytes that a connection carries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) request: usize,
    pub(crate) answer: usize,
}

/// Maximum number of connections of one load. Each leaves an ephemeral port in TIME_WAIT on both
/// sides of the proxy, for a second at least. `connect` tries the 14 000 even ports first, and
/// takes milliseconds when these are used up: clients and the fastest proxies would be slowed down.
const MAX_CONNECTS: usize = 12_000;

/// Maximum size of a request and of an answer.
const MAX_MESSAGE: usize = 128;
static MESSAGE: [u8; MAX_MESSAGE] = [0; MAX_MESSAGE];

/// Connects, sends a request, reads the answer, and closes; a unit is a connection. Its latency is
/// the time from before `connect` until the last byte of the answer is read; closing is not part of
/// it.
pub(crate) async fn connects(
    backend: SocketAddrV4,
    exchange: Exchange,
    at_a_time: usize,
    tally: Tally,
    ready: Ready,
) -> io::Result<()> {
    let left = Rc::new(Cell::new(MAX_CONNECTS));
    let mut clients = JoinSet::new();
    let local = LocalSet::new();
    for _ in 0..at_a_time {
        let (left, tally) = (left.clone(), tally.clone());
        let client = async move {
            while let Some(after) = left.get().checked_sub(1) {
                left.set(after);
                tally.record(connect_once(backend, exchange).await?);
            }
            Ok(())
        };
        clients.spawn_local_on(client, &local);
    }
    let _ = ready.send(());
    local.run_until(all(clients)).await
}

/// Returns the latency, after the proxy has closed the connection too.
async fn connect_once(backend: SocketAddrV4, exchange: Exchange) -> io::Result<Duration> {
    let start = Instant::now();
    let mut stream = connect(backend).await?;
    stream.write_all(&MESSAGE[..exchange.request]).await?;
    let mut answer = [0; MAX_MESSAGE];
    stream.read_exact(&mut answer[..exchange.answer]).await?;
    let latency = start.elapsed();
    stream.shutdown().await?;
    match stream.read(&mut answer).await? {
        0 => Ok(latency),
        _ => Err(io::Error::other("the answer is longer than expected")),
    }
}
