//! The cause of a failed attempt to connect to an endpoint.

use std::fmt;
use std::io::{self, ErrorKind};

use rustix::io::Errno;

/// Cause of a failed dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a closed set: every use must handle all of them")]
pub enum DialFailure {
    /// The endpoint refused the connection: no process listens on the port, or a firewall rejected
    /// it with a reset.
    Refused,
    /// The endpoint did not answer in time.
    TimedOut,
    /// The network has no way to the endpoint: no route, or a router or the host reported that it
    /// cannot be reached.
    Unreachable,
    /// A rule of this host, such as a firewall or a security module, forbids the connection.
    NotPermitted,
    /// No local port is free for a connection to the endpoint. Connections in TIME_WAIT use ports
    /// too.
    NoLocalPort,
    /// No file descriptor is free outside the reserve.
    NoDescriptor,
    /// The kernel has no memory for the socket.
    NoMemory,
    /// Another error. The log line of the endpoint contains its text.
    Other,
}

impl DialFailure {
    /// All causes.
    pub const ALL: &'static [Self] = &[
        Self::Refused,
        Self::TimedOut,
        Self::Unreachable,
        Self::NotPermitted,
        Self::NoLocalPort,
        Self::NoDescriptor,
        Self::NoMemory,
        Self::Other,
    ];

    /// Returns the label for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::NotPermitted => "not_permitted",
            Self::NoLocalPort => "no_local_port",
            Self::NoDescriptor => "no_descriptor",
            Self::NoMemory => "no_memory",
            Self::Other => "other",
        }
    }

    /// Returns `true` if this host lacks a resource, so that the endpoint is not the cause.
    pub const fn is_local(self) -> bool {
        matches!(self, Self::NoLocalPort | Self::NoDescriptor | Self::NoMemory)
    }

    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => Self::Refused,
            ErrorKind::TimedOut => Self::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
                Self::Unreachable
            }
            ErrorKind::PermissionDenied => Self::NotPermitted,
            ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => Self::NoLocalPort,
            ErrorKind::OutOfMemory => Self::NoMemory,
            // io::ErrorKind has no kinds for these.
            _ => match Errno::from_io_error(error) {
                Some(Errno::MFILE | Errno::NFILE) => Self::NoDescriptor,
                Some(Errno::NOBUFS) => Self::NoMemory,
                Some(Errno::HOSTDOWN) => Self::Unreachable,
                _ => Self::Other,
            },
        }
    }
}

impl fmt::Display for DialFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cause_follows_from_the_error() {
        for (errno, expected) in [
            (Errno::CONNREFUSED, DialFailure::Refused),
            (Errno::CONNRESET, DialFailure::Refused),
            (Errno::TIMEDOUT, DialFailure::TimedOut),
            (Errno::HOSTUNREACH, DialFailure::Unreachable),
            (Errno::NETUNREACH, DialFailure::Unreachable),
            (Errno::HOSTDOWN, DialFailure::Unreachable),
            (Errno::PERM, DialFailure::NotPermitted),
            (Errno::ACCESS, DialFailure::NotPermitted),
            (Errno::ADDRNOTAVAIL, DialFailure::NoLocalPort),
            (Errno::MFILE, DialFailure::NoDescriptor),
            (Errno::NFILE, DialFailure::NoDescriptor),
            (Errno::NOBUFS, DialFailure::NoMemory),
            (Errno::NOMEM, DialFailure::NoMemory),
            (Errno::INVAL, DialFailure::Other),
        ] {
            assert_eq!(DialFailure::of(&errno.into()), expected, "{errno:?}");
        }
    }
}
