//! The attempts of one connection.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::marks::{Marks, State};
use super::rotation::Rotation;

/// The choice of endpoints for one connection.
#[derive(Debug)]
pub(in crate::forward) struct Choice<'a> {
    endpoints: &'a [SocketAddr],
    rotation: &'a Rotation,
    limits: Limits,
    started: Instant,
    /// Index of the endpoint of the first attempt.
    first: Option<usize>,
    /// The endpoints that were tried, by index. Empty until the second attempt, which most
    /// connections do not need.
    tried: Vec<bool>,
    /// Every endpoint was marked at the first attempt, so all of them are candidates.
    ignores_marks: bool,
}

/// Time limits of the attempts.
#[derive(Debug, Clone, Copy)]
pub(in crate::forward) struct Limits {
    /// Maximum duration of an attempt while another candidate is left.
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

impl<'a> Choice<'a> {
    /// Creates the choice for a connection. `endpoints` must not be empty.
    pub(in crate::forward) fn new(
        endpoints: &'a [SocketAddr],
        rotation: &'a Rotation,
        limits: Limits,
        started: Instant,
    ) -> Self {
        let (first, tried, ignores_marks) = (None, Vec::new(), false);
        Self { endpoints, rotation, limits, started, first, tried, ignores_marks }
    }

    /// Returns the next attempt; `None` if no candidate or no time is left. There is always a first
    /// attempt.
    pub(in crate::forward) fn next(&mut self, marks: &mut Marks, now: Instant) -> Option<Attempt> {
        let time_left = self.limits.budget.saturating_sub(now.duration_since(self.started));
        if let Some(first) = self.first {
            if time_left.is_zero() {
                return None;
            }
            if self.tried.is_empty() {
                self.tried = vec![false; self.endpoints.len()];
                self.tried[first] = true;
            }
        }
        let (index, is_last) = self.pick(marks, now)?;
        match self.first {
            None => self.first = Some(index),
            Some(_) => self.tried[index] = true,
        }
        let endpoint = self.endpoints[index];
        let timeout = if is_last { time_left } else { time_left.min(self.limits.attempt) };
        let state = marks.state(endpoint, now);
        if let (State::Due, Some(end)) = (state, now.checked_add(timeout)) {
            marks.start_check(endpoint, end);
        }
        Some(Attempt { endpoint, timeout, state })
    }

    /// Returns the index of an endpoint, and `true` if no other candidate is left.
    fn pick(&mut self, marks: &Marks, now: Instant) -> Option<(usize, bool)> {
        let is_first = self.first.is_none();
        let state = |index: usize| marks.state(self.endpoints[index], now);
        if is_first {
            // Nearly all connections end here. The check for another candidate stops at the first
            // one, so that the number of endpoints does not matter.
            let count = self.endpoints.len();
            let turn = self.rotation.advance(count);
            if state(turn) != State::Marked {
                let mut others = (turn + 1..turn + count).map(|index| index % count);
                return Some((turn, others.all(|other| state(other) == State::Marked)));
            }
        }
        let (mut unmarked, mut due, mut marked) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..self.endpoints.len() {
            if !is_first && self.tried[index] {
                continue;
            }
            match state(index) {
                State::Unmarked => unmarked.push(index),
                State::Due => due.push(index),
                State::Marked => marked.push(index),
            }
        }
        if is_first {
            self.ignores_marks = unmarked.is_empty() && due.is_empty();
        }
        if !self.ignores_marks {
            // An endpoint that another connection marked in the meantime remains a candidate.
            // Otherwise two connections could keep each other from trying their second endpoint.
            let is_new = |index: &usize| {
                marks
                    .failing_since(self.endpoints[*index])
                    .is_some_and(|since| since > self.started)
            };
            marked.retain(is_new);
        }
        let candidates = unmarked.len() + due.len() + marked.len();
        // A connection that has found a failed endpoint checks another one only if no unmarked one
        // is left.
        let group = [unmarked, due, marked].into_iter().find(|group| !group.is_empty())?;
        let index = group[self.rotation.advance_other(group.len())];
        Some((index, candidates == 1))
    }
}
