//! The accept loop: one for each listener on each worker, from the first connection to the last.

use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockAddr, SockRef, Socket};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::bind::BACKLOG;
use super::connection::Connection;
use super::descriptors::{DescriptorLimit, Reservation};
use super::engine::Engine;
use super::listener::{Phase, SharedListener};
use super::live::Live;

/// Backoff after a failed accept. It begins with the shortest pause and doubles up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause without a free descriptor. A busy listener takes each descriptor at once, so a
/// quiet one has to try often.
const LONGEST_EXHAUSTION_PAUSE: Duration = Duration::from_millis(100);

/// Time between two checks for connections that have not dialled yet.
const UNDIALLED_PAUSE: Duration = Duration::from_millis(1);

/// Minimum time between two warnings about a listener on a worker.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// An accepted connection.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    /// Reservation of a descriptor for the dial.
    reservation: Option<Reservation>,
}

/// A listener on one worker.
pub(super) struct Acceptor {
    socket: TcpListener,
    listener: Arc<SharedListener>,
    live: Arc<Live>,
}

/// Accepts connections until `stop` changes. Then closes the socket, sends on `closed`, and waits
/// for the connections to finish.
pub(super) async fn run(
    acceptor: Acceptor,
    mut stop: watch::Receiver<Phase>,
    closed: oneshot::Sender<()>,
) {
    let live = acceptor.live.clone();
    tokio::select! {
        // An error means that the sender was dropped: then everything stops.
        _ = stop.wait_for(|phase| *phase != Phase::Open) => {}
        () = acceptor.accept() => {}
    }
    acceptor.accept_backlog().await;
    drop(acceptor);
    // An error means that the receiver was dropped, so no task waits.
    let _ = closed.send(());
    drain(&live, stop).await;
}

impl Acceptor {
    pub(super) fn new(
        socket: TcpListener,
        listener: Arc<SharedListener>,
        worker: usize,
        engine: Arc<Engine>,
    ) -> Self {
        // A listener on all interfaces has no single address; each connection has its own.
        let local = socket.local_addr().ok().filter(|local| !local.ip().is_unspecified());
        Self { socket, listener, live: Arc::new(Live::new(worker, engine, local)) }
    }

    async fn accept(&self) {
        let mut pause = SHORTEST_PAUSE;
        let mut is_warned = false;
        let mut quiet_until = Instant::now();
        loop {
            self.wait_for_dials().await;
            match poll_fn(|cx| self.poll_accept(cx)).await {
                Ok(accepted) => {
                    pause = SHORTEST_PAUSE;
                    is_warned = false;
                    self.serve(accepted);
                }
                Err(error) if is_per_connection_error(&error) => {}
                Err(error) => {
                    self.listener.counters().of(self.live.worker).record_accept_error();
                    self.descriptors().note_accept_error(&error);
                    // One warning for each series of errors. If errors and successes alternate,
                    // the interval limits the warnings.
                    if !is_warned && Instant::now() >= quiet_until {
                        is_warned = true;
                        quiet_until = Instant::now() + WARNING_INTERVAL;
                        let listener = &self.listener.state().id;
                        let error = self.descriptors().describe(&error);
                        tracing::warn!(%listener, %error, "cannot accept connections, clients wait in the backlog; retrying with backoff");
                    }
                    let longest = if DescriptorLimit::is_exhaustion(&error) {
                        LONGEST_EXHAUSTION_PAUSE
                    } else {
                        LONGEST_PAUSE
                    };
                    sleep(pause.min(longest)).await;
                    pause = (2 * pause).min(longest);
                }
            }
        }
    }

