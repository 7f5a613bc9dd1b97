//! Socket options that this program sets.

use std::io;
use std::net::SocketAddrV4;

use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// The most that is discarded at once.
const AT_ONCE: usize = 1024 * 1024;

pub(crate) async fn connect(target: SocketAddrV4) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Takes everything until the end of the stream, and tells of what it took.
///
/// The kernel drops the bytes where they are (`MSG_TRUNC`, tcp(7)), so that taking them costs little
/// beside the proxy's work on them.
pub(crate) async fn discard(stream: &TcpStream, took: impl Fn(u64)) -> io::Result<()> {
    // Never written to, and so never more than a promise of memory.
    let mut buffer = vec![0; AT_ONCE];
    loop {
        let receive = || Ok(recv(stream, &mut *buffer, RecvFlags::TRUNC)?.1);
        match stream.async_io(Interest::READABLE, receive).await? {
            0 => return Ok(()),
            length => took(length as u64),
        }
    }
}
