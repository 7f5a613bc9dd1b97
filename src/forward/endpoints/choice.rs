//! The attempts of one connection.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::marks::{Marks, State};
use super::rotation::Rotation;
use crate::plan::Endpoint;

/// Maximum number of attempts at marked endpoints. All others are known to fail, so more of them
/// would only multiply the load of a backend that is down.
const MAX_MARKED_ATTEMPTS: usize = 8;

/// Number of endpoints to look at for one attempt, before all of them. The marks are locked during
/// this time, so it must be short also for a backend with thousands of endpoints.
const SAMPLE: usize = 64;

/// The choice of endpoints for one connection.
#[derive(Debug)]
pub(in crate::forward) struct Choice {
    limits: Limits,
    started: Instant,
    /// Index of the endpoint of the first attempt.
    first: Option<usize>,
    /// The endpoints that were tried, by index. Empty until the second attempt, which most
    /// connections do not need.
    tried: Vec<bool>,
    attempts: usize,
    marked_attempts: usize,
}

/// Time limits of the attempts.
#[derive(Debug, Clone, Copy)]
pub(in crate::forward) struct Limits {
    /// Maximum duration of an attempt while another endpoint is left to try.
    pub(in crate::forward) attempt: Duration,
    /// Maximum duration of all attempts.
    pub(in crate::forward) budget: Duration,
}

/// An attempt to connect to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::forward) struct Attempt {
    pub(in crate::forward) endpoint: SocketAddr,
    /// Maximum duration.
    pub(in crate::forward) timeout: Duration,
    /// State of the endpoint before the attempt.
    pub(in crate::forward) state: State,
}

/// Untried endpoints by state.
#[derive(Default)]
struct Candidates {
    unmarked: Vec<usize>,
    due: Vec<usize>,
    marked: Vec<usize>,
}

impl Candidates {
    fn is_empty(&self) -> bool {
        self.unmarked.is_empty() && self.due.is_empty() && self.marked.is_empty()
    }
}

/// The endpoints of a backend, and whose turn it is.
#[derive(Debug, Clone, Copy)]
pub(in crate::forward) struct Turns<'a> {
    /// At least one, the same for all attempts of a connection.
    pub(in crate::forward) endpoints: &'a [Endpoint],
    pub(in crate::forward) rotation: &'a Rotation,
}

impl Choice {
    /// Begins the choice for a connection.
    pub(in crate::forward) fn new(limits: Limits, started: Instant) -> Self {
        Self { limits, started, first: None, tried: Vec::new(), attempts: 0, marked_attempts: 0 }
    }

    /// Returns the next attempt; `None` if no candidate or no time is left. There is always a first
    /// attempt.
    pub(in crate::forward) fn next(
        &mut self,
        turns: Turns<'_>,
        marks: &mut Marks,
        now: Instant,
    ) -> Option<Attempt> {
        let time_left = self.limits.budget.saturating_sub(now.duration_since(self.started));
        let index = match self.first {
            None => self.pick_first(turns, marks, now),
            Some(_) if time_left.is_zero() || self.marked_attempts == MAX_MARKED_ATTEMPTS => {
                return None;
            }
            Some(first) => {
                if self.tried.is_empty() {
                    self.tried = vec![false; turns.endpoints.len()];
                    self.tried[first] = true;
                }
                let index = self.pick_other(turns, marks, now)?;
                self.tried[index] = true;
                index
            }
        };
        self.first.get_or_insert(index);
        self.attempts += 1;
        let endpoint = turns.endpoints[index].address;
        let state = marks.state(endpoint, now);
        self.marked_attempts += usize::from(state == State::Marked);
        let is_last =
            self.attempts == turns.endpoints.len() || self.marked_attempts == MAX_MARKED_ATTEMPTS;
        let timeout = if is_last { time_left } else { time_left.min(self.limits.attempt) };
        if let (State::Due, Some(end)) = (state, now.checked_add(timeout)) {
            marks.start_check(endpoint, end);
        }
        Some(Attempt { endpoint, timeout, state })
    }

    /// Returns the endpoint whose turn it is, or another one if it is marked.
    fn pick_first(&self, turns: Turns<'_>, marks: &Marks, now: Instant) -> usize {
        let turn = turns.rotation.advance(turns.endpoints.len());
        match marks.state(turns.endpoints[turn].address, now) {
            State::Marked => self.pick_other(turns, marks, now).unwrap_or(turn),
            State::Unmarked | State::Due => turn,
        }
    }

    /// Returns an untried endpoint: an unmarked one if there is one, or else one that is due, or
    /// else a marked one. A connection that has found a failed endpoint checks no other one while
    /// there is a better candidate.
    fn pick_other(&self, turns: Turns<'_>, marks: &Marks, now: Instant) -> Option<usize> {
        let count = turns.endpoints.len();
        let mut candidates = Candidates::default();
        if count > SAMPLE {
            let mut random = turns.rotation.random();
            for _ in 0..SAMPLE {
                self.add_candidate(&mut candidates, turns, random.usize(..count), marks, now);
            }
        }
        // The sample does not prove that no endpoint is unmarked. One pass over all does, and the
        // attempts that follow it need no other.
        if candidates.unmarked.is_empty() && (self.marked_attempts == 0 || candidates.is_empty()) {
            candidates = Candidates::default();
            (0..count)
                .for_each(|index| self.add_candidate(&mut candidates, turns, index, marks, now));
        }
        let Candidates { unmarked, due, marked } = candidates;
        let group = [unmarked, due, marked].into_iter().find(|group| !group.is_empty())?;
        Some(group[turns.rotation.advance_other(group.len())])
    }

    fn add_candidate(
        &self,
        candidates: &mut Candidates,
        turns: Turns<'_>,
        index: usize,
        marks: &Marks,
        now: Instant,
    ) {
        if self.tried.get(index) == Some(&true) {
            return;
        }
        match marks.state(turns.endpoints[index].address, now) {
            State::Unmarked => candidates.unmarked.push(index),
            State::Due => candidates.due.push(index),
            State::Marked => candidates.marked.push(index),
        }
    }
}
