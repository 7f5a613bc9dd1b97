//! The two sides of a connection, and the known readiness of their sockets.

/// A side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::forward) enum Side {
    /// The client.
    Downstream,
    /// The backend.
    Upstream,
}

impl Side {
    pub(in crate::forward) const BOTH: [Self; 2] = [Self::Downstream, Self::Upstream];

    pub(in crate::forward) const fn other(self) -> Self {
        match self {
            Self::Downstream => Self::Upstream,
            Self::Upstream => Self::Downstream,
        }
    }
}

/// Readiness of a socket, as one event reports it, or as events and calls so far show it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::forward) struct Readiness {
    /// A read may find bytes, the end or an error.
    pub(in crate::forward) is_readable: bool,
    /// A write may succeed.
    pub(in crate::forward) is_writable: bool,
    /// The peer has sent its end. Bytes before the end may still be unread.
    pub(in crate::forward) has_ended: bool,
    /// Urgent data is pending. A read stops before urgent data, so a short read does not mean that
    /// the socket is empty.
    pub(in crate::forward) is_urgent: bool,
    /// The connection of this side is lost.
    pub(in crate::forward) is_lost: bool,
}

impl Readiness {
    /// Adds the readiness that an event reports.
    pub(super) fn add(&mut self, event: Self) {
        self.is_readable |= event.is_readable || event.is_lost;
        self.is_writable |= event.is_writable || event.is_lost;
        self.has_ended |= event.has_ended;
        self.is_urgent |= event.is_urgent;
        self.is_lost |= event.is_lost;
    }
}
