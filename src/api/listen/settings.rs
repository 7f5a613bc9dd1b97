//! Settings of the listener.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// Settings of the listener of an [`ApiServer`](super::ApiServer).
#[derive(Debug, Clone)]
pub struct ListenSettings {
    pub(super) max_connections: usize,
    pub(super) handshake_timeout: Duration,
    pub(super) header_timeout: Duration,
    pub(super) idle_timeout: Duration,
    pub(super) stall_timeout: Duration,
    pub(super) shutdown_timeout: Duration,
}

impl ListenSettings {
    /// Creates the default settings.
    pub fn new() -> Self {
        // The connections of the gateway need the other descriptors.
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) / 8;
        let max_connections = usize::try_from(descriptors).unwrap_or(usize::MAX).clamp(16, 512);
        Self {
            max_connections,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(120),
            stall_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(5),
        }
    }

    /// Limits the open connections; 512 by default, and an eighth of the file descriptors; at least
    /// 2. An eighth of them, at least one, is for clients whose token is not known yet.
    ///
    /// At the limit, a connection is closed for a new one: the oldest one without a valid token or,
    /// if those with a valid token exceed their share, one of the user who has most.
    #[must_use]
    pub fn with_max_connections(self, connections: usize) -> Self {
        Self { max_connections: connections.max(2), ..self }
    }

    /// Returns the share of connections with a valid token.
    pub(super) fn max_authenticated(&self) -> usize {
        self.max_connections - (self.max_connections / 8).max(1)
    }

    /// Limits the time of a TLS handshake; 10 s by default.
    #[must_use]
    pub fn with_handshake_timeout(self, timeout: Duration) -> Self {
        Self { handshake_timeout: timeout, ..self }
    }

    /// Limits the time in which the header of a request arrives; 10 s by default.
    #[must_use]
    pub fn with_header_timeout(self, timeout: Duration) -> Self {
        Self { header_timeout: timeout, ..self }
    }

    /// Limits the time between two requests of a connection; 120 s by default, longer than clients
    /// keep idle connections.
    #[must_use]
    pub fn with_idle_timeout(self, timeout: Duration) -> Self {
        Self { idle_timeout: timeout, ..self }
    }

    /// Limits the time in which a client reads nothing of an answer that waits; 60 s by default.
    #[must_use]
    pub fn with_stall_timeout(self, timeout: Duration) -> Self {
        Self { stall_timeout: timeout, ..self }
    }

    /// Limits the time for which requests may finish at a shutdown; 5 s by default.
    #[must_use]
    pub fn with_shutdown_timeout(self, timeout: Duration) -> Self {
        Self { shutdown_timeout: timeout, ..self }
    }
}

impl Default for ListenSettings {
    fn default() -> Self {
        Self::new()
    }
}
