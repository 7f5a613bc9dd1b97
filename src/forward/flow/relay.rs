//! Carries bytes both ways until both sides have ended.
//!
//! The end of one direction is passed on as a half-close, and the other direction continues. If a
//! side is lost, both directions end. The bytes that a lost backend sent are written to the client
//! first. The bytes that a lost client sent are dropped if the backend does not take them at once.

use super::action::Action;
use super::direction::{Direction, Phase, ReadResult};
use super::side::{Readiness, Side};
use crate::forward::outcome::Outcome;

/// The two directions of a connection.
#[derive(Debug, Default)]
pub(super) struct Relay {
    /// From the client to the backend.
    up: Direction,
    /// From the backend to the client.
    down: Direction,
    /// A side that takes no more, while the bytes that it sent before are still carried.
    lost: Option<Side>,
    /// Number of the worker's turn.
    turn: u32,
}

/// Readiness of both sides.
#[derive(Debug, Default)]
pub(super) struct Sides {
    downstream: Readiness,
    upstream: Readiness,
}

impl Sides {
    pub(super) fn of(&mut self, side: Side) -> &mut Readiness {
        match side {
            Side::Downstream => &mut self.downstream,
            Side::Upstream => &mut self.upstream,
        }
    }

    pub(super) fn is_lost(&self, side: Side) -> bool {
        match side {
            Side::Downstream => self.downstream.is_lost,
            Side::Upstream => self.upstream.is_lost,
        }
    }
}

impl Relay {
    /// Returns the direction with this source.
    fn from(&mut self, source: Side) -> &mut Direction {
        match source {
            Side::Downstream => &mut self.up,
            Side::Upstream => &mut self.down,
        }
    }

    /// Returns the next action; `Wait` if there is none until an event.
    pub(super) fn next(&mut self, sides: &mut Sides) -> Action {
        if self.lost == Some(Side::Downstream) && self.up.has_bytes && !sides.upstream.is_writable {
            // The client is lost, and the backend does not take its last bytes.
            return Action::End(reset_by(Side::Downstream));
        }
        // A direction that has used up its budget does not delay the other one.
        let mut last = Action::Wait;
        for source in Side::BOTH {
            match self.next_of(source, sides) {
                Action::Wait => {}
                Action::Yield => last = Action::Yield,
                action => return action,
            }
        }
        last
    }

    fn next_of(&mut self, source: Side, sides: &mut Sides) -> Action {
        let is_source_lost = sides.is_lost(source);
        let lost = self.lost;
        let is_other_closed = self.from(source.other()).phase == Phase::Closed;
        let direction = self.from(source);
        let sink = source.other();
        if direction.has_bytes {
            return if sides.of(sink).is_writable {
                Action::Write(sink)
            } else if is_source_lost && source == Side::Downstream {
                // The flow does not read a client whose bytes are stalled, so only an event
                // reports its loss.
                // The bytes of a backend are written first.
                Action::End(reset_by(source))
            } else {
                Action::Wait
            };
        }
        match direction.phase {
            Phase::Open if !sides.of(source).is_readable => Action::Wait,
            Phase::Open if direction.is_over_budget() => Action::Yield,
            Phase::Open => Action::Read { from: source, is_bulk: direction.is_bulk() },
            // The last end is not passed on: closing the sockets does that.
            Phase::Ended if is_other_closed => {
                Action::End(lost.map_or(Outcome::Completed, reset_by))
            }
            Phase::Ended => Action::Shutdown(sink),
            // The flow no longer reads the source, so only an event reports its loss.
            Phase::Closed if is_source_lost => Action::End(reset_by(lost.unwrap_or(source))),
            Phase::Closed => Action::Wait,
        }
    }

    /// Takes the result of a read. Returns the outcome if the connection ends.
    pub(super) fn read(
        &mut self,
        source: Side,
        result: ReadResult,
        sides: &mut Sides,
    ) -> Option<Outcome> {
        let lost = self.lost;
        let readiness = sides.of(source);
        match result {
            ReadResult::Bytes { count, is_short } => {
                self.from(source).read(count, is_short, readiness);
            }
            ReadResult::End => self.from(source).phase = Phase::Ended,
            ReadResult::Empty => readiness.is_readable = false,
            ReadResult::Lost => return Some(reset_by(lost.unwrap_or(source))),
        }
        None
    }

    /// Notes that no bulk data can be moved from this side now.
    pub(super) fn note_no_bulk(&mut self, source: Side) {
        self.from(source).note_no_bulk();
    }

    /// Takes the result of a write. If the sink did not take all bytes, its send buffer is full.
    pub(super) fn written(&mut self, sink: Side, has_written_all: bool, sides: &mut Sides) {
        if has_written_all {
            self.from(sink.other()).has_bytes = false;
        } else {
            sides.of(sink).is_writable = false;
        }
    }

    /// Notes that a side takes no more. The bytes that it sent before are still carried, and then
    /// the other side is reset: an EOF would report a complete stream. Returns the outcome if the
    /// connection ends.
    pub(super) fn sink_lost(&mut self, sink: Side) -> Option<Outcome> {
        self.from(sink.other()).close();
        if self.from(sink).phase == Phase::Closed {
            return Some(reset_by(self.lost.unwrap_or(sink)));
        }
        self.lost = Some(sink);
        None
    }

    /// Notes that the end was passed on to this side.
    pub(super) fn end_passed(&mut self, sink: Side) {
        self.from(sink.other()).close();
    }

    /// Begins a turn of the worker, unless it is the current one. Several events of a connection in
    /// one turn share its budget.
    pub(super) fn start_turn(&mut self, turn: u32) {
        if std::mem::replace(&mut self.turn, turn) != turn {
            self.up.start_turn();
            self.down.start_turn();
        }
    }
}

/// Returns the outcome of a connection that lost a side.
fn reset_by(side: Side) -> Outcome {
    match side {
        Side::Downstream => Outcome::DownstreamReset,
        Side::Upstream => Outcome::UpstreamReset,
    }
}
