//! The state of a worker that a running connection uses.

use std::io;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::forward::engine::Engine;
use crate::forward::flow::LARGE;

/// The state of a worker that a running connection uses.
pub(super) struct Context<'a> {
    /// Number of the worker.
    pub(super) worker: usize,
    pub(super) engine: &'a Engine,
    pub(super) registry: &'a Registry,
    /// Number of the turn.
    pub(super) turn: u32,
    /// The time of the turn.
    pub(super) now: Instant,
    pub(super) small_reads: &'a mut SmallReads,
    /// Log lines, which are written at the end of the turn.
    pub(super) lines: &'a mut Vec<u8>,
    /// Time at which the worker reports log lines that were suppressed.
    pub(super) report_at: &'a mut Option<Instant>,
}

/// Small reads of a worker, in this turn and in the last one.
#[derive(Debug, Default)]
pub(super) struct SmallReads {
    in_turn: bool,
    in_last_turn: bool,
}

impl SmallReads {
    /// Begins a turn.
    pub(super) fn start_turn(&mut self) {
        *self = Self { in_turn: false, in_last_turn: self.in_turn };
    }

    /// Returns `true` if connections of the worker exchange small messages.
    pub(super) fn are_recent(&self) -> bool {
        self.in_turn || self.in_last_turn
    }
}

impl Context<'_> {
    /// Registers a socket with the event queue, edge-triggered.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(super) fn register(&self, stream: &mut TcpStream, token: Token) -> io::Result<()> {
        self.registry.register(stream, token, interest())
    }

    /// Lets the event queue report the state of a registered socket again.
    pub(super) fn report_again(&self, stream: &mut TcpStream, token: Token) {
        // The call fails only if the socket is not registered, so the connection has ended.
        let _ = self.registry.reregister(stream, token, interest());
    }

    /// Counts a read of `count` bytes if it is small.
    pub(super) fn note_read(&mut self, count: usize) {
        self.small_reads.in_turn |= count < LARGE;
    }
}

/// Returns the events that a connection needs.
fn interest() -> Interest {
    let interest = Interest::READABLE | Interest::WRITABLE;
    // Only Linux reports urgent data.
    #[cfg(target_os = "linux")]
    let interest = interest | Interest::PRIORITY;
    interest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_read_is_recent_until_the_end_of_the_next_turn() {
        let mut small_reads = SmallReads::default();
        assert!(!small_reads.are_recent());
        small_reads.in_turn = true;
        assert!(small_reads.are_recent());
        small_reads.start_turn();
        assert!(small_reads.are_recent());
        small_reads.start_turn();
        assert!(!small_reads.are_recent());
    }
}
