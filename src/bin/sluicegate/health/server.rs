//! Server of the health endpoints.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::connections::Connections;
use super::response::{Lifecycle, respond};

/// Maximum duration of a request with its response. A probe sends its request in one segment.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum number of open connections. The forwarder leaves 128 descriptors unused: 96 for the
/// connections here, and 32 for the sources.
const MAX_CONNECTIONS: usize = 96;

/// Number of connections to accept before their requests are read.
const ACCEPT_BATCH: usize = 8;

/// Maximum number of connections in the accept queue; the kernel caps it (`net.core.somaxconn`).
/// When the queue is full, the kernel drops a SYN, and the probe waits for a second to send it
/// again.
const BACKLOG: u32 = 4096;

/// Maximum size of a request in bytes. It is the smallest one that hyper allows.
const MAX_REQUEST_SIZE: usize = 8 * 1024;

/// Time before the next attempt after a failed accept.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves the health endpoints for as long as the runtime exists.
pub(crate) async fn serve(
    listener: TcpListener,
    lifecycle: watch::Receiver<Lifecycle>,
) -> Infallible {
    let mut connections = Connections::new(max_connections());
    let mut batch = 0..ACCEPT_BATCH;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let lifecycle = lifecycle.clone();
                connections.insert(|received| async move {
                    let served = async {
                        // A new socket counts as readable before the first attempt to read it.
                        stream.peek(&mut [0]).await?;
                        received.note();
                        serve_connection(stream, lifecycle).await.map_err(io::Error::other)
                    };
                    // A slow or invalid request gets no response.
                    let _ = timeout(REQUEST_TIMEOUT, served).await;
                });
            }
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection to the health endpoints");
                // The usual cause is a lack of descriptors. Closing a connection frees one.
                if connections.close_one() {
                    yield_now().await;
                } else {
                    sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
        // A loop without a pause would close connections before their request is read.
        if batch.next().is_none() {
            batch = 0..ACCEPT_BATCH;
            yield_now().await;
        }
    }
}

/// Returns the maximum number of open connections. It is three quarters of the descriptors that the
/// forwarder leaves unused, which are at most a quarter of the limit. A batch is accepted before
/// the sockets of replaced connections are closed.
fn max_connections() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    MAX_CONNECTIONS.min(limit / 16 * 3).saturating_sub(ACCEPT_BATCH).max(1)
}

/// Error of the health endpoints.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HealthError {
    /// The address cannot be bound.
    #[error(
        "cannot listen on {address} for the health endpoints (choose another address with --health)"
    )]
    Listen {
        /// Requested address.
        address: SocketAddr,
        /// Error of the operating system.
        source: io::Error,
    },
}

/// Binds the address of the health endpoints. Returns the bound address, too.
///
/// # Errors
/// Returns [`HealthError::Listen`] if the address cannot be bound.
pub(crate) fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), HealthError> {
    let listen_error = |source: io::Error| HealthError::Listen { address, source };
    let listener = match bind(address) {
        // `[::]` means all addresses, also on a host without IPv6.
        Err(error)
            if error.kind() != ErrorKind::AddrInUse && address.ip() == Ipv6Addr::UNSPECIFIED =>
        {
            bind((Ipv4Addr::UNSPECIFIED, address.port()).into())
        }
        bound => bound,
    };
    let listener = listener.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    tracing::info!(%address, "serving the health endpoints /livez, /readyz and /acceptz");
    Ok((listener, address))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Allows bind() while connections of an earlier process are in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve_connection(
    stream: TcpStream,
    lifecycle: watch::Receiver<Lifecycle>,
) -> hyper::Result<()> {
    let service = service_fn(async |request: Request<Incoming>| {
        let lifecycle = *lifecycle.borrow();
        Ok::<_, Infallible>(respond(request.method(), request.uri().path(), lifecycle))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(MAX_REQUEST_SIZE)
        .serve_connection(TokioIo::new(stream), service)
        .await
}
