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
    /// The endpoints that were tried, by index. Empty before the first attempt.
    tried: Vec<bool>,
    /// Every endpoint was marked at the first attempt, so all of them are candidates.
    ignores_marks: bool,
}

/// Time limits of the attempts.
#[derive(Debug, Clone, Copy)]
pub(in crate::forward) struct Limits {
    /// Maximum duration of an attempt while another candidate is left.
    pub(in crate::forward) attempt: Duration,
    /// End of the last attempt; `None` if it is too far in the future for the clock.
    pub(in crate::forward) deadline: Option<Instant>,
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
    ) -> Self {
        Self { endpoints, rotation, limits, tried: Vec::new(), ignores_marks: false }
    }

    /// Returns the next attempt; `None` if no candidate is left, or no time. There is always a
    /// first attempt.
    pub(in crate::forward) fn next(&mut self, marks: &mut Marks, now: Instant) -> Option<Attempt> {
        let is_first = self.tried.is_empty();
        let time_left = match self.limits.deadline {
            Some(deadline) => deadline.saturating_duration_since(now),
            None => Duration::MAX,
        };
        if !is_first && time_left.is_zero() {
            return None;
        }
        let (index, is_last) = self.pick(marks, now, is_first)?;
        if is_first {
            self.tried = vec![false; self.endpoints.len()];
        }
        self.tried[index] = true;
        let endpoint = self.endpoints[index];
        let timeout = if is_last { time_left } else { time_left.min(self.limits.attempt) };
        let state = marks.state(endpoint, now);
        if let (State::Due, Some(end)) = (state, now.checked_add(timeout)) {
            marks.start_check(endpoint, end);
        }
        Some(Attempt { endpoint, timeout, state })
    }

    /// Returns the index of an endpoint, and `true` if no other candidate is left.
    fn pick(&mut self, marks: &Marks, now: Instant, is_first: bool) -> Option<(usize, bool)> {
        let count = self.endpoints.len();
        let turn = is_first.then(|| self.rotation.advance(count));
        if let Some(turn) = turn.filter(|_| marks.is_empty()) {
            return Some((turn, count == 1));
        }
        // One pass over the endpoints: the table is shared, so each of them can have a mark.
        let mut unmarked = Vec::with_capacity(count);
        let mut due = Vec::new();
        let mut marked = Vec::new();
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            if !is_first && self.tried[index] {
                continue;
            }
            match marks.state(*endpoint, now) {
                State::Unmarked => unmarked.push(index),
                State::Due => due.push(index),
                State::Marked => marked.push(index),
            }
        }
        if is_first {
            self.ignores_marks = unmarked.is_empty() && due.is_empty();
        }
        if !self.ignores_marks {
            marked.clear();
        }
        let candidates = unmarked.len() + due.len() + marked.len();
        // Only the first attempt checks an endpoint that is due while others are unmarked: no
        // connection waits for two endpoints that fail.
        let in_turn = turn.filter(|turn| unmarked.contains(turn) || due.contains(turn));
        let index = in_turn.or_else(|| {
            let group = [&unmarked, &due, &marked].into_iter().find(|group| !group.is_empty())?;
            Some(group[self.rotation.advance_other(group.len())])
        })?;
        Some((index, candidates == 1))
    }
}
