//! Sockets to open, and the errors of opening them.

use std::fmt;
use std::net::SocketAddr;

use serde::{Serialize, Serializer};

/// Identifier of a socket. Text form: `192.0.2.1:5432/TCP`.
///
/// The transport is part of it: a TCP socket and a UDP socket can have the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SocketId {
    /// The transport protocol.
    pub transport: Transport,
    /// The address to bind. With port 0, the kernel assigns an ephemeral port.
    pub address: SocketAddr,
}

/// Transport protocol of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// TCP.
    Tcp,
}

/// Error of opening a socket of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BindError {
    /// The socket of the plan.
    pub socket: SocketId,
    /// The kind of the error.
    pub kind: BindErrorKind,
    /// The message of the operating system.
    pub message: String,
}

/// Kind of a [`BindError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindErrorKind {
    /// Another socket has the port, or this process lacks the permission to use it.
    PortUnavailable,
    /// The host does not have the address.
    AddressNotUsable,
    /// A resource is exhausted, such as file descriptors.
    NoResources,
}

impl SocketId {
    /// Creates the identifier of a TCP socket.
    pub const fn tcp(address: SocketAddr) -> Self {
        Self { transport: Transport::Tcp, address }
    }
}

impl Transport {
    /// Returns the name of the protocol, as in a Service: `TCP`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
        }
    }
}

impl BindError {
    /// Creates an error.
    pub fn new(socket: SocketId, kind: BindErrorKind, message: impl Into<String>) -> Self {
        Self { socket, kind, message: message.into() }
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.transport)
    }
}

impl Serialize for SocketId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
