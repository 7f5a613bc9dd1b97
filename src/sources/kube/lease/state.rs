//! The state of a replica in an election.

/// The state of a replica in an election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElectionState {
    /// The source does not run yet.
    NotStarted,
    /// The replica is the leader, or a follower.
    Running,
    /// The release of the Lease was requested.
    Releasing,
    /// The replica takes no part any longer.
    Stopped,
}
