//! Addresses of listeners: the socket to bind, and the address that clients dial.

use std::fmt;
use std::net::SocketAddr;

use serde::{Serialize, Serializer};

use super::socket::{BindError, SocketId};
use crate::model::{Hostname, PortNumber};

/// An address of a listener.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct ListenAddress {
    /// The socket to open.
    pub bind: SocketId,
    /// The address that clients use: the bound address, an address of the host if all interfaces
    /// are bound, or the address of the load balancer in front. `None` until a load balancer has
    /// one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertised: Option<DialAddress>,
}

/// An address that clients use. Text form: `192.0.2.1:5432`, `[2001:db8::1]:5432` or
/// `db.example.com:5432`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a host has an address or a name")]
pub enum DialAddress {
    /// IP address and port.
    Ip(SocketAddr),
    /// Hostname and port.
    Name(Hostname, PortNumber),
}

impl ListenAddress {
    /// Creates an address that clients reach as `advertised`.
    pub const fn new(bind: SocketId, advertised: Option<DialAddress>) -> Self {
        Self { bind, advertised }
    }

    /// Creates a TCP address that is bound and advertised as it is.
    pub const fn tcp(address: SocketAddr) -> Self {
        Self::new(SocketId::tcp(address), Some(DialAddress::Ip(address)))
    }

    /// Returns `true` unless one of these errors is about the socket.
    pub fn is_open(&self, errors: &[BindError]) -> bool {
        errors.iter().all(|error| error.socket != self.bind)
    }
}

impl fmt::Display for DialAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

impl Serialize for DialAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
