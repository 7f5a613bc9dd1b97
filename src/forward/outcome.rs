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
    /// All outcomes, with one [`Rejected`](Self::Rejected) for each reason.
    pub const ALL: &'static [Self] = &[
        Self::Completed,
        Self::Rejected(RejectReason::NoRoute),
        Self::Rejected(RejectReason::NoWeight),
        Self::Rejected(RejectReason::NoEndpoints),
        Self::Rejected(RejectReason::BackendNotFound),
        Self::Rejected(RejectReason::RefNotPermitted),
        Self::Rejected(RejectReason::InvalidKind),
        Self::Rejected(RejectReason::UnsupportedProtocol),
        Self::DialFailed,
        Self::DialTimedOut,
        Self::DownstreamReset,
        Self::UpstreamReset,
        Self::Drained,
    ];

    pub(super) const COUNT: usize = Self::ALL.len();

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

    /// Returns the index of the outcome in [`ALL`](Self::ALL).
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Completed => 0,
            Self::Rejected(RejectReason::NoRoute) => 1,
            Self::Rejected(RejectReason::NoWeight) => 2,
            Self::Rejected(RejectReason::NoEndpoints) => 3,
            Self::Rejected(RejectReason::BackendNotFound) => 4,
            Self::Rejected(RejectReason::RefNotPermitted) => 5,
            Self::Rejected(RejectReason::InvalidKind) => 6,
            Self::Rejected(RejectReason::UnsupportedProtocol) => 7,
            Self::DialFailed => 8,
            Self::DialTimedOut => 9,
            Self::DownstreamReset => 10,
            Self::UpstreamReset => 11,
            Self::Drained => 12,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_position_in_all() {
        for (position, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(outcome.index(), position, "{outcome:?}");
        }
    }
}