    /// Accepts a connection if there are descriptors for both of its sockets. Each poll checks this
    /// again, since the descriptors may be in use by the time a client connects.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let held = self.descriptors().admit(&self.socket)?;
        let (stream, peer) = ready!(self.socket.poll_accept(cx))?;
        Poll::Ready(Ok(self.accepted(stream, peer, held)))
    }

    fn accepted(&self, stream: TcpStream, peer: SocketAddr, held: Option<Reservation>) -> Accepted {
        let note_unchecked = || self.descriptors().note_unchecked(&stream, self.live.worker);
        let reservation = held.or_else(note_unchecked);
        Accepted { stream, peer, reservation }
    }

    /// Waits until accepts need not wait for dials.
    async fn wait_for_dials(&self) {
        while self.descriptors().has_undialled() {
            sleep(UNDIALLED_PAUSE).await;
        }
    }

    /// Accepts the connections in the backlog, which the kernel would reset when the socket is
    /// closed.
    ///
    /// This calls accept(2) without the runtime, which may not have received their event yet. The
    /// backlog limits the number of calls, so that clients that connect later do not prolong the
    /// loop.
    async fn accept_backlog(&self) {
        let socket = SockRef::from(&self.socket);
        for _ in 0..BACKLOG {
            self.wait_for_dials().await;
            let Ok(held) = self.descriptors().admit(&self.socket) else { return };
            match socket.accept().and_then(into_tokio) {
                Ok((stream, peer)) => self.serve(self.accepted(stream, peer, held)),
                Err(error) if is_per_connection_error(&error) => {}
                Err(_) => return,
            }
        }
    }

    fn serve(&self, Accepted { stream, peer, reservation }: Accepted) {
        self.live.spawn(|place| {
            let listener = self.listener.state();
            Connection::new(stream, peer, reservation, listener, place).run()
        });
    }

    fn descriptors(&self) -> &DescriptorLimit {
        &self.live.engine.descriptors
    }
}

/// Registers an accepted connection with the runtime.
fn into_tokio((socket, peer): (Socket, SockAddr)) -> io::Result<(TcpStream, SocketAddr)> {
    socket.set_nonblocking(true)?;
    let peer = peer.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    Ok((TcpStream::from_std(socket.into())?, peer))
}

/// Returns `true` if a connection was lost before it was accepted, so that the next accept may
/// succeed at once. `EPERM` is not such an error: no accept is permitted, and a retry without a
/// pause would loop forever.
fn is_per_connection_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
    )
}

/// Waits until no connection is left, and ends those that are left at the deadline. The deadline
/// may change, or be cancelled, while this waits.
async fn drain(live: &Live, mut stop: watch::Receiver<Phase>) {
    loop {
        let phase = *stop.borrow_and_update();
        let deadline = async {
            match phase {
                Phase::Closed(Some(deadline)) => sleep_until(deadline).await,
                Phase::Closed(None) => pending().await,
                // The sender was dropped, so all connections end now.
                Phase::Open => {}
            }
        };
        tokio::select! {
            // A worker that is scheduled late sees a change and the old deadline at once. The
            // change comes first: it may have moved or cancelled the deadline.
            biased;
            () = live.empty() => return,
            Ok(()) = stop.changed() => {}
            () = deadline => {
                live.abort();
                live.empty().await;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};
    use std::pin::pin;
    use std::task::Poll;

    use super::*;
    use crate::forward::settings::Settings;

    /// A worker that is scheduled late sees the change and the expired deadline at once.
    #[tokio::test(start_paused = true)]
    async fn drain_prefers_changed_deadline_to_expired_one() {
        const TIMEOUT: Duration = Duration::from_millis(10);
        // A random choice would be right in half of the cases.
        for _ in 0..20 {
            let live =
                Arc::new(Live::new(0, Arc::new(Engine::new(Settings::default()).unwrap()), None));
            live.spawn(|place| async move {
                let _place = place;
                pending().await
            });
            let phase = watch::Sender::new(Phase::Closed(Some(Instant::now() + TIMEOUT)));
            let mut draining = pin!(drain(&live, phase.subscribe()));
            let mut poll = async || poll_fn(|cx| Poll::Ready(draining.as_mut().poll(cx))).await;
            assert!(poll().await.is_pending());
            tokio::time::advance(2 * TIMEOUT).await;
            phase.send_replace(Phase::Closed(None));
            assert!(poll().await.is_pending());
            tokio::task::yield_now().await;
            assert!(poll().await.is_pending(), "connections were ended");
        }
    }
}
