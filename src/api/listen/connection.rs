//! One connection: handshake, requests, timeouts.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tower::{Service, ServiceExt as _};

use super::monitored_stream::MonitoredStream;
use super::progress::Progress;
use super::served_body::ServedBody;
use super::settings::ListenSettings;
use crate::api::access::ClientConnection;

/// Largest header of a request. Larger ones are answered 431.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// Maximum number of header fields in a request. More are answered 431.
const MAX_HEADERS: usize = 100;

/// Largest read and write buffer of a connection.
const MAX_BUFFER_BYTES: usize = 128 << 10;

/// Common part of all connections.
#[derive(Clone)]
pub(super) struct ConnectionContext {
    pub(super) tls: TlsAcceptor,
    pub(super) settings: Arc<ListenSettings>,
    /// Becomes `true` at the shutdown.
    pub(super) stop: watch::Receiver<bool>,
}

impl ConnectionContext {
    /// Serves a connection until the client or a timeout ends it. Reports its progress.
    pub(super) async fn serve<S, B>(
        self,
        stream: TcpStream,
        connection: ClientConnection,
        progress: Progress,
        service: S,
    ) where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone,
        B: Body + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        // TCP_NODELAY: answers and events are small, and must not wait for an acknowledgement.
        _ = stream.set_nodelay(true);
        let peer = connection.peer();
        let stream = MonitoredStream::new(stream, progress.clone());
        match timeout(self.settings.handshake_timeout, self.tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                progress.note_handshake();
                self.serve_http(stream, connection, service, progress).await;
            }
            Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake with a client failed"),
            Err(_) => tracing::debug!(%peer, "TLS handshake with a client took too long"),
        }
    }

    async fn serve_http<I, S, B>(
        &self,
        stream: I,
        connection: ClientConnection,
        service: S,
        progress: Progress,
    ) where
        I: AsyncRead + AsyncWrite + Unpin,
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone,
        B: Body + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let peer = connection.peer();
        let requests = progress.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            requests.note_request();
            request.extensions_mut().insert(connection.clone());
            let (answered, progress) = (service.clone().oneshot(request), requests.clone());
            async move {
                let response = answered.await?;
                Ok::<_, Infallible>(response.map(|body| ServedBody::new(body, progress)))
            }
        });
        let mut served = pin!(
            http1::Builder::new()
                .max_header_size(MAX_HEADER_BYTES)
                .max_headers(MAX_HEADERS)
                .max_buf_size(MAX_BUFFER_BYTES)
                // `Progress` has the timeouts.
                .header_read_timeout(None)
                .serve_connection(TokioIo::new(stream), service)
        );
        let mut stop = self.stop.clone();
        let mut is_stopping = false;
        loop {
            let next = match progress.check(&self.settings) {
                Ok(next) => next,
                Err(reason) => {
                    tracing::debug!(%peer, ?reason, "closing a connection to the API");
                    return;
                }
            };
            tokio::select! {
                result = &mut served => {
                    if let Err(error) = result {
                        tracing::debug!(%peer, %error, "connection to the API failed");
                    }
                    return;
                }
                () = sleep_until(next) => {}
                _ = stop.wait_for(|stop| *stop), if !is_stopping => {
                    is_stopping = true;
                    served.as_mut().graceful_shutdown();
                }
            }
        }
    }
}
