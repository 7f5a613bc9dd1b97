//! A proxy for tests: performs the actions of a flow on a simulated network, and checks them.

use std::time::{Duration, Instant};

use fastrand::Rng;

use super::action::Action;
use super::direction::ReadResult;
use super::machine::Flow;
use super::network_in_tests::{BUFFER, Socket};
use super::side::Side;
use crate::forward::dial_failure::DialFailure;
use crate::forward::outcome::Outcome;
use crate::plan::RejectReason;

/// Maximum duration of a handshake.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum number of attempts to connect.
const ATTEMPTS: usize = 3;

/// Maximum number of actions without an event.
const MAX_ACTIONS: usize = 10_000;

/// A proxy with one connection.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) flow: Flow,
    pub(super) now: Instant,
    pub(super) client: Socket,
    pub(super) backend: Socket,
    /// Pending bytes, from the client and from the backend.
    pending: [usize; 2],
    /// The pending bytes are in a pipe.
    is_in_pipe: [bool; 2],
    handshake: Handshake,
    attempts: usize,
    last_failure: Option<DialFailure>,
    pub(super) is_connected: bool,
    pub(super) outcome: Option<Outcome>,
    has_yielded: bool,
    /// Number of the worker's turn.
    turn: u32,
}

/// State of the handshake with an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handshake {
    None,
    Accepts,
    Refuses,
    Silent,
}

impl Proxy {
    pub(super) fn new() -> Self {
        Self {
            flow: Flow::new(),
            now: Instant::now(),
            client: Socket::connected(),
            backend: Socket::default(),
            pending: [0; 2],
            is_in_pipe: [false; 2],
            handshake: Handshake::None,
            attempts: 0,
            last_failure: None,
            is_connected: false,
            outcome: None,
            has_yielded: false,
            turn: 1,
        }
    }

    fn socket(&mut self, side: Side) -> &mut Socket {
        match side {
            Side::Downstream => &mut self.client,
            Side::Upstream => &mut self.backend,
        }
    }

    /// Performs actions until the flow waits or the connection has ended.
    pub(super) fn run(&mut self, random: &mut Rng) {
        self.flow.start_turn(self.turn);
        self.has_yielded = false;
        for _ in 0..MAX_ACTIONS {
            if self.outcome.is_some() {
                return;
            }
            match self.flow.next(self.now) {
                Action::Wait => return,
                Action::Yield => {
                    self.has_yielded = true;
                    return;
                }
                action => self.perform(action, random),
            }
        }
        panic!("the actions do not end: {self:#?}");
    }

    fn perform(&mut self, action: Action, random: &mut Rng) {
        match action {
            Action::ReadFirstBytes => {
                let result = self.read_pending(Side::Downstream);
                self.flow.first_bytes_read(result);
            }
            Action::Pick if random.u8(..50) == 0 => {
                self.flow.refuse(Outcome::Rejected(RejectReason::NoWeight));
            }
            Action::Pick => self.flow.picked(),
            Action::Dial if self.attempts == ATTEMPTS => {
                let failure = self.last_failure.expect("an attempt was made");
                self.flow.refuse(Outcome::DialFailed(failure));
            }
            Action::Dial => {
                self.attempts += 1;
                self.connect(random);
            }
            Action::Redial => self.connect(random),
            Action::GiveUp => {
                self.backend.has_edge = false;
                self.fail(DialFailure::TimedOut);
            }
            Action::Read { from, is_bulk } => {
                assert!(self.is_connected);
                let has_pipe = is_bulk && random.bool();
                if is_bulk && !has_pipe {
                    self.flow.note_no_bulk(from);
                }
                let moved = if has_pipe { self.move_into_pipe(from, random) } else { None };
                let result = moved.unwrap_or_else(|| self.read_pending(from));
                self.flow.read(from, result);
            }
            Action::Write(to) => self.write(to, random),
            Action::Shutdown(to) => {
                assert_eq!(self.pending[to.other() as usize], 0, "the end overtakes bytes");
                if self.socket(to).shut_down() {
                    self.flow.end_passed(to);
                } else {
                    self.flow.write_failed(to);
                }
            }
            Action::End(outcome) => self.outcome = Some(outcome),
            Action::Yield | Action::Wait => unreachable!("handled by the caller"),
        }
    }

