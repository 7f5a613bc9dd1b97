//! The steps of a connection.

use std::time::{Duration, Instant};

use super::action::Action;
use super::dial::{AfterFailure, Dial};
use super::direction::ReadResult;
use super::relay::{Relay, Sides};
use super::side::{Readiness, Side};
use crate::forward::dial_failure::DialFailure;
use crate::forward::outcome::Outcome;

/// A connection, from its first bytes to its outcome.
#[derive(Debug)]
pub(in crate::forward) struct Flow {
    step: Step,
    sides: Sides,
    relay: Relay,
}

/// Step of a connection.
#[derive(Debug)]
enum Step {
    FirstBytes,
    Pick,
    Dial(Dial),
    Relay,
    End(Outcome),
}

impl Flow {
    /// Begins a connection that was accepted. Bytes of the client may already be there.
    pub(in crate::forward) fn new() -> Self {
        Self { step: Step::FirstBytes, sides: Sides::default(), relay: Relay::default() }
    }

    /// Returns the next action.
    pub(in crate::forward) fn next(&mut self, now: Instant) -> Action {
        match &mut self.step {
            Step::FirstBytes => Action::ReadFirstBytes,
            Step::Pick => Action::Pick,
            // A lost client needs no endpoint. An EOF alone does not end the dial: the client may
            // wait for an answer.
            Step::Dial(_) if self.sides.is_lost(Side::Downstream) => {
                self.end(Outcome::DownstreamReset)
            }
            Step::Dial(dial) => dial.next(now),
            Step::Relay => match self.relay.next(&mut self.sides) {
                Action::End(outcome) => self.end(outcome),
                action => action,
            },
            Step::End(outcome) => Action::End(*outcome),
        }
    }

    /// Notes the number of the worker's turn. In each turn, each direction has a budget of bytes.
    pub(in crate::forward) fn start_turn(&mut self, turn: u32) {
        self.relay.start_turn(turn);
    }

    /// Takes an event of a socket. An event of the upstream side during the handshake means that
    /// the handshake has ended, which the caller reports first, with
    /// [`connected`](Self::connected) or [`dial_failed`](Self::dial_failed). An event of an attempt
    /// that failed must not be reported: the next attempt has another socket.
    pub(in crate::forward) fn ready(&mut self, side: Side, event: Readiness) {
        self.sides.of(side).add(event);
    }

    /// Takes the bytes that the client has already sent.
    pub(in crate::forward) fn first_bytes_read(&mut self, result: ReadResult) {
        self.step = Step::Pick;
        self.read(Side::Downstream, result);
    }

    /// Notes that the backend is picked, and has at least one endpoint.
    pub(in crate::forward) fn picked(&mut self) {
        self.step = Step::Dial(Dial::new());
    }

    /// Notes that the handshake with an endpoint has begun. `timeout` is its maximum duration.
    pub(in crate::forward) fn dial_started(&mut self, timeout: Duration, now: Instant) {
        if let Step::Dial(dial) = &mut self.step {
            dial.started(timeout, now);
        }
    }

    /// Returns `true` if the handshake with an endpoint is in progress.
    pub(in crate::forward) fn is_connecting(&self) -> bool {
        matches!(&self.step, Step::Dial(dial) if dial.is_connecting())
    }

    /// Notes that the attempt to connect failed. Returns `true` if the same attempt is made again
    /// later.
    pub(in crate::forward) fn dial_failed(&mut self, failure: DialFailure, now: Instant) -> bool {
        *self.sides.of(Side::Upstream) = Readiness::default();
        let Step::Dial(dial) = &mut self.step else { return false };
        match dial.failed(failure, now) {
            AfterFailure::Repeat => return true,
            AfterFailure::ChooseNext => {}
            AfterFailure::End => {
                self.end(Outcome::DialFailed(failure));
            }
        }
        false
    }

    /// Ends the connection with this outcome, because no endpoint is dialled.
    pub(in crate::forward) fn refuse(&mut self, outcome: Outcome) {
        self.end(outcome);
    }

    /// Notes that the endpoint has accepted the connection.
    pub(in crate::forward) fn connected(&mut self) {
        self.step = Step::Relay;
        self.sides.of(Side::Upstream).is_writable = true;
    }

    /// Takes the result of a read.
    pub(in crate::forward) fn read(&mut self, from: Side, result: ReadResult) {
        if let Some(outcome) = self.relay.read(from, result, &mut self.sides) {
            self.end(outcome);
        }
    }

    /// Notes that bulk data cannot be moved now, so the caller reads it.
    pub(in crate::forward) fn note_no_bulk(&mut self, from: Side) {
        self.relay.note_no_bulk(from);
    }

    /// Takes the result of a write. If the side did not take all bytes, its send buffer is full.
    pub(in crate::forward) fn written(&mut self, to: Side, has_written_all: bool) {
        self.relay.written(to, has_written_all, &mut self.sides);
    }

    /// Notes that a side takes no more.
    pub(in crate::forward) fn write_failed(&mut self, to: Side) {
        if let Some(outcome) = self.relay.sink_lost(to) {
            self.end(outcome);
        }
    }

    /// Notes that the end was passed on.
    pub(in crate::forward) fn end_passed(&mut self, to: Side) {
        self.relay.end_passed(to);
    }

    fn end(&mut self, outcome: Outcome) -> Action {
        self.step = Step::End(outcome);
        Action::End(outcome)
    }
}
