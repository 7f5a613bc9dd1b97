//! A connection, from accept to outcome.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::connection_log::{ConnectionEnd, ConnectionOpened, Event};
use super::descriptors::Reservation;
use super::dial::FailedDial;
use super::direction::{Meter, Side};
use super::engine::Engine;
use super::listener::ListenerState;
use super::live::Place;
use super::outcome::Outcome;
use super::relay::relay;
use crate::plan::RejectReason;

/// Panic message for a missing stream.
const THERE: &str = "BUG: stream used after close() or before it was connected";

/// A connection and its state. Dropping it counts and logs the connection, also if its task is
/// aborted.
#[derive(Debug)]
pub(super) struct Connection {
    /// `None` after [`close`](Self::close).
    downstream: Option<TcpStream>,
    peer: SocketAddr,
    /// The listener at the time of the accept. Later changes do not affect the connection.
    listener: Arc<ListenerState>,
    started: Instant,
    /// Index of the share in the plan of the route.
    share: Option<usize>,
    endpoint: Option<SocketAddr>,
    /// Number of attempts to connect to an endpoint.
    attempts: u32,
    /// Duration of all attempts in microseconds; `None` until the last one ends.
    dial_us: Option<u32>,
    /// `None` once the connection has dialled.
    reservation: Option<Reservation>,
    upstream: Option<TcpStream>,
    bytes_up: u64,
    bytes_down: u64,
    /// The outcome to record on drop. It starts as `Drained`, so an aborted task is recorded as
    /// drained.
    outcome: Outcome,
    place: Place,
}

impl Connection {
    pub(super) fn new(
        downstream: TcpStream,
        peer: SocketAddr,
        reservation: Option<Reservation>,
        listener: Arc<ListenerState>,
        place: Place,
    ) -> Self {
        listener.counters.of(place.live().worker).record_accepted();
        Self {
            downstream: Some(downstream),
            peer: canonical(peer),
            listener,
            started: Instant::now(),
            share: None,
            endpoint: None,
            attempts: 0,
            dial_us: None,
            reservation,
            upstream: None,
            bytes_up: 0,
            bytes_down: 0,
            outcome: Outcome::Drained,
            place,
        }
    }

    /// Proxies the connection until it ends.
    #[expect(
        clippy::manual_async_fn,
        reason = "the future of an `async fn` would hold `self` twice"
    )]
    pub(super) fn run(mut self) -> impl Future<Output = ()> {
        async move {
            let this = &mut self;
            this.outcome = match this.carry().await {
                Ok(()) => Outcome::Completed,
                Err(outcome) => outcome,
            };
        }
    }

    async fn carry(&mut self) -> Result<(), Outcome> {
        // Boxed, so that the memory of the dial is freed before the relay starts.
        Box::pin(self.dial()).await?;
        self.relay().await
    }

    async fn dial(&mut self) -> Result<(), Outcome> {
        let route =
            self.listener.route.as_deref().ok_or(Outcome::Rejected(RejectReason::NoRoute))?;
        let pick = route.pick();
        self.share = pick.share;
        let backend = pick.target.map_err(Outcome::Rejected)?;
        let downstream = self.downstream.as_ref().expect(THERE);
        let started = Instant::now();
        let live = self.place.live();
        let Engine { dialer, descriptors, .. } = &*live.engine;
        // The first attempt opens its socket without waiting, so no other accept gets the number.
        descriptors.release(self.reservation.take(), live.worker);
        let dialled = tokio::select! {
            biased;
            dialled = dialer.dial(backend, &mut self.attempts, descriptors) => Ok(dialled),
            _ = downstream.ready(Interest::ERROR) => Err(Outcome::DownstreamReset),
        };
        self.dial_us = Some(elapsed_micros(started));
        match dialled? {
            Ok((endpoint, upstream)) => {
                self.endpoint = Some(endpoint);
                self.upstream = Some(upstream);
                self.log_opened(endpoint);
                Ok(())
            }
            Err(FailedDial { endpoint, failure }) => {
                self.endpoint = Some(endpoint);
                Err(Outcome::DialFailed(failure))
            }
        }
    }

    async fn relay(&mut self) -> Result<(), Outcome> {
        let downstream = self.downstream.as_ref().expect(THERE);
        let upstream = self.upstream.as_ref().expect(THERE);
        let counters = self.listener.counters.of(self.place.live().worker);
        let up = Meter { bytes: &mut self.bytes_up, total: &counters.bytes_up };
        let down = Meter { bytes: &mut self.bytes_down, total: &counters.bytes_down };
        relay(downstream, upstream, up, down).await.map_err(|side| match side {
            Side::Downstream => Outcome::DownstreamReset,
            Side::Upstream => Outcome::UpstreamReset,
        })
    }

    /// Closes both sides: with FIN if the connection completed, else with RST.
    fn close(&mut self) {
        for stream in [self.downstream.take(), self.upstream.take()].into_iter().flatten() {
            if self.outcome != Outcome::Completed {
                // It fails only if the connection is already closed.
                let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            }
        }
    }

    /// Returns the duration of all attempts in microseconds; `None` without an attempt.
    fn dial_us(&self) -> Option<u32> {
        // A dial begins when the connection is accepted. An aborted dial ends now.
        (self.attempts > 0).then(|| self.dial_us.unwrap_or_else(|| elapsed_micros(self.started)))
    }

    /// Returns the address that the client connected to.
    fn local(&self) -> Option<SocketAddr> {
        let ask = || self.downstream.as_ref()?.local_addr().ok();
        self.place.live().local.or_else(ask).map(canonical)
    }

    fn is_logged(&self, event: Event) -> bool {
        let live = self.place.live();
        live.engine.connection_log.admits(live.worker, &self.listener.id, event)
    }

    fn log_opened(&self, endpoint: SocketAddr) {
        if self.is_logged(Event::Opened) {
            let (listener, share, downstream) = (&*self.listener, self.share, self.peer);
            ConnectionOpened { listener, share, endpoint, downstream }.log();
        }
    }

    fn log(&self, local: Option<SocketAddr>) {
        let end = ConnectionEnd {
            listener: &self.listener,
            share: self.share,
            endpoint: self.endpoint,
            downstream: self.peer,
            local,
            attempts: self.attempts,
            dial_us: self.dial_us(),
            bytes_up: self.bytes_up,
            bytes_down: self.bytes_down,
            duration: self.started.elapsed(),
            outcome: self.outcome,
        };
        end.log();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let is_logged = self.is_logged(Event::Ended(self.outcome));
        // The kernel returns the address only while the socket is open. Only the log needs it.
        let local = is_logged.then(|| self.local()).flatten();
        let counters = self.listener.counters.of(self.place.live().worker);
        if let Some(dial_us) = self.dial_us() {
            counters.record_dial(self.attempts, dial_us);
        }
        counters.record_end(self.outcome);
        let live = self.place.live();
        live.engine.descriptors.release(self.reservation.take(), live.worker);
        // Closed before the log line is written, so that the peers do not wait for the log.
        self.close();
        if is_logged {
            self.log(local);
        }
    }
}

/// Returns the time since `start` in microseconds, at most 71 minutes.
fn elapsed_micros(start: Instant) -> u32 {
    u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX)
}

/// Returns an IPv4-mapped IPv6 address, which a dual-stack socket reports, as an IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bounds the memory of an idle connection outside the kernel.
    #[test]
    fn a_connection_is_small() {
        fn size<F>(_: impl Fn(Connection) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(Connection::run) <= 576, "{} bytes", size(Connection::run));
    }
}
