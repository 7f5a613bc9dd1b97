//! Health endpoints: `/livez` for restarts, `/readyz` for new connections.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

/// Maximum duration of a request with its response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of concurrent probes. Further connections wait in the accept backlog.
const MAX_CONCURRENT_PROBES: usize = 64;

/// Time before the next attempt after a failed accept.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Phase of the program, which decides the response of `/readyz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    Starting,
    Ready,
    Stopping,
}

/// Serves the health endpoints for as long as the runtime exists.
pub(crate) async fn serve(
    listener: TcpListener,
    lifecycle: watch::Receiver<Lifecycle>,
) -> Infallible {
    let permits = Arc::new(Semaphore::new(MAX_CONCURRENT_PROBES));
    loop {
        let permit = permits.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let lifecycle = lifecycle.clone();
                tokio::spawn(async move {
                    // A slow or invalid request gets no response.
                    let _ = timeout(REQUEST_TIMEOUT, serve_connection(stream, lifecycle)).await;
                    drop(permit);
                });
            }
            // For example, the process has no free descriptor at the moment.
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection to the health endpoints");
                sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

/// Error of the health endpoints.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HealthError {
    /// The address cannot be bound.
    #[error(
        "cannot listen on {address} for /livez and /readyz (choose another address with --health)"
    )]
    Listen {
        /// Requested address.
        address: SocketAddr,
        /// Error of the operating system.
        source: io::Error,
    },
}

/// Binds the address of the health endpoints.
///
/// # Errors
/// Returns [`HealthError::Listen`] if the address cannot be bound.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, HealthError> {
    let listen_error = |source: io::Error| HealthError::Listen { address, source };
    let listener = match TcpListener::bind(address).await {
        // `[::]` means all addresses, also on a host without IPv6.
        Err(error)
            if error.kind() != ErrorKind::AddrInUse && address.ip() == Ipv6Addr::UNSPECIFIED =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    };
    let listener = listener.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    tracing::info!(%address, "serving the health endpoints /livez and /readyz");
    Ok(listener)
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
        .serve_connection(TokioIo::new(stream), service)
        .await
}

fn respond(method: &Method, path: &str, lifecycle: Lifecycle) -> Response<Full<Bytes>> {
    let (code, text) = match (path, lifecycle) {
        _ if !matches!(*method, Method::GET | Method::HEAD) => {
            (StatusCode::METHOD_NOT_ALLOWED, "method not allowed: use GET or HEAD\n")
        }
        ("/livez", _) => (StatusCode::OK, "alive\n"),
        ("/readyz", Lifecycle::Ready) => (StatusCode::OK, "ready\n"),
        ("/readyz", Lifecycle::Starting) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "starting: waiting for the first objects of the source\n",
        ),
        ("/readyz", Lifecycle::Stopping) => {
            (StatusCode::SERVICE_UNAVAILABLE, "shutting down: send no new connections\n")
        }
        _ => (StatusCode::NOT_FOUND, "not found: the paths are /livez and /readyz\n"),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
