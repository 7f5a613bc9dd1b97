//! The server: from the listening socket to the connections.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Bytes, Incoming};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use tower::Service;

use super::addresses::is_loopback;
use super::connection::ConnectionContext;
use super::connections::Connections;
use super::progress::Progress;
use super::settings::ListenSettings;
use super::tls::Tls;
use crate::api::access::{Access, ClientConnection, Token};
use crate::api::folder::Endpoint;
use crate::api::kubeconfig::Kubeconfig;

/// First and longest delay after a failed accept. The delay doubles each time.
const ACCEPT_BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Listening server of an API. It serves the requests of a [`Service`] such as
/// [`ApiService`](crate::api::ApiService), with TLS.
pub struct ApiServer {
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) tls: Tls,
    pub(super) access: Access,
    pub(super) settings: ListenSettings,
    pub(super) endpoint: Endpoint,
    pub(super) token: Token,
}

impl ApiServer {
    /// Returns the bound address.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Returns `true` if the server can be reached from this host only.
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.address)
    }

    /// Returns the URL for clients.
    pub fn url(&self) -> &str {
        &self.endpoint.server
    }

    /// Returns the limit of open watches for the
    /// [settings](crate::api::Settings::with_max_watches) of the service: the number of connections
    /// for clients with a valid token, since each watch needs one.
    pub fn max_watches(&self) -> usize {
        self.settings.max_authenticated()
    }

    /// Returns the access control, for the service.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Returns a kubeconfig with the token of the administrator.
    pub fn kubeconfig(&self) -> Kubeconfig {
        Kubeconfig::of_endpoint(&self.endpoint, self.token.clone())
    }

    /// Serves requests until `stop` is ready. Then no connection is accepted, and requests may
    /// finish until the shutdown timeout of the settings; watches are cut at that time.
    ///
    /// Meanwhile it follows the file of tokens, and renews the certificate.
    pub async fn serve<S, B>(self, service: S, stop: impl Future<Output = ()>)
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Self { listener, mut tls, access, settings, .. } = self;
        let (stop_sender, stop_receiver) = watch::channel(false);
        let context = ConnectionContext {
            tls: tls.acceptor(),
            settings: Arc::new(settings.clone()),
            stop: stop_receiver,
        };
        let mut connections = Connections::new(&settings);
        let mut backoff = ACCEPT_BACKOFF.0;
        let mut stop = pin!(stop);
        let mut followed = pin!(follow(&mut tls, &access));
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = &mut followed => {}
                () = connections.ended() => {}
                result = accept(&listener) => match result {
                    Ok((stream, connection)) => {
                        backoff = ACCEPT_BACKOFF.0;
                        let (progress, context) = (Progress::new(), context.clone());
                        let (client, service) = (connection.clone(), service.clone());
                        let serve = context.serve(stream, client, progress.clone(), service);
                        connections.insert(connection, progress, serve);
                    }
                    Err(error) => {
                        // The usual cause is EMFILE. Closing a connection frees a descriptor.
                        tracing::warn!(%error, "cannot accept a connection to the API; trying again");
                        connections.close_unused();
                        sleep(backoff).await;
                        backoff = (backoff * 2).min(ACCEPT_BACKOFF.1);
                    }
                },
            }
        }
        drop(listener);
        stop_sender.send_replace(true);
        connections.drain(settings.shutdown_timeout).await;
    }
}

async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, ClientConnection)> {
    loop {
        let (stream, peer) = listener.accept().await?;
        // `local_addr` fails if the client has closed the connection already.
        if let Ok(local) = stream.local_addr() {
            return Ok((stream, ClientConnection::new(peer, local)));
        }
    }
}

/// Renews the certificate and follows the file of tokens. Does not end.
async fn follow(tls: &mut Tls, access: &Access) {
    tokio::join!(tls.renew(access), access.follow_tokens_file());
}

impl fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiServer").field("address", &self.address).finish_non_exhaustive()
    }
}
