//! The result of a connection.

use std::fmt;

use super::dial_failure::DialFailure;
use crate::plan::RejectReason;

/// The way a connection ended. Logs and counters use the same set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a closed set: every use must handle all of them")]
pub enum Outcome {
    /// Both sides sent EOF, and all bytes were relayed.
    Completed,
    /// The connection was accepted and reset at once, without dialling an endpoint.
    Rejected(RejectReason),
    /// No endpoint accepted the connection. The cause is that of the last attempt.
    DialFailed(DialFailure),
    /// Too many dials to the backend were in progress
    /// ([`Settings::dials_per_backend`](super::Settings::dials_per_backend)).
    DialLimit,
    /// The client reset the connection or was lost.
    DownstreamReset,
    /// The backend reset the connection or was lost.
    UpstreamReset,
    /// The forwarder reset the connection: at the deadline after a removal of the listener or a
    /// drain, because the forwarder was dropped, or after a panic, which the panic handler reports.
    Drained,
}

impl Outcome {
    /// All outcomes, with one [`Rejected`](Self::Rejected) and one
    /// [`DialFailed`](Self::DialFailed) for each reason.
    pub const ALL: &'static [Self] = &[
        Self::Completed,
        Self::Rejected(RejectReason::NoRoute),
        Self::Rejected(RejectReason::NoWeight),
        Self::Rejected(RejectReason::NoEndpoints),
        Self::Rejected(RejectReason::BackendNotFound),
        Self::Rejected(RejectReason::RefNotPermitted),
        Self::Rejected(RejectReason::InvalidKind),
        Self::Rejected(RejectReason::UnsupportedProtocol),
        Self::Rejected(RejectReason::Loop),
        Self::Rejected(RejectReason::LocalEndpoint),
        Self::DialFailed(DialFailure::Refused),
        Self::DialFailed(DialFailure::TimedOut),
        Self::DialFailed(DialFailure::Unreachable),
        Self::DialFailed(DialFailure::NotPermitted),
        Self::DialFailed(DialFailure::NoLocalPort),
        Self::DialFailed(DialFailure::NoDescriptor),
        Self::DialFailed(DialFailure::NoMemory),
        Self::DialFailed(DialFailure::Other),
        Self::DialLimit,
        Self::DownstreamReset,
        Self::UpstreamReset,
        Self::Drained,
    ];

    pub(super) const COUNT: usize = Self::ALL.len();

    /// Returns the label for logs and metrics, without the [`reason`](Self::reason).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Rejected(_) => "rejected",
            Self::DialFailed(_) => "dial_failed",
            Self::DialLimit => "dial_limit",
            Self::DownstreamReset => "downstream_reset",
            Self::UpstreamReset => "upstream_reset",
            Self::Drained => "drained",
        }
    }

    /// Returns the label of the reason, if the outcome has one.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Rejected(reason) => Some(reason.as_str()),
            Self::DialFailed(failure) => Some(failure.as_str()),
            Self::Completed
            | Self::DialLimit
            | Self::DownstreamReset
            | Self::UpstreamReset
            | Self::Drained => None,
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
            Self::Rejected(RejectReason::Loop) => 8,
            Self::Rejected(RejectReason::LocalEndpoint) => 9,
            // The causes have consecutive numbers.
            Self::DialFailed(failure) => 10 + failure as usize,
            Self::DialLimit => 18,
            Self::DownstreamReset => 19,
            Self::UpstreamReset => 20,
            Self::Drained => 21,
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
