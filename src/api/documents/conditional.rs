//! Documents that clients keep: ETag and If-None-Match.

use http::header::{ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::api::body::ResponseBody;
use crate::model::stable_hash;

/// Returns the hash of a document for its ETag. It has the form of the hashes in the index of
/// OpenAPI.
pub(super) fn document_hash(value: &Value) -> String {
    format!("{:016X}", stable_hash(&value.to_string()))
}

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
