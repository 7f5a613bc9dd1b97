//! The events of a connection, as the log contains them.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tracing::{Level, field};

use super::names::Names;
use crate::forward::listener::ListenerState;
use crate::forward::outcome::Outcome;
use crate::forward::route::Route;
use crate::forward::settings::ConnectionLog;
use crate::plan::{BackendId, RoutePlan};

/// Target of the events, by which filters select them.
pub(super) const TARGET: &str = "sluicegate::forward::connection";

/// Kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::forward) enum Event {
    /// The endpoint is connected.
    Opened,
    /// The connection ended.
    Ended(Outcome),
}

/// A connection whose endpoint is connected.
pub(in crate::forward) struct ConnectionOpened<'a> {
    pub(in crate::forward) listener: &'a ListenerState,
    /// Index of the share in the plan of the route.
    pub(in crate::forward) share: Option<usize>,
    pub(in crate::forward) endpoint: SocketAddr,
    pub(in crate::forward) downstream: SocketAddr,
}

/// The end of a connection.
pub(in crate::forward) struct ConnectionEnd<'a> {
    pub(in crate::forward) listener: &'a ListenerState,
    /// Index of the share in the plan of the route.
    pub(in crate::forward) share: Option<usize>,
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

impl Event {
    pub(super) const COUNT: usize = Outcome::COUNT + 1;

    /// Returns a number below [`COUNT`](Self::COUNT).
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Opened => 0,
            Self::Ended(outcome) => 1 + outcome.index(),
        }
    }

    /// Returns the event with this [`index`](Self::index).
    pub(super) fn at(index: usize) -> Self {
        match index.checked_sub(1) {
            None => Self::Opened,
            Some(outcome) => Self::Ended(Outcome::ALL[outcome]),
        }
    }

    /// Returns `true` if the setting and the filter of the subscriber select the event.
    pub(super) fn is_selected(self, setting: ConnectionLog) -> bool {
        let is_failure = !matches!(self, Self::Opened | Self::Ended(Outcome::Completed));
        match setting {
            ConnectionLog::Off => return false,
            ConnectionLog::Failures if !is_failure => return false,
            ConnectionLog::Failures | ConnectionLog::All => {}
        }
        match self {
            Self::Opened => tracing::enabled!(target: TARGET, Level::DEBUG),
            Self::Ended(_) => tracing::enabled!(target: TARGET, Level::INFO),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => f.write_str("opened"),
            Self::Ended(outcome) => match outcome.reason() {
                Some(reason) => write!(f, "{outcome} ({reason})"),
                None => outcome.fmt(f),
            },
        }
    }
}

impl ConnectionOpened<'_> {
    /// Logs that the connection is open.
    pub(in crate::forward) fn log(&self) {
        let (route, backend) = route_and_backend(self.listener, self.share);
        tracing::debug!(
            target: TARGET,
            listener = %self.listener.id,
            route = route.map(|route| field::display(&route.id)),
            backend = backend.map(field::display),
            endpoint = %self.endpoint,
            downstream = %self.downstream,
            "connection opened"
        );
    }
}

impl ConnectionEnd<'_> {
    /// Returns the names of the listener and its route.
    pub(super) fn names(&self) -> &Names {
        self.listener.names()
    }

    /// Returns the name of the backend.
    pub(super) fn backend_name(&self) -> Option<&str> {
        self.names().backends.get(self.share?).map(String::as_str)
    }

    pub(super) fn duration_us(&self) -> u64 {
        u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX)
    }

    /// Logs the end of the connection.
    pub(in crate::forward) fn log(&self) {
        let (route, backend) = route_and_backend(self.listener, self.share);
        tracing::info!(
            target: TARGET,
            listener = %self.listener.id,
            route = route.map(|route| field::display(&route.id)),
            backend = backend.map(field::display),
            endpoint = self.endpoint.map(field::display),
            downstream = %self.downstream,
            local = self.local.map(field::display),
            attempts = (self.attempts > 0).then_some(self.attempts),
            dial_us = self.dial_us,
            bytes_up = self.bytes_up,
            bytes_down = self.bytes_down,
            duration_us = self.duration_us(),
            outcome = self.outcome.as_str(),
            reason = self.outcome.reason(),
            "connection ended"
        );
    }
}

/// Returns the route of the listener, and the backend of its share with this index.
fn route_and_backend(
    listener: &ListenerState,
    share: Option<usize>,
) -> (Option<&RoutePlan>, Option<&BackendId>) {
    let route = listener.route.as_deref().map(Route::plan);
    let backend = share.and_then(|index| Some(route?.shares[index].backend()));
    (route.map(AsRef::as_ref), backend)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_identifies_event() {
        for index in 0..Event::COUNT {
            assert_eq!(Event::at(index).index(), index);
        }
    }
}
