//! `/livez` and `/readyz`: whether the process should be restarted, and whether it should be sent
//! connections.

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

/// How long a question and its answer may take together.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many may ask at the same time; others wait their turn.
const ASKING: usize = 64;

/// How far the program has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Starting,
    Ready,
    Stopping,
}

/// Answers until it is dropped by the runtime.
pub(crate) async fn serve(listener: TcpListener, stage: watch::Receiver<Stage>) -> Infallible {
    let places = Arc::new(Semaphore::new(ASKING));
    loop {
        let place = places.clone().acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let stage = stage.clone();
                tokio::spawn(async move {
                    // Whoever asks too slowly, or badly, gets no answer.
                    let _ = timeout(PATIENCE, converse(stream, stage)).await;
                    drop(place);
                });
            }
            // Too few descriptors, for example. They come back.
            Err(error) => {
                tracing::debug!(%error, "cannot accept a question about health");
                sleep(Duration::from_millis(100)).await;
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
        /// The requested address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// Binds the port of the health endpoints.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, HealthError> {
    let listen_error = |source: io::Error| HealthError::Listen { address, source };
    let listener = match TcpListener::bind(address).await {
        // All addresses of a host that has no IPv6.
        Err(error)
            if error.kind() != ErrorKind::AddrInUse && address.ip() == Ipv6Addr::UNSPECIFIED =>
        {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    };
    let listener = listener.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    tracing::info!(%address, "health endpoints: /livez and /readyz");
    Ok(listener)
}

async fn converse(stream: TcpStream, stage: watch::Receiver<Stage>) -> hyper::Result<()> {
    let service = service_fn(async |request: Request<Incoming>| {
        let stage = *stage.borrow();
        Ok::<_, Infallible>(answer(request.method(), request.uri().path(), stage))
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

fn answer(method: &Method, path: &str, stage: Stage) -> Response<Full<Bytes>> {
    let (code, text) = match (path, stage) {
        _ if !matches!(*method, Method::GET | Method::HEAD) => {
            (StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n")
        }
        ("/livez", _) => (StatusCode::OK, "alive\n"),
        ("/readyz", Stage::Ready) => (StatusCode::OK, "ready\n"),
        ("/readyz", Stage::Starting) => {
            (StatusCode::SERVICE_UNAVAILABLE, "starting: not all objects are known yet\n")
        }
        ("/readyz", Stage::Stopping) => {
            (StatusCode::SERVICE_UNAVAILABLE, "stopping: send new connections elsewhere\n")
        }
        _ => (StatusCode::NOT_FOUND, "there are /livez and /readyz\n"),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
