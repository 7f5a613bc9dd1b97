//! One direction of a connection: it carries the bytes of one side to the other.

use super::side::Readiness;

/// A read of at least this many bytes is large. A full buffer would be a poor criterion: if the
/// reader keeps up with a fast sender, reads rarely fill the buffer.
pub(in crate::forward) const LARGE: usize = 8 * 1024;

/// This many large reads in a row are a bulk transfer.
const BULK: u8 = 4;

/// Number of bytes after which a direction lets other connections of the worker take their turn.
pub(in crate::forward) const BUDGET: usize = 192 * 1024;

/// One direction of a connection. It writes all bytes of a read before it reads again, so a sink
/// that takes nothing stops the reads from the source (backpressure).
#[derive(Debug, Default)]
pub(super) struct Direction {
    /// Bytes were read and are not yet written.
    pub(super) has_bytes: bool,
    /// Number of consecutive large reads, at most [`BULK`].
    large_reads: u8,
    pub(super) phase: Phase,
    /// Number of bytes that were read in this turn.
    read_in_turn: usize,
}

/// Phase of a direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// The source may send more.
    #[default]
    Open,
    /// The source has ended, and the end is not passed on yet.
    Ended,
    /// The end was passed on, or the sink takes no more.
    Closed,
}

/// Result of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::forward) enum ReadResult {
    /// There are bytes.
    Bytes {
        count: usize,
        /// The buffer had room for more, so the socket is empty, unless urgent data is pending.
        is_short: bool,
    },
    /// The source has ended.
    End,
    /// No bytes are available.
    Empty,
    /// The connection is lost.
    Lost,
}

impl Direction {
    /// Returns `true` if the next read should move bulk data.
    pub(super) fn is_bulk(&self) -> bool {
        self.large_reads == BULK
    }

    /// Notes that bulk data cannot be moved now. The next attempt follows after [`BULK`] further
    /// large reads.
    pub(super) fn note_no_bulk(&mut self) {
        self.large_reads = 0;
    }

    /// Notes bytes that were read, and updates the readiness of the source.
    ///
    /// If the end was announced before a read that leaves room in the buffer, no call is needed to
    /// read the end. A call is needed if urgent data is pending, because a read stops before it,
    /// and if the connection is lost, because an error follows.
    pub(super) fn read(&mut self, count: usize, is_short: bool, source: &mut Readiness) {
        self.has_bytes = true;
        self.read_in_turn += count;
        self.large_reads = if count >= LARGE { BULK.min(self.large_reads + 1) } else { 0 };
        if is_short && !source.is_urgent && !source.is_lost {
            source.is_readable = false;
            if source.has_ended {
                self.phase = Phase::Ended;
            }
        }
    }

    /// Begins a turn.
    pub(super) fn start_turn(&mut self) {
        self.read_in_turn = 0;
    }

    /// Returns `true` if the budget of the turn is used up.
    pub(super) fn is_over_budget(&self) -> bool {
        self.read_in_turn >= BUDGET
    }

    /// Drops the pending bytes, and ends the direction.
    pub(super) fn close(&mut self) {
        self.has_bytes = false;
        self.phase = Phase::Closed;
    }
}
