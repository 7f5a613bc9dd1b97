//! Connections that requests arrive on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Connection that a request arrived on, an extension of the request.
///
/// [`ApiServer`](crate::api::ApiServer) sets it. An embedder with another listener sets it too, so
/// that a request may have the address of the connection as its Host, and failed attempts are
/// counted for each client.
#[derive(Debug, Clone)]
pub struct ClientConnection {
    peer: SocketAddr,
    local: SocketAddr,
    is_authenticated: Arc<AtomicBool>,
}

impl ClientConnection {
    /// Creates the extension of a connection from `peer` to `local`.
    pub fn new(peer: SocketAddr, local: SocketAddr) -> Self {
        Self { peer, local, is_authenticated: Arc::default() }
    }

    /// Returns the address of the client.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Returns the address that the client connected to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Returns `true` if a request with a valid token arrived on the connection.
    pub fn is_authenticated(&self) -> bool {
        self.is_authenticated.load(Ordering::Relaxed)
    }

    pub(super) fn note_authenticated(&self) {
        self.is_authenticated.store(true, Ordering::Relaxed);
    }
}
