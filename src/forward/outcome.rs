//! How a connection ended.

use std::fmt;

use crate::plan::RejectReason;

/// How a connection ended: a closed set, the same in logs and counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a closed set on purpose: every use should name all")]
pub enum Outcome {
    /// Both sides said all they had to say, and it was passed on.
    Completed,
    /// It was accepted and reset at once; nothing was dialled.
    Rejected(RejectReason),
    /// No endpoint took the connection.
    DialFailed,
    /// The last endpoint tried did not answer in time.
    DialTimedOut,
    /// The client reset it, or was lost.
    DownstreamReset,
    /// The backend reset it, or was lost.
    UpstreamReset,
    /// It was ended from here: its listener was removed, or everything stopped, and the time to
    /// finish was over.
    Drained,
}

impl Outcome {
    /// How many outcomes there are, reasons aside.
    pub(super) const COUNT: usize = 7;

    /// The outcome as a label for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Rejected(_) => "rejected",
            Self::DialFailed => "dial_failed",
            Self::DialTimedOut => "dial_timed_out",
            Self::DownstreamReset => "downstream_reset",
            Self::UpstreamReset => "upstream_reset",
            Self::Drained => "drained",
        }
    }

    /// The outcome's place in a table; a rejection has one place, whatever its reason.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Completed => 0,
            Self::Rejected(_) => 1,
            Self::DialFailed => 2,
            Self::DialTimedOut => 3,
            Self::DownstreamReset => 4,
            Self::UpstreamReset => 5,
            Self::Drained => 6,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
