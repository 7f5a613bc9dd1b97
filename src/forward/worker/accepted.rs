//! A connection that was accepted.

use std::net::SocketAddr;
use std::sync::Arc;

use mio::net::TcpStream;

use crate::forward::budget::Permit;
use crate::forward::descriptors::Reservation;
use crate::forward::listener::ListenerState;

/// A connection that was accepted, and is not served yet.
pub(in crate::forward) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    /// The listener at the time of the accept. Later changes do not affect the connection.
    pub(super) listener: Arc<ListenerState>,
    /// Reservation of a descriptor for the dial.
    pub(super) reservation: Option<Reservation>,
    pub(super) permit: Permit,
}
