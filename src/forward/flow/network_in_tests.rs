//! A simulated network for tests: two peers, and the sockets between them and the proxy.
//!
//! It behaves as TCP sockets behind an edge-triggered event queue: an event is due when the state
//! of a socket changes, and reports the state at the time of its fetch from the queue. The state
//! may change between the fetch and the delivery.

use super::direction::ReadResult;
use super::side::Readiness;

/// Size of the send buffers.
const ROOM: usize = 64 * 1024;

/// Size of the buffer of a read.
pub(super) const BUFFER: usize = 16 * 1024;

/// A peer, and the proxy's socket to it.
#[derive(Debug, Default)]
pub(super) struct Socket {
    /// Bytes of the peer that are not read.
    unread: usize,
    /// Number of bytes before the urgent mark.
    urgent_after: Option<usize>,
    /// The peer has sent its end.
    pub(super) has_ended: bool,
    /// The peer has reset the connection.
    pub(super) is_reset: bool,
    /// The reset was not yet reported by a call.
    has_error: bool,
    /// Bytes to the peer that it has not taken.
    untaken: usize,
    /// A write has filled the send buffer, so an event is due when there is room.
    was_full: bool,
    /// The peer takes all bytes at once.
    pub(super) takes_all_at_once: bool,
    /// The proxy has sent its end.
    pub(super) got_end: bool,
    /// An event is due.
    pub(super) has_edge: bool,
    /// An event that was fetched from the queue, and is not delivered yet.
    fetched: Option<Readiness>,
    /// Number of all bytes that the peer has sent.
    pub(super) sent: usize,
    /// Number of all bytes that were written to the peer.
    pub(super) got: usize,
}

impl Socket {
    /// Creates a socket that is connected: its first event is due.
    pub(super) fn connected() -> Self {
        Self { has_edge: true, ..Self::default() }
    }

    /// Sends bytes from the peer.
    pub(super) fn send(&mut self, count: usize) {
        if !self.has_ended && !self.is_reset && count > 0 {
            self.unread += count;
            self.sent += count;
            self.has_edge = true;
        }
    }

    /// Sends an urgent byte from the peer. The counts of bytes exclude it.
    pub(super) fn send_urgent(&mut self) {
        if !self.has_ended && !self.is_reset {
            self.urgent_after = Some(self.unread);
            self.has_edge = true;
        }
    }

    /// Sends the end of the peer.
    pub(super) fn end(&mut self) {
        if !self.has_ended && !self.is_reset {
            self.has_ended = true;
            self.has_edge = true;
        }
    }

    /// Resets the connection by the peer.
    pub(super) fn reset(&mut self) {
        if !self.is_reset {
            (self.is_reset, self.has_error, self.has_edge) = (true, true, true);
        }
    }

    /// Takes bytes at the peer.
    pub(super) fn take(&mut self, count: usize) {
        self.untaken -= count.min(self.untaken);
        if self.was_full && self.untaken < ROOM / 2 {
            self.was_full = false;
            self.has_edge = true;
        }
    }

    /// Fetches the event that is due from the queue. No further one is fetched before its delivery.
    pub(super) fn fetch_event(&mut self) {
        if self.fetched.is_none() && std::mem::take(&mut self.has_edge) {
            self.fetched = Some(Readiness {
                is_readable: self.is_readable(),
                is_writable: self.untaken < ROOM || self.is_reset,
                has_ended: self.has_ended || self.is_reset,
                is_urgent: self.urgent_after.is_some(),
                is_lost: self.has_error,
            });
        }
    }

    /// Loses the event that was fetched, as a panic does. The queue reports the state again.
    pub(super) fn lose_event(&mut self) {
        self.fetched = None;
        self.has_edge = true;
    }

    /// Returns the event to deliver, if there is one.
    pub(super) fn event(&mut self) -> Option<Readiness> {
        self.fetch_event();
        self.fetched.take()
    }

    /// Reads as the proxy. A read stops at the urgent mark.
    pub(super) fn read(&mut self, buffer: usize) -> ReadResult {
        let count = self.move_bytes(buffer);
        if count > 0 {
            ReadResult::Bytes { count, is_short: count < buffer }
        } else if std::mem::take(&mut self.has_error) {
            ReadResult::Lost
        } else if self.has_ended || self.is_reset {
            ReadResult::End
        } else {
            ReadResult::Empty
        }
    }

    /// Moves bytes into a pipe of the proxy, and returns their number.
    pub(super) fn move_bytes(&mut self, limit: usize) -> usize {
        let until_mark = self.urgent_after.filter(|count| *count > 0).unwrap_or(usize::MAX);
        let count = self.unread.min(limit).min(until_mark);
        self.unread -= count;
        self.urgent_after = self.urgent_after.and_then(|after| after.checked_sub(count));
        count
    }

    /// Writes as the proxy. Returns the number of bytes; `None` if the connection is lost.
    pub(super) fn write(&mut self, count: usize) -> Option<usize> {
        if self.is_reset {
            self.has_error = false;
            return None;
        }
        let written = if self.takes_all_at_once { count } else { count.min(ROOM - self.untaken) };
        self.untaken += if self.takes_all_at_once { 0 } else { written };
        self.got += written;
        self.was_full |= written < count;
        Some(written)
    }

    /// Passes an end on to the peer. Returns `false` if the connection is lost.
    pub(super) fn shut_down(&mut self) -> bool {
        self.got_end |= !self.is_reset;
        !self.is_reset
    }

    /// Returns `true` if a read would find bytes, the end or an error.
    pub(super) fn is_readable(&self) -> bool {
        self.unread > 0 || self.has_ended || self.is_reset
    }

    /// Returns `true` if a write would succeed.
    pub(super) fn is_writable(&self) -> bool {
        self.untaken < ROOM / 2 || self.is_reset
    }
}
