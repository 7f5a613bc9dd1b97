//! The attempts to connect to an endpoint of the backend.

use std::time::{Duration, Instant};

use super::action::Action;
use crate::forward::dial_failure::DialFailure;

/// Number of attempts to open a socket after the first one found no descriptor.
const DESCRIPTOR_RETRIES: u8 = 40;

/// Time between two attempts to open a socket.
const DESCRIPTOR_RETRY_DELAY: Duration = Duration::from_millis(50);

/// State of a dial.
#[derive(Debug)]
pub(super) struct Dial {
    step: Step,
    /// Remaining attempts to open a socket.
    descriptor_retries: u8,
}

#[derive(Debug)]
enum Step {
    /// An endpoint has to be chosen.
    Choose,
    /// The endpoint has to be dialled again: there was no descriptor.
    Retry,
    /// The handshake is in progress. `None` if the end of its time is not representable.
    Connecting { until: Option<Instant> },
    /// The socket could not be opened.
    NoDescriptor { until: Instant },
}

/// The step after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterFailure {
    /// The same attempt later.
    Repeat,
    /// The choice of another endpoint.
    ChooseNext,
    /// The end of the connection.
    End,
}

impl Dial {
    pub(super) fn new() -> Self {
        Self { step: Step::Choose, descriptor_retries: DESCRIPTOR_RETRIES }
    }

    /// Returns the next action.
    pub(super) fn next(&mut self, now: Instant) -> Action {
        match self.step {
            Step::Choose => Action::Dial,
            Step::Retry => Action::Redial,
            Step::Connecting { until: Some(until) } if until <= now => Action::GiveUp,
            Step::NoDescriptor { until } if until <= now => {
                self.step = Step::Retry;
                Action::Redial
            }
            Step::Connecting { .. } | Step::NoDescriptor { .. } => Action::Wait,
        }
    }

    /// Returns `true` while the handshake is in progress.
    pub(super) fn is_connecting(&self) -> bool {
        matches!(self.step, Step::Connecting { .. })
    }

    /// Notes that the handshake has begun. `timeout` is its maximum duration.
    pub(super) fn started(&mut self, timeout: Duration, now: Instant) {
        self.step = Step::Connecting { until: now.checked_add(timeout) };
    }

    /// Notes that the attempt failed, and returns the next step.
    ///
    /// A thread that does not forward may have taken the descriptor of the connection, so a lack of
    /// descriptors is an error only if it persists. Without a descriptor or memory, an attempt with
    /// another endpoint would fail too. Without a local port, it may succeed, because each endpoint
    /// has local ports of its own.
    pub(super) fn failed(&mut self, failure: DialFailure, now: Instant) -> AfterFailure {
        match failure {
            DialFailure::NoDescriptor if self.descriptor_retries > 0 => {
                self.descriptor_retries -= 1;
                self.step = Step::NoDescriptor { until: now + DESCRIPTOR_RETRY_DELAY };
                AfterFailure::Repeat
            }
            DialFailure::NoDescriptor | DialFailure::NoMemory => AfterFailure::End,
            _ => {
                self.step = Step::Choose;
                AfterFailure::ChooseNext
            }
        }
    }
}
