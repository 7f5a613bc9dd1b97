//! Time limits for every request to the API server.

use std::time::Duration;

use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use tokio::time::{Instant, timeout, timeout_at};
use tower::{BoxError, service_fn};

/// Maximum time from a request to the headers of its response, including the time to connect.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(15);

/// Maximum time without data in the middle of a response, except that of a watch.
const STALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Maximum time for the body of a response, except that of a watch. API servers have the same
/// limit (`--request-timeout`).
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// Error of a request that took too long.
#[derive(Debug, thiserror::Error)]
enum RequestTimeout {
    #[error("the API server did not respond within {} s", RESPONSE_TIMEOUT.as_secs())]
    NoResponse,
    #[error(
        "the API server stopped in the middle of a response: nothing received for {} s",
        STALL_TIMEOUT.as_secs()
    )]
    Stalled,
    #[error("the API server did not complete a response within {} s", BODY_TIMEOUT.as_secs())]
    TooSlow,
}

/// Returns `true` if a request failed because it took too long.
pub(super) fn is_request_timeout(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Service(source) if source.is::<RequestTimeout>())
}

/// Returns a client whose requests fail if the API server does not respond in time.
///
/// The body of a watch has no limit here: the watch itself limits it.
pub(super) fn limit_requests(client: Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    let valid_until = *client.valid_until();
    let service = service_fn(move |request| send(client.clone(), request));
    Client::new(service, namespace).with_valid_until(valid_until)
}

async fn send(client: Client, request: Request<Body>) -> Result<Response<Body>, BoxError> {
    let is_watch = is_watch(request.uri());
    let response = timeout(RESPONSE_TIMEOUT, client.send(request)).await;
    let response = response.map_err(|_| RequestTimeout::NoResponse)??;
    if is_watch && response.status().is_success() {
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    Ok(Response::from_parts(head, read_body(body).await?.into()))
}

/// Reads a body as a whole, as `kube` does with every response that is not a watch.
async fn read_body(mut body: Body) -> Result<Vec<u8>, BoxError> {
    let deadline = Instant::now() + BODY_TIMEOUT;
    let mut bytes = Vec::new();
    loop {
        let stalled_at = Instant::now() + STALL_TIMEOUT;
        match timeout_at(stalled_at.min(deadline), body.frame()).await {
            Ok(Some(frame)) => {
                if let Some(data) = frame?.data_ref() {
                    bytes.extend_from_slice(data);
                }
            }
            Ok(None) => return Ok(bytes),
            Err(_) if stalled_at < deadline => return Err(RequestTimeout::Stalled.into()),
            Err(_) => return Err(RequestTimeout::TooSlow.into()),
        }
    }
}

fn is_watch(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"))
}
