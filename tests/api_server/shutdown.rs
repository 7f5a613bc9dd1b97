//! The graceful shutdown.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use sluicegate::api::{ApiServerBuilder, ListenSettings};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tower::service_fn;

use crate::limits::EndlessBody;
use crate::server::{TestServer, WAIT_TIMEOUT, wait_until};

#[tokio::test]
async fn request_finishes_and_idle_connection_is_closed() {
    let (begun, proceed) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
    let service = {
        let (begun, proceed) = (begun.clone(), proceed.clone());
        service_fn(move |request: Request<Incoming>| {
            let (begun, proceed) = (begun.clone(), proceed.clone());
            async move {
                if request.uri().path() == "/slow" {
                    begun.store(true, Ordering::SeqCst);
                    proceed.notified().await;
                }
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("done")))
            }
        })
    };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let configure = |builder: ApiServerBuilder| {
        builder.settings(ListenSettings::new().with_shutdown_timeout(WAIT_TIMEOUT))
    };
    let server = TestServer::start_with(folder, configure, service).await;
    let (mut slow, mut idle) = (server.connect().await, server.connect().await);
    assert_eq!(idle.send("GET", "/", "host: a\r\n").await.code, 200);
    slow.write("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    wait_until(async || begun.load(Ordering::SeqCst)).await;
    let port = server.port;
    let stopped = server.stop();
    assert_eq!(idle.read_to_end().await, "");
    wait_until(async || TcpStream::connect(("127.0.0.1", port)).await.is_err()).await;
    assert!(!stopped.is_finished());
    proceed.notify_one();
    let answer = slow.read_answer().await;
    assert_eq!((answer.code, answer.body.as_str()), (200, "done"));
    timeout(WAIT_TIMEOUT, stopped).await.unwrap().unwrap();
}

#[tokio::test]
async fn answer_without_end_is_cut_at_the_deadline() {
    let is_dropped = Arc::new(AtomicBool::new(false));
    let service = {
        let is_dropped = is_dropped.clone();
        service_fn(move |_: Request<Incoming>| {
            let body = EndlessBody { is_dropped: is_dropped.clone(), is_busy: false };
            async move { Ok::<_, Infallible>(Response::new(body)) }
        })
    };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let limit = Duration::from_millis(300);
    let configure = |builder: ApiServerBuilder| {
        builder.settings(ListenSettings::new().with_shutdown_timeout(limit))
    };
    let server = TestServer::start_with(folder, configure, service).await;
    let mut client = server.connect().await;
    client.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.read_answer().await;
    let start = Instant::now();
    timeout(WAIT_TIMEOUT, server.stop()).await.unwrap().unwrap();
    assert!(start.elapsed() >= limit);
    assert!(is_dropped.load(Ordering::SeqCst));
}
