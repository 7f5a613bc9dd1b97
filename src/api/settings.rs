//! Settings of the service.

use std::time::Duration;

/// Settings of an [`ApiService`](super::ApiService).
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) max_watches: usize,
    pub(super) max_body_bytes: usize,
    pub(super) body_timeout: Duration,
    pub(super) write_timeout: Duration,
    pub(super) bookmark_interval: Duration,
    pub(super) local_endpoints: bool,
    pub(super) runs_deployments: bool,
}

impl Settings {
    /// Creates the default settings.
    pub fn new() -> Self {
        Self {
            max_watches: 1000,
            max_body_bytes: 3 << 20,
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            bookmark_interval: Duration::from_secs(60),
            local_endpoints: false,
            runs_deployments: false,
        }
    }

    /// Limits the watches that are open at the same time; 1,000 by default. A user may open a watch
    /// while they have fewer than are free, so that one user has at most half of them. Further ones
    /// are answered 429 with Retry-After.
    ///
    /// Give [`ApiServer::max_watches`](super::ApiServer::max_watches) to a service that this server
    /// serves.
    #[must_use]
    pub fn with_max_watches(self, watches: usize) -> Self {
        Self { max_watches: watches, ..self }
    }

    /// Limits the body of a request; 3 MiB by default, as in Kubernetes. Larger ones are answered
    /// 413.
    #[must_use]
    pub fn with_max_body_bytes(self, bytes: usize) -> Self {
        Self { max_body_bytes: bytes, ..self }
    }

    /// Limits the time in which the body of a request arrives; 30 s by default. Slower ones are
    /// answered 504.
    #[must_use]
    pub fn with_body_timeout(self, timeout: Duration) -> Self {
        Self { body_timeout: timeout, ..self }
    }

    /// Limits the time in which the store answers a write; 60 s by default. If the disk does not
    /// answer in time, the request is answered 504: the outcome of the write is unknown.
    #[must_use]
    pub fn with_write_timeout(self, timeout: Duration) -> Self {
        Self { write_timeout: timeout, ..self }
    }

    /// Allows EndpointSlices with addresses in 127.0.0.0/8 and ::1; `false` by default. It is safe
    /// while the API is bound to loopback: its clients can connect to these addresses anyway.
    #[must_use]
    pub fn with_local_endpoints(self, is_allowed: bool) -> Self {
        Self { local_endpoints: is_allowed, ..self }
    }

    /// Reports that a controller runs the pods of Deployments; `false` by default. Without one, a
    /// client that creates a Deployment gets a warning.
    #[must_use]
    pub fn with_deployments(self, are_run: bool) -> Self {
        Self { runs_deployments: are_run, ..self }
    }

    /// Sets the interval of bookmarks in watches that ask for them; one minute by default.
    #[must_use]
    pub fn with_bookmark_interval(self, interval: Duration) -> Self {
        Self { bookmark_interval: interval, ..self }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new()
    }
}
