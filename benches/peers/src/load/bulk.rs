//! Load: as many bytes as the proxy forwards.

use std::io;
use std::net::SocketAddrV4;

use tokio::task::JoinSet;

use super::{Ready, Tally, all};
use crate::backends::send_forever;
use crate::socket::{connect, discard};

/// Takes from the source; a unit is a byte.
pub(crate) async fn download(
    source: SocketAddrV4,
    connections: usize,
    tally: Tally,
    ready: Ready,
) -> io::Result<()> {
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let (stream, tally) = (connect(source).await?, tally.clone());
        clients.spawn(async move {
            discard(&stream, |bytes| tally.add(bytes)).await?;
            Err(io::ErrorKind::UnexpectedEof.into())
        });
    }
    let _ = ready.send(());
    all(clients).await
}

/// Gives to the sink; a unit is a byte.
pub(crate) async fn upload(
    sink: SocketAddrV4,
    connections: usize,
    tally: Tally,
    ready: Ready,
) -> io::Result<()> {
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let (mut stream, tally) = (connect(sink).await?, tally.clone());
        clients.spawn(async move { send_forever(&mut stream, |bytes| tally.add(bytes)).await });
    }
    let _ = ready.send(());
    all(clients).await
}
