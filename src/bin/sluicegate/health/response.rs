//! Responses of the health endpoints.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};

/// Phase of the program, which decides the responses of `/readyz` and `/acceptz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifecycle {
    Starting,
    Ready,
    /// The gateway is shutting down, and still accepts connections.
    Leaving,
    /// No new connections must be sent, and open ones finish.
    Draining,
}

/// Returns the response to a request.
pub(super) fn respond(method: &Method, path: &str, lifecycle: Lifecycle) -> Response<Full<Bytes>> {
    let (code, text) = match (path, lifecycle) {
        _ if !matches!(*method, Method::GET | Method::HEAD) => {
            (StatusCode::METHOD_NOT_ALLOWED, "method not allowed: use GET or HEAD\n")
        }
        ("/livez", _) => (StatusCode::OK, "alive\n"),
        ("/readyz" | "/acceptz", Lifecycle::Ready) => (StatusCode::OK, "ready\n"),
        // A terminating pod stays a serving endpoint as long as its readiness probe succeeds.
        ("/readyz", Lifecycle::Leaving) => {
            (StatusCode::OK, "shutting down: still accepting connections\n")
        }
        ("/readyz" | "/acceptz", Lifecycle::Starting) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "starting: waiting for the first objects of the source\n",
        ),
        ("/readyz" | "/acceptz", Lifecycle::Leaving | Lifecycle::Draining) => {
            (StatusCode::SERVICE_UNAVAILABLE, "shutting down: send no new connections\n")
        }
        _ => (StatusCode::NOT_FOUND, "not found: the paths are /livez, /readyz and /acceptz\n"),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
