//! A connection on its worker: sockets and bytes, driven by its flow.

use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use socket2::SockRef;

use super::accepted::Accepted;
use super::context::Context;
use super::dialling::{Dialling, is_reset};
use super::progress::Progress;
use super::record::Record;
use super::token::{Key, Socket};
use super::transfer::{Room, Transfer, Written};
use crate::forward::budget::Permit;
use crate::forward::dial_failure::DialFailure;
use crate::forward::flow::{Action, Flow, Readiness, Side};
use crate::forward::listener::ListenerState;
use crate::forward::outcome::Outcome;

/// Panic messages for an action that the current step does not allow.
const NO_DIAL: &str = "BUG: no dial is in progress";
const NO_BACKEND: &str = "BUG: no socket to a backend";

/// A connection.
pub(super) struct Connection {
    flow: Flow,
    key: Key,
    downstream: TcpStream,
    upstream: Option<TcpStream>,
    /// `None` once the connection is established.
    dialling: Option<Dialling>,
    transfer: Transfer,
    record: Record,
    /// The connection is in the list of dials that the worker checks.
    pub(super) is_listed: bool,
    /// The connection used up its budget, and continues after the events of the next turn.
    pub(super) has_yielded: bool,
    #[expect(dead_code, reason = "returned to the budget when the connection is dropped")]
    permit: Permit,
}

impl Connection {
    /// Creates a connection that was accepted, and registers its socket. It has not run yet.
    pub(super) fn new(key: Key, accepted: Accepted, cx: &Context<'_>) -> Self {
        let Accepted { mut stream, peer, listener, reservation, permit } = accepted;
        let mut flow = Flow::new();
        // This host lacks a resource, so no endpoint is dialled.
        if let Err(error) = cx.register(&mut stream, key.token(Socket::Downstream)) {
            flow.refuse(Outcome::DialFailed(DialFailure::of(&error)));
        }
        Self {
            flow,
            key,
            downstream: stream,
            upstream: None,
            // Created before the dial, whose time is a part of that of the connection.
            record: Record::new(peer, listener),
            dialling: Some(Dialling::new(reservation, cx)),
            transfer: Transfer::default(),
            is_listed: false,
            has_yielded: false,
            permit,
        }
    }

    pub(super) fn listener(&self) -> &Arc<ListenerState> {
        &self.record.listener
    }

    pub(super) fn is_dialling(&self) -> bool {
        self.dialling.is_some()
    }

    /// Handles an event, and runs the connection.
    pub(super) fn ready(
        &mut self,
        socket: Socket,
        event: Readiness,
        cx: &mut Context<'_>,
    ) -> Progress {
        match socket {
            Socket::Downstream => self.flow.ready(Side::Downstream, event),
            Socket::Upstream { .. } => {
                let is_current = socket == Socket::of_attempt(self.record.attempts);
                let is_connected = !self.flow.is_connecting();
                if is_current && (is_connected || self.finish_handshake(event, cx)) {
                    self.flow.ready(Side::Upstream, event);
                }
            }
        }
        // A connection that has yielded continues after the events of others.
        if self.has_yielded { Progress::Yielded } else { self.run(cx) }
    }

