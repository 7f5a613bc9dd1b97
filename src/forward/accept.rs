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

/// The first pause after the system could not hand out a connection; it doubles up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Time between two checks for connections that have not dialled yet.
const UNDIALLED_PAUSE: Duration = Duration::from_millis(1);

/// The least time between two warnings of a listener on a worker.
const WARNING_INTERVAL: Duration = Duration::from_secs(1);

/// A connection that was accepted.
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

/// Accepts connections until told to stop; then closes the socket, says so, and waits for the
/// connections to finish.
pub(super) async fn run(
    acceptor: Acceptor,
    mut stop: watch::Receiver<Phase>,
    closed: oneshot::Sender<()>,
) {
    let live = acceptor.live.clone();
    tokio::select! {
        // An error means that the other end is gone: then everything stops.
        _ = stop.wait_for(|phase| *phase != Phase::Open) => {}
        () = acceptor.accept() => {}
    }
    acceptor.accept_waiting();
    drop(acceptor);
    // Nobody may be waiting for it.
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
        // On all interfaces, each connection has to be asked.
        let local = socket.local_addr().ok().filter(|local| !local.ip().is_unspecified());
        Self { socket, listener, live: Arc::new(Live::new(worker, engine, local)) }
    }

    async fn accept(&self) {
        let mut pause = SHORTEST_PAUSE;
        let mut told = false;
        let mut quiet_until = Instant::now();
        loop {
            while self.descriptors().has_undialled() {
                sleep(UNDIALLED_PAUSE).await;
            }
            match poll_fn(|cx| self.poll_accept(cx)).await {
                Ok(accepted) => {
                    pause = SHORTEST_PAUSE;
                    told = false;
                    self.serve(accepted);
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    self.listener.counters().of(self.live.worker).record_accept_error();
                    self.descriptors().note_accept_error(&error);
                    // Once for each lack; but where there is one with every other connection, not
                    // at their rate.
                    if !told && Instant::now() >= quiet_until {
                        told = true;
                        quiet_until = Instant::now() + WARNING_INTERVAL;
                        let listener = &self.listener.state().id;
                        let error = self.descriptors().describe(&error);
                        tracing::warn!(%listener, %error, "cannot accept connections; retrying with backoff");
                    }
                    sleep(pause).await;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Accepts a connection if there are descriptors for both of its sockets. The check belongs to
    /// each poll: the descriptors may be gone when a client comes.
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let held = match self.descriptors().admit(&self.socket) {
            Ok(held) => held,
            Err(error) if DescriptorLimit::has_client(&self.socket) => {
                return Poll::Ready(Err(error));
            }
            // Nothing to accept, so this only waits for the next client.
            Err(_) => None,
        };
        let (stream, peer) = ready!(self.socket.poll_accept(cx))?;
        let note_unchecked = || self.descriptors().note_unchecked(&stream, self.live.worker);
        let reservation = held.or_else(note_unchecked);
        Poll::Ready(Ok(Accepted { stream, peer, reservation }))
    }

    /// Connections that the system has already accepted would be reset with the socket. It is asked
    /// itself, since the runtime may not have heard of them yet; and no more often than there can be
    /// connections that came before the listener was to end. Each one is checked, since none can
    /// dial before all are accepted.
    fn accept_waiting(&self) {
        let socket = SockRef::from(&self.socket);
        for _ in 0..BACKLOG {
            let Ok(reservation) = self.descriptors().hold(&self.socket) else { return };
            match socket.accept().and_then(adopt) {
                Ok((stream, peer)) => self.serve(Accepted { stream, peer, reservation }),
                Err(error) if concerns_one_connection(&error) => {}
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

/// Hands a connection that the system accepted to the runtime.
fn adopt((socket, peer): (Socket, SockAddr)) -> io::Result<(TcpStream, SocketAddr)> {
    socket.set_nonblocking(true)?;
    let peer = peer.as_socket().ok_or(io::ErrorKind::Unsupported)?;
    Ok((TcpStream::from_std(socket.into())?, peer))
}

/// Errors of a connection that was lost before it could be accepted; the next one may be fine. Not
/// so where accepting is not permitted: then no connection is, and trying at once would never end.
fn concerns_one_connection(error: &io::Error) -> bool {
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
/// may still move, or be taken back.
async fn drain(live: &Live, mut stop: watch::Receiver<Phase>) {
    loop {
        let phase = *stop.borrow_and_update();
        let deadline = async {
            match phase {
                Phase::Closed(Some(deadline)) => sleep_until(deadline).await,
                Phase::Closed(None) => pending().await,
                // Whoever could have closed it is gone.
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

    /// The worker may notice both at once, if it was not scheduled for a while.
    #[tokio::test(start_paused = true)]
    async fn drain_prefers_changed_deadline_to_expired_one() {
        const TIMEOUT: Duration = Duration::from_millis(10);
        // A choice at random would be right every other time.
        for _ in 0..20 {
            let live = Arc::new(Live::new(0, Arc::new(Engine::new(Settings::default())), None));
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
