//! Load: requests and responses over long-lived connections.

use std::future;
use std::io;
use std::net::SocketAddrV4;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Ready, Tally, all};
use crate::socket::connect;

/// How many connect at the same time: less than any proxy's backlog.
const CONNECT_AT_ONCE: usize = 64;

/// Asks the echo server again and again over each connection; a unit is a round trip.
pub(crate) async fn round_trips(
    echo: SocketAddrV4,
    connections: usize,
    bytes: usize,
    tally: Tally,
    ready: Ready,
) -> io::Result<()> {
    let mut clients = JoinSet::new();
    for mut stream in open(echo, connections, bytes).await? {
        let tally = tally.clone();
        clients.spawn(async move {
            let mut buffer = vec![0; bytes];
            loop {
                let start = Instant::now();
                round_trip(&mut stream, &mut buffer).await?;
                tally.record(start.elapsed());
            }
        });
    }
    let _ = ready.send(());
    all(clients).await
}

/// Keeps connections open that have nothing more to say.
pub(crate) async fn hold(echo: SocketAddrV4, connections: usize, ready: Ready) -> io::Result<()> {
    let _streams = open(echo, connections, 64).await?;
    let _ = ready.send(());
    future::pending().await
}

/// Connections that have each seen a round trip.
async fn open(echo: SocketAddrV4, connections: usize, bytes: usize) -> io::Result<Vec<TcpStream>> {
    let mut streams = Vec::with_capacity(connections);
    let mut opening = JoinSet::new();
    for _ in 0..connections {
        if opening.len() == CONNECT_AT_ONCE {
            streams.extend(opening.join_next().await.transpose()?.transpose()?);
        }
        opening.spawn(async move {
            let mut stream = connect(echo).await?;
            round_trip(&mut stream, &mut vec![0; bytes]).await?;
            io::Result::Ok(stream)
        });
    }
    while let Some(opened) = opening.join_next().await {
        streams.push(opened??);
    }
    Ok(streams)
}

async fn round_trip(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<()> {
    stream.write_all(buffer).await?;
    stream.read_exact(buffer).await?;
    Ok(())
}
