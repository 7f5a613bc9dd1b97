//! Load: one connection after the other.

use std::cell::Cell;
use std::io;
use std::net::SocketAddrV4;
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::{JoinSet, LocalSet};

use super::{Ready, Tally, all};
use crate::socket::connect;

/// What a connection carries, each way.
const BYTES: usize = 64;

/// The most connections of one load: each leaves a port in TIME_WAIT on both sides of the proxy, and
/// there are 28 000 to an address.
const MAX_CONNECTS: usize = 20_000;

/// Connects to the echo server, has one answer, and closes; a unit is a connection.
pub(crate) async fn connects(
    echo: SocketAddrV4,
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
                once(echo).await?;
                tally.add(1);
            }
            Ok(())
        };
        clients.spawn_local_on(client, &local);
    }
    let _ = ready.send(());
    local.run_until(all(clients)).await
}

/// Done when the proxy is done with it too.
async fn once(echo: SocketAddrV4) -> io::Result<()> {
    let mut stream = connect(echo).await?;
    let mut answer = [0; BYTES];
    stream.write_all(&[0; BYTES]).await?;
    stream.read_exact(&mut answer).await?;
    stream.shutdown().await?;
    match stream.read(&mut answer).await? {
        0 => Ok(()),
        _ => Err(io::Error::other("more came back than was sent")),
    }
}
