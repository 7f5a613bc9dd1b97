//! The bytes of a connection that are on their way from one side to the other.

use std::io::{self, ErrorKind};

use mio::net::TcpStream;

use super::context::Context;
use super::pending::Pending;
use crate::forward::flow::{BUDGET, ReadResult, Side};
use crate::forward::pipe::{CAPACITY, Pipe};

/// The bytes that were read from each side and are not yet written to the other.
#[derive(Default)]
pub(super) struct Transfer {
    /// Bytes of the client.
    up: Option<Pending>,
    /// Bytes of the backend.
    down: Option<Pending>,
}

impl Transfer {
    /// Reads the bytes that the client has already sent.
    pub(super) fn read_first(&mut self, downstream: &TcpStream) -> ReadResult {
        let (result, bytes) = Pending::read_first(downstream);
        self.up = bytes;
        result
    }

    /// Reads from a side, which must have no pending bytes.
    pub(super) fn read(
        &mut self,
        from: Side,
        source: &TcpStream,
        cx: &mut Context<'_>,
    ) -> ReadResult {
        let (result, bytes) = Pending::read(source);
        self.keep(from, result, bytes, cx)
    }

    /// Moves bulk data from a side, which must have no pending bytes. Returns `None` if there is no
    /// pipe for it.
    pub(super) fn read_bulk(
        &mut self,
        from: Side,
        source: &TcpStream,
        cx: &mut Context<'_>,
    ) -> Option<ReadResult> {
        let pipe = Pipe::acquire()?;
        let (result, bytes) = Pending::read_bulk(source, pipe, bulk_limit(cx));
        Some(self.keep(from, result, bytes, cx))
    }

    fn keep(
        &mut self,
        from: Side,
        result: ReadResult,
        bytes: Option<Pending>,
        cx: &mut Context<'_>,
    ) -> ReadResult {
        if let ReadResult::Bytes { count, .. } = result {
            cx.note_read(count);
        }
        *self.from(from) = bytes;
        result
    }

    /// Writes the bytes that were read from the other side.
    ///
    /// # Errors
    /// The error of the socket. The bytes for it are dropped.
    pub(super) fn write(&mut self, to: Side, sink: &TcpStream) -> io::Result<Written> {
        let pending = self.from(to.other());
        let bytes = pending.as_mut().expect("BUG: no bytes to write");
        match bytes.write_to(sink) {
            Ok(count) if bytes.is_empty() => {
                *pending = None;
                Ok(Written { count, room: Room::All })
            }
            // If a move of 0 bytes were repeated at once, the loop would not end.
            Ok(count) if count == 0 || bytes.partial_write_fills() => {
                Ok(Written { count, room: Room::None })
            }
            Ok(count) => Ok(Written { count, room: Room::Unknown }),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Ok(Written { count: 0, room: Room::None })
            }
            Err(error) => {
                *pending = None;
                Err(error)
            }
        }
    }

    /// Returns the bytes that were read from a side.
    fn from(&mut self, side: Side) -> &mut Option<Pending> {
        match side {
            Side::Downstream => &mut self.up,
            Side::Upstream => &mut self.down,
        }
    }
}

/// Returns the number of bytes that may be moved at once. A full pipe costs least for each byte.
/// But small messages of other connections wait for the move, so while the worker has such
/// messages, the limit is the budget of a turn.
fn bulk_limit(cx: &Context<'_>) -> usize {
    if cx.small_reads.are_recent() { BUDGET } else { CAPACITY }
}

/// Result of a write.
pub(super) struct Written {
    /// Number of bytes that were written.
    pub(super) count: usize,
    pub(super) room: Room,
}

/// Room in a send buffer after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// There was room for all bytes.
    All,
    /// The buffer is full.
    None,
    /// A part of the bytes was written, and another write may succeed.
    Unknown,
}
