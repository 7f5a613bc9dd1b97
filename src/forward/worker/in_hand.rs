//! Bytes that were read from one side and are not yet written to the other.

use std::io::{self, Read, Write};

use mio::net::TcpStream;

use crate::forward::buffer::{Buffer, FirstBytes};
use crate::forward::flow::ReadResult;
use crate::forward::pipe::Pipe;

/// Bytes in a buffer or a pipe.
pub(super) enum InHand {
    /// The first bytes of a client, which wait until an endpoint is connected.
    First {
        bytes: FirstBytes,
        start: usize,
    },
    Copied {
        buffer: Buffer,
        start: usize,
        end: usize,
    },
    Moved(Pipe),
}

impl InHand {
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

    /// Reads what there is, at most a buffer.
    pub(super) fn read(source: &TcpStream) -> (ReadResult, Option<Self>) {
        let mut buffer = Buffer::acquire();
        match read(source, &mut buffer) {
            result @ ReadResult::Bytes { count, .. } => {
                (result, Some(Self::Copied { buffer, start: 0, end: count }))
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
            Ok(count) => (ReadResult::Bytes { count, is_short: false }, Some(Self::Moved(pipe))),
            Err(_) => (ReadResult::Lost, None),
        }
    }

    /// Writes what `sink` takes, and returns the number of bytes.
    ///
    /// # Errors
    /// The error of the socket; `WouldBlock` if it takes nothing.
    pub(super) fn write_to(&mut self, mut sink: &TcpStream) -> io::Result<usize> {
        loop {
            let written = match self {
                Self::First { bytes, start } => sink.write(&bytes[*start..]),
                Self::Copied { buffer, start, end } => sink.write(&buffer[*start..*end]),
                Self::Moved(pipe) => pipe.empty(sink),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(written) => {
                    self.advance(written);
                    return Ok(written);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn advance(&mut self, written: usize) {
        match self {
            Self::First { start, .. } | Self::Copied { start, .. } => *start += written,
            Self::Moved(_) => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::First { bytes, start } => *start == bytes.len(),
            Self::Copied { start, end, .. } => start == end,
            Self::Moved(pipe) => pipe.is_empty(),
        }
    }

    /// Returns `true` if a partial write proves that the send buffer is full. A move into the
    /// socket may also stop early for another reason.
    pub(super) fn partial_write_fills(&self) -> bool {
        !matches!(self, Self::Moved(_))
    }
}

fn read(mut source: &TcpStream, buffer: &mut [u8]) -> ReadResult {
    loop {
        return match source.read(buffer) {
            Ok(0) => ReadResult::End,
            Ok(count) => ReadResult::Bytes { count, is_short: count < buffer.len() },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ReadResult::Empty,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => ReadResult::Lost,
        };
    }
}
