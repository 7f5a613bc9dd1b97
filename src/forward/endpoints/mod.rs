//! Choice of the endpoint for each attempt of a connection, without I/O: the time is a parameter.
//!
//! - **Rotation.** Connections use the endpoints of a backend in turn, over all workers.
//! - **Marks.** An endpoint that fails is marked for 1, 2, 4, 8, then 10 s. Connections avoid it
//!   while another endpoint is not marked. After that time, one connection tries it again. All
//!   routes and workers share the marks, and the marks stay when a route changes.
//! - **Attempts.** A connection tries each endpoint at most once, and those that are not marked
//!   first. It gives up when it has tried all of these, or at the end of its dial budget. If every
//!   endpoint is marked when it begins, it tries all of them.

mod choice;
#[cfg(test)]
mod choice_tests;
mod marks;
mod rotation;

pub(super) use self::choice::{Attempt, Choice, Limits};
pub(super) use self::marks::{Marks, State};
pub(super) use self::rotation::Rotation;