    fn connect(&mut self, random: &mut Rng) {
        match random.u8(..20) {
            0 => self.fail(DialFailure::NoDescriptor),
            1 => self.fail(DialFailure::Unreachable),
            number => {
                self.handshake = match number {
                    2 => Handshake::Silent,
                    3 => Handshake::Refuses,
                    _ => Handshake::Accepts,
                };
                self.backend.has_edge = self.handshake != Handshake::Silent;
                self.flow.dial_started(TIMEOUT, self.now);
            }
        }
    }

    fn fail(&mut self, failure: DialFailure) {
        self.handshake = Handshake::None;
        self.last_failure = Some(failure);
        self.flow.dial_failed(failure, self.now);
    }

    fn read_pending(&mut self, from: Side) -> ReadResult {
        assert_eq!(self.pending[from as usize], 0, "a read would overwrite bytes");
        let result = self.socket(from).read(BUFFER);
        if let ReadResult::Bytes { count, .. } = result {
            (self.pending[from as usize], self.is_in_pipe[from as usize]) = (count, false);
        }
        result
    }

    /// Moves bulk data, often less than is available. Returns `None` if none is available.
    fn move_into_pipe(&mut self, from: Side, random: &mut Rng) -> Option<ReadResult> {
        assert_eq!(self.pending[from as usize], 0, "a move would overwrite bytes");
        let count = self.socket(from).move_bytes(random.usize(1..=4 * BUFFER));
        (self.pending[from as usize], self.is_in_pipe[from as usize]) = (count, true);
        (count > 0).then_some(ReadResult::Bytes { count, is_short: false })
    }

    /// Writes the pending bytes. A move out of a pipe may stop early although there is room.
    fn write(&mut self, to: Side, random: &mut Rng) {
        let from = to.other() as usize;
        let (count, is_in_pipe) = (self.pending[from], self.is_in_pipe[from]);
        assert!(self.is_connected && count > 0);
        let offered = if is_in_pipe { random.usize(1..=count) } else { count };
        match self.socket(to).write(offered) {
            Some(written) => {
                self.pending[from] -= written;
                if written == count || written == 0 || !is_in_pipe {
                    self.flow.written(to, written == count);
                }
            }
            None => {
                self.pending[from] = 0;
                self.flow.write_failed(to);
            }
        }
    }

    /// Delivers the event of a side, if one is due.
    pub(super) fn deliver(&mut self, side: Side, random: &mut Rng) {
        if self.outcome.is_some() {
            return;
        }
        let Some(event) = self.socket(side).event() else { return };
        if side == Side::Upstream && self.flow.is_connecting() {
            match self.handshake {
                Handshake::Accepts => {
                    self.is_connected = true;
                    self.flow.connected();
                }
                Handshake::Refuses => {
                    self.fail(DialFailure::Refused);
                    return self.run(random);
                }
                Handshake::Silent | Handshake::None => {}
            }
        }
        self.flow.ready(side, event);
        self.run(random);
    }

    /// Loses the event of a side, and continues as a worker does after a panic.
    pub(super) fn lose_event(&mut self, side: Side, random: &mut Rng) {
        if side == Side::Downstream || self.is_connected {
            self.socket(side).lose_event();
        }
        self.run(random);
    }

    /// Returns `true` if the flow continues in the next turn.
    pub(super) fn is_yielding(&self) -> bool {
        self.has_yielded && self.outcome.is_none()
    }

    /// Continues after a yield.
    pub(super) fn resume(&mut self, random: &mut Rng) {
        if self.is_yielding() {
            self.turn += 1;
            self.run(random);
        }
    }

    /// Lets time pass.
    pub(super) fn pass_time(&mut self, time: Duration, random: &mut Rng) {
        self.now += time;
        if self.outcome.is_none() && !self.is_connected {
            self.run(random);
        }
    }

    /// Asserts that no action is possible while no event is due. Otherwise the flow waits for an
    /// event that never comes.
    pub(super) fn assert_not_stuck(&mut self) {
        if self.outcome.is_some() || !self.is_connected || self.has_yielded {
            return;
        }
        for from in Side::BOTH {
            let has_bytes = self.pending[from as usize] > 0;
            let is_ended = self.socket(from.other()).got_end;
            let (source, sink) = (self.socket(from).is_readable(), from.other());
            let sink_ready = self.socket(sink).is_writable();
            let is_lost = self.client.is_reset || self.backend.is_reset;
            if has_bytes {
                assert!(!sink_ready, "bytes from {from:?} are not written: {self:#?}");
            } else {
                assert!(!source || is_ended || is_lost, "{from:?} is not read: {self:#?}");
            }
        }
    }
}
