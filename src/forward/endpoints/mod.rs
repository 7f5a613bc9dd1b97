//! Choice of the endpoint for each attempt of a connection, without I/O: the time is a parameter.
//!
//! - **Rotation.** Connections use the endpoints of a backend in turn, over all workers.
//! - **Marks.** An endpoint that fails is marked for 1, 2, 4, 8, then 10 s. Connections avoid it
//!   while another endpoint is not marked. After that time, one connection tries it again.
//! - **Attempts.** A connection tries each endpoint at most once. It tries those that are not
//!   marked until all of them have failed. Every endpoint of the backend is marked then, so all
//!   others are candidates; it tries at most 8 of them. It gives up earlier at the end of its dial
//!   budget.
//!
//! Rotation and marks belong to the backend. All routes to it and all workers share them, and they
//! stay when its endpoints or its routes change.

mod choice;
#[cfg(test)]
mod choice_tests;
mod marks;
#[cfg(test)]
mod marks_tests;
mod report_limiter;
mod rotation;
#[cfg(test)]
mod simulation_in_tests;

pub(super) use self::choice::{Attempt, Choice, Limits, Turns};
pub(super) use self::marks::{Marks, State};
pub(super) use self::report_limiter::ReportLimiter;
pub(super) use self::rotation::Rotation;
