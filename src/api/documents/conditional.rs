//! Documents that clients keep: ETag and If-None-Match.

use http::header::{ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::api::body::ResponseBody;

/// Adds the ETag of a document, and answers 304 without the document if the client has it.
pub(super) fn with_etag(
    mut response: Response<ResponseBody>,
    hash: &str,
    request: &HeaderMap,
) -> Response<ResponseBody> {
    let etag = format!("\"{hash}\"");
    if let Ok(value) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(ETAG, value);
    }
    // The document depends on the form that was negotiated.
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    let known = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    if known.any(|one| one == "*" || one.trim_start_matches("W/") == etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response.map(|_| ResponseBody::empty());
    }
    response
}
