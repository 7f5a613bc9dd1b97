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
    /// Number of small reads on this worker so far. It wraps around.
    pub(super) small_reads: &'a mut u32,
    /// Log lines, which are written at the end of the turn.
    pub(super) lines: &'a mut Vec<u8>,
    /// Time at which the worker reports log lines that were suppressed.
    pub(super) report_at: &'a mut Option<Instant>,
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
        if count < LARGE {
            *self.small_reads = self.small_reads.wrapping_add(1);
        }
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
