//! A simulated backend and clock, for tests of the choice of endpoints.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::choice::{Choice, Limits, Turns};
use super::marks::{Marks, State};
use super::rotation::Rotation;
use crate::plan::Endpoint;

pub(super) const ATTEMPT: Duration = Duration::from_secs(3);
pub(super) const BUDGET: Duration = Duration::from_secs(10);
pub(super) const LIMITS: Limits = Limits { attempt: ATTEMPT, budget: BUDGET };

pub(super) fn endpoints(count: u16) -> Vec<Endpoint> {
    let address = |number: u16| {
        let [high, low] = number.to_be_bytes();
        Endpoint::new(([10, 0, high, low], 80).into())
    };
    (1..=count).map(address).collect()
}

/// A backend whose endpoints may refuse or not answer. Time passes only during attempts.
pub(super) struct Simulation {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) rotation: Rotation,
    pub(super) marks: Marks,
    pub(super) now: Instant,
}

/// Behaviour of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Up,
    Refusing,
    Silent,
}

impl Simulation {
    pub(super) fn new(count: u16) -> Self {
        Self {
            endpoints: endpoints(count),
            rotation: Rotation::starting_at(0),
            marks: Marks::new(Arc::default()),
            now: Instant::now(),
        }
    }

    /// Makes a connection. Returns the numbers of the endpoints that it tried, `true` if the
    /// last of them accepted it, and its duration.
    pub(super) fn connect(
        &mut self,
        behaviour: impl Fn(u16) -> Behaviour,
    ) -> (Vec<u16>, bool, Duration) {
        let started = self.now;
        let turns = Turns { endpoints: &self.endpoints, rotation: &self.rotation };
        let mut choice = Choice::new(LIMITS, started);
        let mut tried = Vec::new();
        while let Some(attempt) = choice.next(turns, &mut self.marks, self.now) {
            let (number, begun) = (number(attempt.endpoint), self.now);
            tried.push(number);
            match behaviour(number) {
                Behaviour::Up => {
                    self.marks.record_success(attempt.endpoint, self.now);
                    return (tried, true, self.now - started);
                }
                Behaviour::Refusing => {}
                Behaviour::Silent => self.now += attempt.timeout,
            }
            let is_check = attempt.state == State::Due;
            self.marks.record_failure(attempt.endpoint, is_check, begun, self.now);
        }
        (tried, false, self.now - started)
    }
}

pub(super) fn number(endpoint: SocketAddr) -> u16 {
    match endpoint {
        SocketAddr::V4(endpoint) => {
            let [.., high, low] = endpoint.ip().octets();
            u16::from_be_bytes([high, low])
        }
        SocketAddr::V6(_) => unreachable!("the endpoints are IPv4"),
    }
}
