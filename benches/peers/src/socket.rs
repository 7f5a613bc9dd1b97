//! Socket options that this program sets.

use std::io;
use std::net::{SocketAddrV4, TcpListener};

use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// The most that is discarded at once.
const AT_ONCE: usize = 1024 * 1024;

/// Length of the queue of connections that are not accepted yet. The default of mio is 128: with
/// 256 clients at a time, the kernel would drop SYNs, which are repeated after 1 s.
const BACKLOG: i32 = 4096;

/// Opens a listening socket that does not block.
pub(crate) fn listen(address: SocketAddrV4) -> io::Result<TcpListener> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

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
