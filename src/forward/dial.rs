//! Reaching a backend: one endpoint after the other, until one takes the connection.

use std::io;
use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::outcome::Outcome;
use super::route::Endpoints;
use super::settings::Settings;

/// A connection to one of `endpoints`.
///
/// # Errors
/// How the last endpoint tried failed, after as many as the settings allow.
pub(super) async fn dial(
    endpoints: &Endpoints<'_>,
    settings: &Settings,
) -> Result<(SocketAddr, TcpStream), DialFailure> {
    let mut failure = None;
    for endpoint in endpoints.in_turn(settings.dial_attempts.max(1)) {
        let (outcome, error) = match timeout(settings.dial_timeout, connect(endpoint)).await {
            Ok(Ok(stream)) => return Ok((endpoint, stream)),
            Ok(Err(error)) => (Outcome::DialFailed, error),
            Err(_) => (Outcome::DialTimedOut, io::ErrorKind::TimedOut.into()),
        };
        tracing::debug!(%endpoint, %error, "endpoint did not take the connection");
        failure = Some(DialFailure { outcome, endpoint });
    }
    Err(failure.expect("a target has at least one endpoint"))
}

/// How the last endpoint tried failed.
pub(super) struct DialFailure {
    pub(super) outcome: Outcome,
    pub(super) endpoint: SocketAddr,
}

async fn connect(endpoint: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(endpoint).await?;
    stream.set_nodelay(true)?;
    // A backend that vanished without a word is found out, some day.
    SockRef::from(&stream).set_keepalive(true)?;
    Ok(stream)
}
