//! The state of a connection after a run.

use crate::forward::outcome::Outcome;

/// State of a connection after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// It continues in the next turn.
    Yielded,
    /// It waits for an event, or for a timeout of its dial.
    Dialling,
    /// It waits for an event.
    Waiting,
    /// It has ended.
    Ended(Outcome),
}
