//! Bounds of connections: slow and silent clients, their number, sizes.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Bytes, Frame, Incoming};
use sluicegate::api::{ApiServerBuilder, ListenSettings};
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;
use tower::service_fn;

use crate::server::{TestServer, WAIT_TIMEOUT, answer_ok, wait_until, write_secret};

const SHORT: Duration = Duration::from_millis(300);

/// Endless body, which records that it is dropped.
pub(crate) struct EndlessBody {
    pub(crate) is_dropped: Arc<AtomicBool>,
    /// Sends bytes without end, or nothing.
    pub(crate) is_busy: bool,
}

impl Body for EndlessBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.is_busy {
            true => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 16 << 10]))))),
            false => Poll::Pending,
        }
    }
}

impl Drop for EndlessBody {
    fn drop(&mut self) {
        self.is_dropped.store(true, Ordering::SeqCst);
    }
}

async fn start(settings: ListenSettings) -> TestServer {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let configure = |builder: ApiServerBuilder| builder.settings(settings);
    TestServer::start_with(folder, configure, service_fn(answer_ok)).await
}

#[tokio::test]
async fn slow_header_is_cut_and_delays_no_other_client() {
    let server = start(ListenSettings::new().with_header_timeout(SHORT)).await;
    let mut slow = server.connect().await;
    slow.write("GET / HTTP/1.1\r\nhost:").await;
    assert_eq!(server.get("/").await.code, 200);
    assert_eq!(slow.read_to_end().await, "");
    let mut silent = server.connect().await;
    assert_eq!(silent.read_to_end().await, "");
}

#[tokio::test]
async fn idle_connection_is_kept_longer_than_a_header() {
    let settings = ListenSettings::new().with_header_timeout(SHORT);
    let server = start(settings.clone().with_idle_timeout(Duration::from_secs(600))).await;
    let mut client = server.connect().await;
    for _ in 0..2 {
        assert_eq!(client.send("GET", "/", "host: a\r\n").await.code, 200);
        tokio::time::sleep(SHORT * 2).await;
    }
    let server = start(settings.with_idle_timeout(SHORT)).await;
    let mut client = server.connect().await;
    assert_eq!(client.send("GET", "/", "host: a\r\n").await.code, 200);
    assert_eq!(client.read_to_end().await, "");
}

#[tokio::test]
async fn handshake_has_a_timeout() {
    let server = start(ListenSettings::new().with_handshake_timeout(SHORT)).await;
    let mut stream = server.connect_tcp().await;
    let read = timeout(WAIT_TIMEOUT, stream.read(&mut [0])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
}

#[tokio::test]
async fn clients_without_a_token_displace_only_each_other() {
    let settings = ListenSettings::new().with_max_connections(4);
    let server = TestServer::start(|builder| builder.settings(settings)).await;
    let mut client = server.connect().await;
    let headers = server.headers(&server.token);
    assert_eq!(client.send("GET", "/api/v1/services", &headers).await.code, 200);
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(server.connect_tcp().await);
    }
    assert_eq!(server.get("/api/v1/services").await.code, 200);
    assert_eq!(client.send("GET", "/api/v1/services", &headers).await.code, 200);
    let read = timeout(WAIT_TIMEOUT, silent[0].read(&mut [0])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
}

/// Other users and new clients of the same one are served, although a client keeps connections open.
#[tokio::test]
async fn token_with_many_connections_locks_out_no_client() {
    const VIEW: &str = "view-0123456789abcdef0123456789abcdef";
    let settings = ListenSettings::new().with_max_connections(8);
    let tokens = tempfile::tempdir().unwrap();
    let tokens = tokens.path().join("tokens");
    write_secret(&tokens, &format!("bob view {VIEW}\n"));
    let configure = |builder: ApiServerBuilder| builder.settings(settings).tokens_file(&tokens);
    let server = TestServer::start(configure).await;
    let mut admin = server.connect().await;
    let (path, headers) = ("/api/v1/services", server.headers(&server.token));
    assert_eq!(admin.send("GET", path, &headers).await.code, 200);
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = server.connect().await;
        assert_eq!(client.send("GET", path, &server.headers(VIEW)).await.code, 200);
        clients.push(client);
    }
    // Its connection is the oldest, and idle, but that of another user.
    assert_eq!(admin.send("GET", path, &headers).await.code, 200);
    assert_eq!(server.get(path).await.code, 200);
    assert_eq!(clients[0].read_to_end().await, "");
    assert_eq!(clients[19].send("GET", path, &server.headers(VIEW)).await.code, 200);
}

#[tokio::test]
async fn large_header_is_refused() {
    let server = start(ListenSettings::new()).await;
    for headers in [format!("x: {}\r\n", "a".repeat(80 << 10)), "x: y\r\n".repeat(200)] {
        let mut client = server.connect().await;
        client.write(&format!("GET / HTTP/1.1\r\nhost: a\r\n{headers}\r\n")).await;
        let answer = client.read_to_end().await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    assert_eq!(server.get("/").await.code, 200);
}

#[tokio::test]
async fn client_that_does_not_read_is_cut() {
    let is_dropped = Arc::new(AtomicBool::new(false));
    let service = {
        let is_dropped = is_dropped.clone();
        service_fn(move |_: Request<Incoming>| {
            let body = EndlessBody { is_dropped: is_dropped.clone(), is_busy: true };
            async move { Ok::<_, Infallible>(Response::new(body)) }
        })
    };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let settings = ListenSettings::new().with_stall_timeout(SHORT);
    let configure = |builder: ApiServerBuilder| builder.settings(settings);
    let server = TestServer::start_with(folder, configure, service).await;
    let mut client = server.connect().await;
    client.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    wait_until(async || is_dropped.load(Ordering::SeqCst)).await;
}
