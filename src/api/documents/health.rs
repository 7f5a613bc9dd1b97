//! Probes: `/healthz`, `/livez`, `/readyz`.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};

use crate::api::body::ResponseBody;

/// Answers a probe: the server is healthy when it answers.
pub(in crate::api) fn health() -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::full("ok"));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}
