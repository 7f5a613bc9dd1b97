//! The events of a connection, as the log contains them.

use std::net::SocketAddr;
use std::time::Duration;

use tracing::field;

use crate::forward::listener::ListenerState;
use crate::forward::outcome::Outcome;
use crate::forward::route::Route;
use crate::plan::BackendId;

/// Target of the events, by which filters select them.
pub(super) const TARGET: &str = "sluicegate::forward::connection";

/// The end of a connection.
pub(in crate::forward) struct ConnectionEnd<'a> {
    pub(in crate::forward) listener: &'a ListenerState,
    /// Index of the backend in the plan of the route.
    pub(in crate::forward) backend: Option<usize>,
    pub(in crate::forward) endpoint: Option<SocketAddr>,
    pub(in crate::forward) downstream: SocketAddr,
    /// The address that the client connected to.
    pub(in crate::forward) local: Option<SocketAddr>,
    /// Number of attempts to connect to an endpoint.
    pub(in crate::forward) attempts: u32,
    /// Duration of the attempts in microseconds; `None` without an attempt.
    pub(in crate::forward) dial_us: Option<u32>,
    pub(in crate::forward) bytes_up: u64,
    pub(in crate::forward) bytes_down: u64,
    pub(in crate::forward) duration: Duration,
    pub(in crate::forward) outcome: Outcome,
}

impl ConnectionEnd<'_> {
    /// Logs the end of the connection.
    pub(in crate::forward) fn log(&self) {
        let route = self.listener.route.as_deref().map(Route::plan);
        let backend: Option<&BackendId> =
            self.backend.and_then(|index| Some(&route?.backends[index].backend));
        tracing::info!(
            target: TARGET,
            listener = %self.listener.id,
            route = route.map(|route| field::display(&route.route)),
            backend = backend.map(field::display),
            endpoint = self.endpoint.map(field::display),
            downstream = %self.downstream,
            local = self.local.map(field::display),
            attempts = (self.attempts > 0).then_some(self.attempts),
            dial_us = self.dial_us,
            bytes_up = self.bytes_up,
            bytes_down = self.bytes_down,
            duration_us = u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX),
            outcome = self.outcome.as_str(),
            reason = self.outcome.reason(),
            "connection ended"
        );
    }
}
