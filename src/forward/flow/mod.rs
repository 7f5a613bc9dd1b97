//! A connection as a state machine without I/O: events go in, actions come out, and the time is a
//! parameter.
//!
//! ```text
//!             bytes that are there     an endpoint accepts
//! ┌─────────────┐      ┌───────────┐        ┌───────┐   one end    ┌─────────────┐
//! │ first bytes │ ───► │ dial      │ ─────► │ relay │ ───────────► │ half-closed │
//! └─────────────┘      └───────────┘        └───────┘              └─────────────┘
//!        │                   │ no endpoint        │ a side is lost        │ both ends
//!        ▼                   ▼                    ▼                       ▼
//!      ┌────────────────────────────────────────────────────────────────────┐
//!      │ end, with its outcome                                              │
//!      └────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The caller asks for the [next action](Flow::next), performs it, and reports its result, until
//! the flow waits for an event. The caller reports readiness as epoll does, edge-triggered: a side
//! stays readable until a read finds it empty. So the flow knows which calls would return
//! `WouldBlock`, and does not ask for them. It does not use sockets, buffers, endpoints or the
//! clock, so another event loop, such as one on `io_uring`, can use the same flow.

mod action;
mod dial;
mod direction;
mod machine;
#[cfg(test)]
mod machine_tests;
#[cfg(test)]
mod network_in_tests;
#[cfg(test)]
mod proxy_in_tests;
mod relay;
mod side;

pub(super) use self::action::Action;
pub(super) use self::direction::{BUDGET, LARGE, ReadResult};
pub(super) use self::machine::Flow;
pub(super) use self::side::{Readiness, Side};
