//! Connections that requests arrive on.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::identity::Identity;

/// Connection that a request arrived on, an extension of the request.
///
/// [`ApiServer`](crate::api::ApiServer) sets it. An embedder with another listener sets it too, so
/// that a request may have the address of the connection as its Host, and failed attempts are
/// counted for each client.
#[derive(Debug, Clone)]
pub struct ClientConnection {
    peer: SocketAddr,
    local: SocketAddr,
    /// User of the last request with a valid token.
    user: Arc<Mutex<Option<Identity>>>,
}

impl ClientConnection {
    /// Creates the extension of a connection from `peer` to `local`.
    pub fn new(peer: SocketAddr, local: SocketAddr) -> Self {
        Self { peer, local, user: Arc::default() }
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
        self.lock().is_some()
    }

    /// Returns the user of the last request with a valid token.
    pub(in crate::api) fn user(&self) -> Option<Identity> {
        self.lock().clone()
    }

    pub(in crate::api) fn note_user(&self, user: &Identity) {
        let mut current = self.lock();
        if current.as_ref() != Some(user) {
            *current = Some(user.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Identity>> {
        self.user.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