    /// Continues after events may have been lost: the event queue reports the state of both sockets
    /// again. Only an event shows that a side has ended or is lost, or that a handshake is over.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>) -> Progress {
        (self.is_listed, self.has_yielded) = (false, false);
        cx.report_again(&mut self.downstream, self.key.token(Socket::Downstream));
        if let Some(stream) = &mut self.upstream {
            cx.report_again(stream, self.key.token(Socket::of_attempt(self.record.attempts)));
        }
        self.run(cx)
    }

    /// Performs actions until the connection waits, yields or ends.
    pub(super) fn run(&mut self, cx: &mut Context<'_>) -> Progress {
        self.flow.start_turn(cx.turn);
        loop {
            match self.flow.next(cx.now) {
                Action::ReadFirstBytes => {
                    let result = self.transfer.read_first(&self.downstream);
                    self.flow.first_bytes_read(result);
                }
                Action::Pick => self.pick(cx),
                Action::Dial => self.dial(cx),
                Action::Redial => self.connect(cx),
                Action::GiveUp => self.give_up(cx),
                Action::Read { from, is_bulk } => self.read(from, is_bulk, cx),
                Action::Write(to) => self.write(to, cx),
                Action::Shutdown(to) => self.shut_down(to),
                Action::Yield => return Progress::Yielded,
                Action::Wait if self.dialling.is_some() => return Progress::Dialling,
                Action::Wait => return Progress::Waiting,
                Action::End(outcome) => return Progress::Ended(outcome),
            }
        }
    }

    fn pick(&mut self, cx: &Context<'_>) {
        if let Err(reason) = self.record.pick() {
            return self.flow.refuse(Outcome::Rejected(reason));
        }
        let dialling = self.dialling.as_mut().expect(NO_DIAL);
        match dialling.begin(&self.record, cx) {
            Ok(()) => self.flow.picked(),
            Err(outcome) => self.flow.refuse(outcome),
        }
    }

    /// Connects to the next endpoint.
    fn dial(&mut self, cx: &Context<'_>) {
        let dialling = self.dialling.as_mut().expect(NO_DIAL);
        let chosen = dialling.choose(&self.record, cx);
        self.record.endpoint = dialling.endpoint().or(self.record.endpoint);
        match chosen {
            Ok(()) => {
                self.record.attempts += 1;
                self.connect(cx);
            }
            Err(outcome) => self.flow.refuse(outcome),
        }
    }

    /// Connects to the chosen endpoint.
    fn connect(&mut self, cx: &Context<'_>) {
        let dialling = self.dialling.as_mut().expect(NO_DIAL);
        let socket = Socket::of_attempt(self.record.attempts);
        match dialling.connect(self.key.token(socket), cx) {
            Ok((stream, timeout)) => {
                self.upstream = Some(stream);
                self.flow.dial_started(timeout, Instant::now());
            }
            Err(error) => self.attempt_failed(&error, cx),
        }
    }

    /// Handles an event of the handshake with the endpoint. Returns `true` if the endpoint accepted
    /// the connection.
    fn finish_handshake(&mut self, event: Readiness, cx: &mut Context<'_>) -> bool {
        let stream = self.upstream.as_ref().expect(NO_BACKEND);
        // Without an error and without an end, writable means connected.
        let has_error = event.is_lost || event.has_ended;
        let error = if has_error { stream.take_error().unwrap_or_else(Some) } else { None };
        // A refused handshake has another error. With this one, the endpoint accepted the
        // connection and then reset it. The bytes that it sent before the reset are read.
        let is_reset = matches!(&error, Some(error) if is_reset(error));
        if let Some(error) = error.filter(|_| !is_reset) {
            self.attempt_failed(&error, cx);
            return false;
        }
        if !event.is_writable {
            return false;
        }
        let dialling = self.dialling.take().expect(NO_DIAL);
        self.record.dial_us = Some(dialling.elapsed_us());
        dialling.succeeded(&self.record);
        self.flow.connected();
        if is_reset {
            self.flow.write_failed(Side::Upstream);
        }
        self.record.log_opened(cx);
        true
    }

    /// Ends an attempt whose time is over, unless the endpoint has accepted the connection: if the
    /// worker was delayed, it checks the time before it sees the event.
    fn give_up(&mut self, cx: &mut Context<'_>) {
        let stream = self.upstream.as_ref().expect(NO_BACKEND);
        if stream.peer_addr().is_ok() {
            let event = Readiness { is_writable: true, ..Readiness::default() };
            if self.finish_handshake(event, cx) {
                return self.flow.ready(Side::Upstream, event);
            }
        }
        let error = self.dialling.as_ref().expect(NO_DIAL).no_answer();
        self.attempt_failed(&error, cx);
    }

    fn attempt_failed(&mut self, error: &io::Error, cx: &Context<'_>) {
        self.upstream = None;
        let failure = DialFailure::of(error);
        let is_repeated = self.flow.dial_failed(failure, cx.now);
        if !is_repeated {
            let dialling = self.dialling.as_mut().expect(NO_DIAL);
            dialling.failed(failure, error, &self.record);
        }
    }

    /// Reads bytes from one side. A write to the other side follows.
    fn read(&mut self, from: Side, is_bulk: bool, cx: &mut Context<'_>) {
        let source = stream(from, &self.downstream, &self.upstream);
        let moved = if is_bulk { self.transfer.read_bulk(from, source, cx) } else { None };
        if is_bulk && moved.is_none() {
            self.flow.note_no_bulk(from);
        }
        let result = moved.unwrap_or_else(|| self.transfer.read(from, source, cx));
        self.flow.read(from, result);
    }

    /// Writes the bytes that were read from the other side.
    fn write(&mut self, to: Side, cx: &Context<'_>) {
        let sink = stream(to, &self.downstream, &self.upstream);
        match self.transfer.write(to, sink) {
            Ok(Written { count, room }) => {
                self.record.count_bytes(to, count, cx);
                match room {
                    Room::All => self.flow.written(to, true),
                    Room::None => self.flow.written(to, false),
                    Room::Unknown => {}
                }
            }
            Err(_) => self.flow.write_failed(to),
        }
    }

    /// Passes the end of one side on to the other.
    fn shut_down(&mut self, to: Side) {
        let sink = stream(to, &self.downstream, &self.upstream);
        match sink.shutdown(Shutdown::Write) {
            Ok(()) => self.flow.end_passed(to),
            Err(_) => self.flow.write_failed(to),
        }
    }

    /// Closes both sides, with FIN if the connection completed and otherwise with RST, and counts
    /// and logs the connection.
    pub(super) fn end(mut self, outcome: Outcome, cx: &mut Context<'_>) {
        let dialling = self.dialling.take();
        if let Some(dialling) = dialling.as_ref().filter(|_| self.record.attempts > 0) {
            self.record.dial_us = Some(dialling.elapsed_us());
        }
        // Counting and the reset come before the first call of the log, which may panic.
        self.record.count_end(outcome, cx);
        if outcome != Outcome::Completed {
            for stream in [Some(&self.downstream), self.upstream.as_ref()].into_iter().flatten() {
                // The call fails only if the connection is already closed.
                let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
            }
        }
        if let Some(dialling) = dialling {
            dialling.abandoned(&self.record, cx);
        }
        let is_logged = self.record.is_logged(outcome, cx);
        // The kernel returns the address only while the socket is open. Only the log uses it.
        let local = is_logged.then(|| self.record.local(&self.downstream)).flatten();
        // The sockets are closed before the log line is written, so that no peer waits for the log.
        let Self { downstream, upstream, transfer, record, .. } = self;
        drop((downstream, upstream, transfer));
        if is_logged {
            record.log_end(outcome, local, cx);
        }
    }
}

/// Returns the socket of a side.
fn stream<'a>(
    side: Side,
    downstream: &'a TcpStream,
    upstream: &'a Option<TcpStream>,
) -> &'a TcpStream {
    match side {
        Side::Downstream => downstream,
        Side::Upstream => upstream.as_ref().expect(NO_BACKEND),
    }
}
