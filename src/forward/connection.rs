//! The life of one connection, from accept to outcome.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::counters::Shard;
use super::dial::dial;
use super::live::Place;
use super::outcome::Outcome;
use super::relay::{Meter, Side, relay};
use super::route::{Pick, Route};
use super::settings::Settings;
use super::worker::ListenerState;
use crate::plan::{BackendId, RejectReason};

/// A connection and what is known of it so far. When it is dropped, in whatever way, it is counted
/// and logged.
#[derive(Debug)]
pub(super) struct Connection {
    downstream: TcpStream,
    peer: SocketAddr,
    /// The listener as it was when the connection came: later changes do not touch it.
    listener: Arc<ListenerState>,
    worker: usize,
    started: Instant,
    backend: Option<usize>,
    endpoint: Option<SocketAddr>,
    upstream: Option<TcpStream>,
    bytes_up: u64,
    bytes_down: u64,
    /// What is said if nothing else is: that we ended it.
    outcome: Outcome,
    _place: Place,
}

impl Connection {
    pub(super) fn new(
        downstream: TcpStream,
        peer: SocketAddr,
        listener: Arc<ListenerState>,
        worker: usize,
        place: Place,
    ) -> Self {
        listener.counters.of(worker).accepted();
        Self {
            downstream,
            peer,
            listener,
            worker,
            started: Instant::now(),
            backend: None,
            endpoint: None,
            upstream: None,
            bytes_up: 0,
            bytes_down: 0,
            outcome: Outcome::Drained,
            _place: place,
        }
    }

    /// Sees the connection through.
    #[expect(
        clippy::manual_async_fn,
        reason = "the future of an `async fn` would hold `self` twice"
    )]
    pub(super) fn run(mut self, settings: Arc<Settings>) -> impl Future<Output = ()> {
        async move {
            let this = &mut self;
            this.outcome = match this.carry(&settings).await {
                Ok(()) => Outcome::Completed,
                Err(outcome) => outcome,
            };
        }
    }

    async fn carry(&mut self, settings: &Settings) -> Result<(), Outcome> {
        let listener = self.listener.clone();
        let route = listener.route.as_deref().ok_or(Outcome::Rejected(RejectReason::NoRoute))?;
        let pick = self.pick(route);
        let endpoints = pick.target.map_err(Outcome::Rejected)?;
        let dialled = tokio::select! {
            biased;
            dialled = dial(&endpoints, settings) => dialled,
            // Nobody is left to be connected.
            _ = self.downstream.ready(Interest::ERROR) => return Err(Outcome::DownstreamReset),
        };
        match dialled {
            Ok((endpoint, upstream)) => {
                self.endpoint = Some(endpoint);
                self.relay(upstream, listener.counters.of(self.worker)).await
            }
            Err(failure) => {
                self.endpoint = Some(failure.endpoint);
                Err(failure.outcome)
            }
        }
    }

    fn pick<'r>(&mut self, route: &'r Route) -> Pick<'r> {
        let pick = route.pick();
        self.backend = pick.backend;
        pick
    }

    async fn relay(&mut self, upstream: TcpStream, counters: &Shard) -> Result<(), Outcome> {
        let upstream = self.upstream.insert(upstream);
        let up = Meter { bytes: &mut self.bytes_up, total: &counters.bytes_up };
        let down = Meter { bytes: &mut self.bytes_down, total: &counters.bytes_down };
        relay(&mut self.downstream, upstream, up, down).await.map_err(|side| match side {
            Side::Downstream => Outcome::DownstreamReset,
            Side::Upstream => Outcome::UpstreamReset,
        })
    }

    /// Closing a connection that did not complete tells both sides so: with a reset.
    fn reset(&self) {
        for stream in [Some(&self.downstream), self.upstream.as_ref()].into_iter().flatten() {
            // It fails only where the connection is gone already.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    fn log(&self) {
        let route = self.listener.route.as_deref().map(Route::plan);
        let backend: Option<&BackendId> =
            self.backend.and_then(|index| Some(&route?.backends[index].backend));
        let reason = match self.outcome {
            Outcome::Rejected(reason) => Some(reason.as_str()),
            _ => None,
        };
        tracing::info!(
            listener = %self.listener.id,
            route = route.map(|route| tracing::field::display(&route.route)),
            backend = backend.map(tracing::field::display),
            endpoint = self.endpoint.map(tracing::field::display),
            downstream = %self.peer,
            local = self.downstream.local_addr().ok().map(|local| tracing::field::display(canonical(local))),
            bytes_up = self.bytes_up,
            bytes_down = self.bytes_down,
            duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            outcome = self.outcome.as_str(),
            reason,
            "connection ended"
        );
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.outcome != Outcome::Completed {
            self.reset();
        }
        self.listener.counters.of(self.worker).ended(self.outcome);
        self.log();
    }
}

/// On a socket for both address families, an IPv4 address comes wrapped as an IPv6 one.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an idle connection costs, apart from what the system keeps for it.
    #[test]
    fn a_connection_is_small() {
        fn size<F>(_: impl Fn(Connection, Arc<Settings>) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(Connection::run) <= 1024, "{} bytes", size(Connection::run));
    }
}
