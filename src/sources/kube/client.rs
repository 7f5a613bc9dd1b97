//! The client of the API server, whose connections notice a silent peer.

use std::time::Duration;

use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ConfigExt};
use kube::{Client, Config};
use tower::timeout::Timeout;
use tower::{BoxError, ServiceBuilder, ServiceExt};

/// Time without data after which the kernel probes a connection, and the time between probes.
const KEEPALIVE_TIME: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// Number of unanswered probes after which the kernel closes a connection. The user timeout, if the
/// kernel supports it, decides instead, at the same time.
const KEEPALIVE_RETRIES: u32 = 3;

/// Time after which the kernel closes a connection whose peer does not acknowledge data or probes.
/// Keepalive alone does not cover data that is sent and not acknowledged: the kernel would
/// retransmit it for about 15 minutes.
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum time for TCP connect and TLS handshake together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Time for which an idle connection is kept. It is short because the client does not notice when
/// the peer of an idle connection vanishes: a request on such a connection waits for the response
/// timeout, and its retry must not use another such connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Creates the client of a cluster. The API server need not be reachable.
///
/// It differs from the default client of `kube` in the socket options and the idle timeout. If the
/// configuration has a proxy, it is the default client, which connects to the proxy itself, without
/// these socket options. Without the feature of `kube` for the proxy, that is an error.
pub(super) fn build_client(mut config: Config) -> kube::Result<Client> {
    // The source itself retries, with its own delays, and reports the errors.
    config.default_retry = false;
    if config.proxy_url.is_some() {
        return Client::try_from(config);
    }
    let connector = config.rustls_https_connector_with_connector(build_connector())?;
    // The HTTP client requires futures that can be moved.
    let connector = Timeout::new(connector, CONNECT_TIMEOUT).map_future(Box::pin);
    let http_client: HttpClient<_, Body> = HttpClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http_client);
    Ok(Client::new(service, config.default_namespace))
}

fn build_connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    // The TLS connector around this one needs `https`.
    connector.enforce_http(false);
    connector.set_keepalive(Some(KEEPALIVE_TIME));
    connector.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    connector.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(USER_TIMEOUT));
    connector
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use socket2::SockRef;
    use tokio::net::TcpListener;
    use tower::Service;

    use super::*;

    #[tokio::test]
    async fn connections_have_keepalive_and_user_timeout() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
        let stream = build_connector().call(url).await.unwrap().into_inner();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), KEEPALIVE_TIME);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), KEEPALIVE_INTERVAL);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), KEEPALIVE_RETRIES);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(USER_TIMEOUT));
    }
}
