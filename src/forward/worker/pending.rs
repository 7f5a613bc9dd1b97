//! Bytes that were read from one side and are not yet written to the other.

use std::io;

use mio::net::TcpStream;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::forward::buffer::{Buffer, FirstBytes};
use crate::forward::flow::ReadResult;
use crate::forward::pipe::Pipe;

/// Bytes in a buffer or a pipe.
pub(super) enum Pending {
    /// The first bytes of a client, which wait until an endpoint is connected.
    First {
        bytes: FirstBytes,
        start: usize,
    },
    Buffer {
        buffer: Buffer,
        start: usize,
        end: usize,
    },
    Pipe(Pipe),
}

impl Pending {
    /// Reads the bytes that a client has already sent.
    pub(super) fn read_first(source: &TcpStream) -> (ReadResult, Option<Self>) {
        let mut buffer = Buffer::acquire();
        let room = FirstBytes::MAX;
        let result = read(source, &mut buffer[..room]);
        let bytes = match result {
            ReadResult::Bytes { count, .. } => Some(FirstBytes::copy(&buffer[..count])),
            ReadResult::End | ReadResult::Empty | ReadResult::Lost => None,
        };
        (result, bytes.map(|bytes| Self::First { bytes, start: 0 }))
    }

    /// Reads bytes into a buffer.
    pub(super) fn read(source: &TcpStream) -> (ReadResult, Option<Self>) {
        let mut buffer = Buffer::acquire();
        match read(source, &mut buffer) {
            result @ ReadResult::Bytes { count, .. } => {
                (result, Some(Self::Buffer { buffer, start: 0, end: count }))
            }
            result => (result, None),
        }
    }

    /// Moves at most `limit` bytes into a pipe. If the move returns 0, it reads instead: 0 can mean
    /// an empty socket, the end, or urgent data, and only a read distinguishes them.
    pub(super) fn read_bulk(
        source: &TcpStream,
        mut pipe: Pipe,
        limit: usize,
    ) -> (ReadResult, Option<Self>) {
        match pipe.fill(source, limit) {
            Ok(0) => Self::read(source),
            // There may be more: a pipe can be full of small packets.
            Ok(count) => (ReadResult::Bytes { count, is_short: false }, Some(Self::Pipe(pipe))),
            Err(_) => (ReadResult::Lost, None),
        }
    }

    /// Writes as many bytes as `sink` takes, and returns their number.
    ///
    /// # Errors
    /// The error of the socket; `WouldBlock` if it takes none.
    pub(super) fn write_to(&mut self, sink: &TcpStream) -> io::Result<usize> {
        let written = match self {
            Self::First { bytes, start } => write(sink, &bytes[*start..])?,
            Self::Buffer { buffer, start, end } => write(sink, &buffer[*start..*end])?,
            Self::Pipe(pipe) => pipe.empty(sink)?,
        };
        self.advance(written);
        Ok(written)
    }

    fn advance(&mut self, written: usize) {
        match self {
            Self::First { start, .. } | Self::Buffer { start, .. } => *start += written,
            Self::Pipe(_) => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::First { bytes, start } => *start == bytes.len(),
            Self::Buffer { start, end, .. } => start == end,
            Self::Pipe(pipe) => pipe.is_empty(),
        }
    }

    /// Returns `true` if a partial write proves that the send buffer is full. A move from a pipe
    /// into a socket may also stop early for another reason.
    pub(super) fn partial_write_fills(&self) -> bool {
        !matches!(self, Self::Pipe(_))
    }
}

/// Flags of a write: if the connection is broken, the write returns an error, and the kernel sends
/// no SIGPIPE. On other systems, that is an option of the socket.
#[cfg(target_os = "linux")]
const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL;
#[cfg(not(target_os = "linux"))]
const SEND_FLAGS: SendFlags = SendFlags::empty();

/// Reads with a system call of rustix. The calls of libc are cancellation points of threads, which
/// costs about 2 % of the time of a small message.
fn read(source: &TcpStream, buffer: &mut [u8]) -> ReadResult {
    match retry_on_intr(|| recv(source, &mut *buffer, RecvFlags::empty())) {
        Ok((0, _)) => ReadResult::End,
        Ok((count, _)) => ReadResult::Bytes { count, is_short: count < buffer.len() },
        Err(Errno::AGAIN) => ReadResult::Empty,
        Err(_) => ReadResult::Lost,
    }
}

fn write(sink: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    Ok(retry_on_intr(|| send(sink, bytes, SEND_FLAGS))?)
}
