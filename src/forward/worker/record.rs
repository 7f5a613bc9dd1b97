//! The record of a connection, for counters and the log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use mio::net::TcpStream;

use super::context::Context;
use crate::forward::backend::Backend;
use crate::forward::connection_log::{ConnectionEnd, ConnectionOpened, Event, append_line};
use crate::forward::flow::Side;
use crate::forward::listener::ListenerState;
use crate::forward::outcome::Outcome;
use crate::forward::route::Pick;
use crate::plan::RejectReason;

/// The record of a connection.
pub(super) struct Record {
    /// The listener at the time of the accept.
    pub(super) listener: Arc<ListenerState>,
    peer: SocketAddr,
    started: Instant,
    /// Index of the share in the plan of the route.
    share: Option<usize>,
    pub(super) endpoint: Option<SocketAddr>,
    /// Number of attempts to connect to an endpoint.
    pub(super) attempts: u32,
    /// Duration of all attempts in microseconds; `None` until the last one ends.
    pub(super) dial_us: Option<u32>,
    bytes_up: u64,
    bytes_down: u64,
}

impl Record {
    pub(super) fn new(peer: SocketAddr, listener: Arc<ListenerState>) -> Self {
        Self {
            listener,
            peer: canonical(peer),
            started: Instant::now(),
            share: None,
            endpoint: None,
            attempts: 0,
            dial_us: None,
            bytes_up: 0,
            bytes_down: 0,
        }
    }

    /// Picks the share of the route.
    ///
    /// # Errors
    /// The reason to reject the connection.
    pub(super) fn pick(&mut self) -> Result<(), RejectReason> {
        let route = self.listener.route.as_deref().ok_or(RejectReason::NoRoute)?;
        let Pick { share, target } = route.pick();
        self.share = share;
        target
    }

    /// Returns the backend that was picked.
    pub(super) fn backend(&self) -> Option<&Backend> {
        self.listener.route.as_deref()?.backend(self.share?)
    }

    /// Returns the address that the client connected to.
    pub(super) fn local(&self, downstream: &TcpStream) -> Option<SocketAddr> {
        self.listener.socket.local().or_else(|| downstream.local_addr().ok()).map(canonical)
    }

    pub(super) fn is_logged(&self, outcome: Outcome, cx: &mut Context<'_>) -> bool {
        self.admits(Event::Ended(outcome), cx)
    }

    fn admits(&self, event: Event, cx: &mut Context<'_>) -> bool {
        cx.engine.connection_log.admits(cx.worker, &self.listener.id, event, cx.report_at)
    }

    pub(super) fn log_opened(&self, cx: &mut Context<'_>) {
        if let Some(endpoint) = self.endpoint
            && self.admits(Event::Opened, cx)
        {
            let (listener, share, downstream) = (&*self.listener, self.share, self.peer);
            ConnectionOpened { listener, share, endpoint, downstream }.log();
        }
    }

    /// Counts bytes that were written to a side.
    pub(super) fn count_bytes(&mut self, to: Side, count: usize, cx: &Context<'_>) {
        match to {
            Side::Upstream => self.bytes_up += count as u64,
            Side::Downstream => self.bytes_down += count as u64,
        }
        self.listener.counters.of(cx.worker).record_bytes(to, count);
    }

    /// Counts the end of the connection.
    pub(super) fn count_end(&self, outcome: Outcome, cx: &Context<'_>) {
        let counters = self.listener.counters.of(cx.worker);
        if let Some(dial_us) = self.dial_us {
            counters.record_dial(self.attempts, dial_us);
        }
        counters.record_end(outcome);
    }

    pub(super) fn log_end(
        &self,
        outcome: Outcome,
        local: Option<SocketAddr>,
        cx: &mut Context<'_>,
    ) {
        let end = ConnectionEnd {
            listener: &self.listener,
            share: self.share,
            endpoint: self.endpoint,
            downstream: self.peer,
            local,
            attempts: self.attempts,
            dial_us: self.dial_us,
            bytes_up: self.bytes_up,
            bytes_down: self.bytes_down,
            duration: self.started.elapsed(),
            outcome,
        };
        match &cx.engine.settings.connection_lines {
            Some(lines) => append_line(cx.lines, lines.format(), &end, Timestamp::now()),
            None => end.log(),
        }
    }
}

/// Returns an IPv4-mapped IPv6 address, which a dual-stack socket reports, as an IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
