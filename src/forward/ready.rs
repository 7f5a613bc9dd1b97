//! Reading and writing when a socket is ready for it, without the call that would only say that it
//! is not ready any more.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::net::TcpStream;

/// What came of a call.
pub(super) struct Done<T> {
    pub(super) value: T,
    /// Whether the next call would find the socket not ready: a read has emptied it, or a write has
    /// filled it. (A read is short at an urgent mark too. What is behind the mark then waits for the
    /// next packet; so it does with the runtime's own streams.)
    pub(super) exhausts: bool,
}

/// Does `read` when there is something to read.
///
/// # Errors
/// Those of `read`; it is called again after `WouldBlock`, when there is something.
pub(super) fn poll_read<T>(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    mut read: impl FnMut() -> io::Result<Done<T>>,
) -> Poll<io::Result<T>> {
    loop {
        ready!(stream.poll_read_ready(cx))?;
        if let Some(result) = attempt(stream, Interest::READABLE, &mut read) {
            return Poll::Ready(result);
        }
    }
}

/// Does `write` when there is room to write.
///
/// # Errors
/// As [`poll_read`].
pub(super) fn poll_write<T>(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    mut write: impl FnMut() -> io::Result<Done<T>>,
) -> Poll<io::Result<T>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        if let Some(result) = attempt(stream, Interest::WRITABLE, &mut write) {
            return Poll::Ready(result);
        }
    }
}

/// What came of a call; nothing where the socket was not ready.
fn attempt<T>(
    stream: &TcpStream,
    interest: Interest,
    call: &mut impl FnMut() -> io::Result<Done<T>>,
) -> Option<io::Result<T>> {
    let mut value = None;
    let result = stream.try_io(interest, || {
        let done = call()?;
        value = Some(done.value);
        // To the runtime it is all the same whether this call says so or the next.
        if done.exhausts { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    match (value, result) {
        (Some(value), _) => Some(Ok(value)),
        (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => Some(Err(error)),
        (None, _) => None,
    }
}
