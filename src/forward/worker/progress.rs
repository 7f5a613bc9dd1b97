//! The need of a connection after a run.

use crate::forward::outcome::Outcome;

/// The next need of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its next turn.
    Yielded,
    /// An event, or a time of its dial.
    Dialling,
    /// An event.
    Waiting,
    /// Nothing: the connection has ended.
    Ended(Outcome),
}
