//! Reaching a backend: one endpoint after the other, until one takes the connection.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpSocket, TcpStream};

use super::deadline::within;
use super::outcome::Outcome;
use super::route::Endpoints;
use super::settings::Settings;

/// Connects to one of `endpoints`.
///
/// # Errors
/// How the last endpoint tried failed, after as many as the settings allow.
pub(super) async fn dial(
    endpoints: &Endpoints<'_>,
    settings: &Settings,
) -> Result<(SocketAddr, TcpStream), DialFailure> {
    let mut failure = None;
    for endpoint in endpoints.in_turn(settings.dial_attempts.max(1)) {
        let connected = within(settings.dial_timeout, connect(endpoint));
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

async fn connect(endpoint: SocketAddr) -> io::Result<TcpStream> {
    let socket = if endpoint.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_nodelay(true)?;
    // A backend that vanished without a word is found out, some day.
    socket.set_keepalive(true)?;
    socket.connect(endpoint).await
}
