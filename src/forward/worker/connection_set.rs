//! The connections of a worker: runs them on events, in turns and at deadlines.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::Instant;

use mio::Registry;

use super::accepted::Accepted;
use super::connection::Connection;
use super::connections::Connections;
use super::context::{Context, SmallReads};
use super::deadlines::{Dials, Drains};
use super::mailbox::Mailbox;
use super::progress::Progress;
use super::token::{Key, Socket};
use crate::forward::engine::Engine;
use crate::forward::flow::Readiness;
use crate::forward::listener::{ListenerState, ListeningSocket};
use crate::forward::outcome::Outcome;

/// Number of bytes of log lines after which they are written within a turn.
const MAX_LINES: usize = 64 * 1024;

/// The connections of a worker.
pub(super) struct ConnectionSet {
    number: usize,
    engine: Arc<Engine>,
    /// All workers.
    mailboxes: Arc<[Mailbox]>,
    registry: Registry,
    connections: Connections,
    /// The connections that used up their budget in this turn. They continue in the next one.
    yielded: Vec<Key>,
    /// The connections that continue in this turn, after its events.
    resuming: Vec<Key>,
    dials: Dials,
    drains: Drains,
    small_reads: SmallReads,
    /// Log lines that are not written yet.
    lines: Vec<u8>,
    /// The listeners of the connections in these lines.
    logged: Vec<Arc<ListenerState>>,
    /// Time at which suppressed log lines are reported.
    report_at: Option<Instant>,
    /// Number of the turn. It wraps around.
    turn: u32,
    /// The time of the turn.
    now: Instant,
}

impl ConnectionSet {
    pub(super) fn new(
        number: usize,
        engine: Arc<Engine>,
        mailboxes: Arc<[Mailbox]>,
        registry: Registry,
    ) -> Self {
        Self {
            number,
            engine,
            mailboxes,
            registry,
            connections: Connections::default(),
            yielded: Vec::new(),
            resuming: Vec::new(),
            dials: Dials::default(),
            drains: Drains::default(),
            small_reads: SmallReads::default(),
            lines: Vec::new(),
            logged: Vec::new(),
            report_at: None,
            turn: 0,
            now: Instant::now(),
        }
    }

    /// Begins a turn.
    pub(super) fn start_turn(&mut self, now: Instant) {
        self.now = now;
        self.turn = self.turn.wrapping_add(1);
        self.small_reads.start_turn();
        mem::swap(&mut self.resuming, &mut self.yielded);
    }

    /// Returns the time at which a connection acts without an event.
    pub(super) fn next_time(&self) -> Option<Instant> {
        if !self.yielded.is_empty() {
            return Some(self.now);
        }
        [self.dials.due(), self.drains.next(), self.report_at].into_iter().flatten().min()
    }

    /// Passes an event to its connection.
    pub(super) fn ready(&mut self, key: Key, socket: Socket, event: Readiness) {
        self.advance(key, |connection, cx| connection.ready(socket, event, cx));
    }

    /// Continues the connections that used up their budget in the last turn.
    pub(super) fn resume(&mut self) {
        while let Some(key) = self.resuming.pop() {
            if let Some(connection) = self.connections.get_mut(key) {
                connection.has_yielded = false;
            }
            self.advance(key, Connection::run);
        }
    }

    /// Serves a connection that was accepted.
    pub(super) fn serve(&mut self, accepted: Accepted) {
        let is_over = self.drains.is_over(&accepted.listener);
        let key = self.add(accepted);
        if is_over { self.end(key, Outcome::Drained) } else { self.advance(key, Connection::run) }
    }

    /// Adds a connection that was accepted, which has not run yet.
    pub(super) fn add(&mut self, accepted: Accepted) -> Key {
        accepted.listener.counters.of(self.number).record_accepted();
        let (connections, cx) = self.parts();
        connections.insert(|key| Connection::new(key, accepted, &cx))
    }

