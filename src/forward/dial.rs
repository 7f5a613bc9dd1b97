//! Reaching a backend: one endpoint after the other, until one takes the connection.

use std::io;
use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use super::deadline::within;
use super::outcome::Outcome;
use super::route::Endpoints;
use super::settings::Settings;

/// A connection to one of `endpoints`; `is_awaited` says that bytes for it are there already.
///
/// # Errors
/// How the last endpoint tried failed, after as many as the settings allow.
pub(super) async fn dial(
    is_awaited: bool,
    endpoints: &Endpoints<'_>,
    settings: &Settings,
) -> Result<(SocketAddr, TcpStream), DialFailure> {
    let mut failure = None;
    for endpoint in endpoints.in_turn(settings.dial_attempts.max(1)) {
        let connected = within(settings.dial_timeout, connect(endpoint, is_awaited));
        let (outcome, error) = match connected.await {
            Some(Ok(stream)) => return Ok((endpoint, stream)),
            Some(Err(error)) => (Outcome::DialFailed, error),
            None => (Outcome::DialTimedOut, io::ErrorKind::TimedOut.into()),
        };
        tracing::debug!(%endpoint, %error, "cannot connect to endpoint");
        failure = Some(DialFailure { outcome, endpoint });
    }
    Err(failure.expect("BUG: target without endpoints"))
}

/// How the last endpoint tried failed.
pub(super) struct DialFailure {
    pub(super) outcome: Outcome,
    pub(super) endpoint: SocketAddr,
}

async fn connect(endpoint: SocketAddr, is_awaited: bool) -> io::Result<TcpStream> {
    let socket = if endpoint.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_nodelay(true)?;
    // A backend that vanished without a word is found out, some day.
    socket.set_keepalive(true)?;
    if is_awaited {
        merge_first_packets(&socket);
    }
    socket.connect(endpoint).await
}

/// Lets the last packet of the handshake wait for the first bytes. Were they not there yet, that
/// would keep a backend waiting that speaks first.
fn merge_first_packets(socket: &TcpSocket) {
    #[cfg(target_os = "linux")]
    // It saves a packet; that it cannot be had is no reason not to connect.
    let _ = SockRef::from(socket).set_tcp_quickack(false);
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}
