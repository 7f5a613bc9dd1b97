//! Settings of the forwarding engine.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::thread;
use std::time::Duration;

use super::connection_log::ConnectionLines;

/// Settings of a [`Forwarder`](super::Forwarder).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Number of worker threads. Default: one for each CPU that is available to the process.
    pub workers: NonZeroUsize,
    /// Maximum duration of a TCP handshake with one endpoint while the connection can still try
    /// another one; the last one gets the rest of [`dial_budget`](Self::dial_budget). Default: 3 s.
    /// If it is too short, dials to a busy backend fail; if it is too long, clients wait for a
    /// dead endpoint.
    pub dial_timeout: Duration,
    /// Maximum time to connect to an endpoint, over all endpoints that a connection tries. Default:
    /// 10 s. There is always one attempt.
    pub dial_budget: Duration,
    /// Seed that selects the first endpoint of each backend. Default: `None`, a
    /// random seed, so that replicas do not send their first connections to the same endpoint.
    pub endpoint_seed: Option<u64>,
    /// Time that connections of a removed listener have to finish; those that are open at the end
    /// are reset. Default: 30 s.
    pub drain_timeout: Duration,
    /// Number of file descriptors that the engine leaves unused, for everything else in the
    /// process: health checks, the API server, DNS, files. Default: 128. At most a quarter of the
    /// limit (`RLIMIT_NOFILE`) is reserved; 0 turns the reserve off. If no other descriptor is
    /// free, clients wait in the backlog.
    ///
    /// The limit is read when the forwarder starts. A dial may use up to half of the reserve, so
    /// that a client that was accepted just before the limit is not reset. On other systems than
    /// Linux, nothing is reserved.
    pub descriptor_reserve: usize,
    /// Maximum number of dials in progress to one backend. Further connections are reset with
    /// [`Outcome::DialLimit`](super::Outcome::DialLimit), so that a backend that does not answer
    /// leaves connections for others. Default: `None`, a quarter of the connections that the limit
    /// of file descriptors allows; at least 64, or three quarters if that is less.
    pub dials_per_backend: Option<NonZeroUsize>,
    /// The listening sockets of the program around the forwarder, such as those of its health
    /// endpoints. Like the forwarder's own sockets, they are never dialled: a connection whose
    /// endpoint is one of them is rejected with the reason
    /// [`Loop`](crate::plan::RejectReason::Loop). A socket on all interfaces has all addresses of
    /// this host. Default: none.
    pub own_sockets: BTreeSet<SocketAddr>,
    /// Connections that are logged when they end, as an event of `tracing` at level INFO. Default:
    /// all. Counters do not depend on it.
    pub connection_log: ConnectionLog,
    /// Writer of the lines of connections that end. Default: `None`, an event of `tracing` for each
    /// of them.
    pub connection_lines: Option<ConnectionLines>,
    /// Maximum number of lines about connections in each second, over all workers; `None` for no
    /// limit. Default: 1,000. Further lines are counted, and one line a second contains the counts
    /// by listener and outcome.
    pub connection_log_limit: Option<NonZeroU32>,
}

/// Connections that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ConnectionLog {
    /// All connections: a line at level INFO when a connection ends, and a line at level DEBUG when
    /// its endpoint is connected.
    #[default]
    All,
    /// Connections that end with any other outcome than
    /// [`Completed`](super::Outcome::Completed).
    Failures,
    /// No connections.
    Off,
}

const DEFAULT_CONNECTION_LOG_LIMIT: NonZeroU32 = NonZeroU32::new(1_000).unwrap();

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            dial_timeout: Duration::from_secs(3),
            dial_budget: Duration::from_secs(10),
            endpoint_seed: None,
            drain_timeout: Duration::from_secs(30),
            descriptor_reserve: 128,
            dials_per_backend: None,
            own_sockets: BTreeSet::new(),
            connection_log: ConnectionLog::default(),
            connection_lines: None,
            connection_log_limit: Some(DEFAULT_CONNECTION_LOG_LIMIT),
        }
    }
}

impl Settings {
    /// Sets the number of worker threads.
    #[must_use]
    pub fn with_workers(mut self, workers: NonZeroUsize) -> Self {
        self.workers = workers;
        self
    }

    /// Sets the maximum duration of a handshake while another endpoint is left to try.
    #[must_use]
    pub fn with_dial_timeout(mut self, timeout: Duration) -> Self {
        self.dial_timeout = timeout;
        self
    }

    /// Sets the maximum time to connect to an endpoint, over all attempts.
    #[must_use]
    pub fn with_dial_budget(mut self, budget: Duration) -> Self {
        self.dial_budget = budget;
        self
    }

    /// Sets the seed of the first endpoint of each backend.
    #[must_use]
    pub fn with_endpoint_seed(mut self, seed: u64) -> Self {
        self.endpoint_seed = Some(seed);
        self
    }

    /// Sets the time that connections of a removed listener have to finish.
    #[must_use]
    pub fn with_drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// Sets the number of file descriptors that the engine leaves unused. 0 turns the reserve off.
    #[must_use]
    pub fn with_descriptor_reserve(mut self, descriptors: usize) -> Self {
        self.descriptor_reserve = descriptors;
        self
    }

    /// Sets the maximum number of dials in progress to one backend; `None` for a quarter of the
    /// connections that are possible.
    #[must_use]
    pub fn with_dials_per_backend(mut self, dials: impl Into<Option<NonZeroUsize>>) -> Self {
        self.dials_per_backend = dials.into();
        self
    }

    /// Adds listening sockets of the program around the forwarder, which are never dialled.
    #[must_use]
    pub fn with_own_sockets(mut self, sockets: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.own_sockets.extend(sockets);
        self
    }

    /// Sets the connections that are logged.
    #[must_use]
    pub fn with_connection_log(mut self, connections: ConnectionLog) -> Self {
        self.connection_log = connections;
        self
    }

    /// Sets the writer of the lines of connections that end; `None` for events of `tracing`.
    #[must_use]
    pub fn with_connection_lines(mut self, lines: impl Into<Option<ConnectionLines>>) -> Self {
        self.connection_lines = lines.into();
        self
    }

    /// Sets the maximum number of lines about connections in each second; `None` for no limit.
    #[must_use]
    pub fn with_connection_log_limit(mut self, limit: impl Into<Option<NonZeroU32>>) -> Self {
        self.connection_log_limit = limit.into();
        self
    }
}