    /// Runs a step of a connection, unless the connection has ended.
    fn advance(
        &mut self,
        key: Key,
        step: impl FnOnce(&mut Connection, &mut Context<'_>) -> Progress,
    ) {
        let (connections, mut cx) = self.parts();
        let Some(connection) = connections.get_mut(key) else { return };
        // A defect in one connection must not end the others. The panic handler reports it.
        let progress = catch_unwind(AssertUnwindSafe(|| step(connection, &mut cx)));
        match progress.unwrap_or(Progress::Ended(Outcome::Drained)) {
            Progress::Yielded if mem::replace(&mut connection.has_yielded, true) => {}
            Progress::Yielded => self.yielded.push(key),
            Progress::Dialling if mem::replace(&mut connection.is_listed, true) => {}
            Progress::Dialling => self.dials.add(key, self.now),
            Progress::Waiting => {}
            Progress::Ended(outcome) => self.end(key, outcome),
        }
    }

    fn end(&mut self, key: Key, outcome: Outcome) {
        let Some(connection) = self.connections.remove(key) else { return };
        self.mailboxes[self.number].remove_connection();
        if self.engine.settings.connection_lines.is_some() {
            // A drain ends when the last reference is dropped, so it waits for the log line.
            self.logged.push(connection.listener().clone());
        }
        let (_, mut cx) = self.parts();
        connection.end(outcome, &mut cx);
        if self.lines.len() >= MAX_LINES {
            self.write_lines();
        }
    }

    /// Sets the deadline for the connections of a closed listener; `None` removes it.
    pub(super) fn set_deadline(
        &mut self,
        socket: Weak<ListeningSocket>,
        deadline: Option<Instant>,
    ) {
        self.drains.set(socket, deadline);
    }

    /// Returns `true` if connections of a closed listener have to end.
    pub(super) fn is_drain_due(&self) -> bool {
        self.drains.next().is_some_and(|deadline| deadline <= self.now)
    }

    /// Handles the timeouts, deadlines and reports that are due.
    pub(super) fn act_at_deadlines(&mut self) {
        for key in self.dials.take_due(self.now) {
            let Some(connection) = self.connections.get_mut(key) else { continue };
            connection.is_listed = false;
            if connection.is_dialling() {
                self.advance(key, Connection::run);
            }
        }
        if self.drains.advance(self.now) {
            self.end_drained();
        }
        if self.report_at.is_some_and(|time| time <= self.now) {
            self.report_at = None;
            self.engine.connection_log.report_due();
        }
    }

    /// Ends the connections whose drain deadline has passed.
    fn end_drained(&mut self) {
        let drains = &self.drains;
        for key in self.connections.keys(|connection| drains.is_over(connection.listener())) {
            self.end(key, Outcome::Drained);
        }
    }

    /// Writes the log lines.
    pub(super) fn write_lines(&mut self) {
        if let Some(output) = &self.engine.settings.connection_lines
            && !self.lines.is_empty()
        {
            // If writing panics, these lines are lost, and the next ones are written.
            let mut lines = mem::take(&mut self.lines);
            output.write(&lines);
            lines.clear();
            self.lines = lines;
        }
        self.logged.clear();
    }

    /// Continues after a panic. The event queue reports the lost events again. The panic may also
    /// have interrupted the end of a drain, so that is repeated.
    pub(super) fn recover(&mut self) {
        self.end_drained();
        self.yielded.clear();
        self.resuming.clear();
        self.dials = Dials::default();
        for key in self.connections.keys(|_| true) {
            self.advance(key, Connection::recover);
        }
    }

    /// Ends all connections.
    pub(super) fn end_all(&mut self) {
        for key in self.connections.keys(|_| true) {
            // If the log panics at one connection, the others are still reset.
            let _ = catch_unwind(AssertUnwindSafe(|| self.end(key, Outcome::Drained)));
        }
        self.write_lines();
    }

    /// Returns the connections, and the context that they run in.
    fn parts(&mut self) -> (&mut Connections, Context<'_>) {
        let cx = Context {
            worker: self.number,
            engine: &self.engine,
            registry: &self.registry,
            turn: self.turn,
            now: self.now,
            small_reads: &mut self.small_reads,
            lines: &mut self.lines,
            report_at: &mut self.report_at,
        };
        (&mut self.connections, cx)
    }
}
