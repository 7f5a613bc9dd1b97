//! OpenAPI v3: the index and the documents of group versions.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::conditional::with_etag;
use crate::api::body::ResponseBody;
use crate::api::negotiation::{Encoding, Form, Offer};
use crate::api::render::document;
use crate::api::request::Query;
use crate::api::status::Status;
use crate::model::stable_hash;
use crate::schema::{openapi_document, openapi_index};

/// Answers the index of the documents, with their hashes.
pub(super) fn index(headers: &HeaderMap) -> Result<Response<ResponseBody>, Status> {
    Form::negotiate(headers, Offer::OpenApi)?;
    let index = openapi_index();
    let hash = format!("{:016X}", stable_hash(&index.to_string()));
    Ok(with_etag(document(StatusCode::OK, &index, Encoding::Json), &hash, headers))
}

/// Answers the document of a group version. With its hash in the URL, clients may keep it; with
/// another hash, they are redirected to the current one.
pub(super) fn group_version(
    path: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Response<ResponseBody>, Status> {
    let found = openapi_document(path).ok_or_else(Status::path_not_found)?;
    Form::negotiate(headers, Offer::OpenApi)?;
    let requested = query.get("hash");
    if requested.is_some_and(|requested| requested != found.hash) {
        let mut response = Response::new(ResponseBody::empty());
        *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
        let location = format!("/openapi/v3/{path}?hash={}", found.hash);
        let location = HeaderValue::try_from(location).map_err(|_| Status::path_not_found())?;
        response.headers_mut().insert(LOCATION, location);
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
        return Ok(response);
    }
    let mut response = Response::new(ResponseBody::full(found.body.as_str()));
    let cache = match requested {
        Some(_) => "public, max-age=31536000, immutable",
        None => "no-cache, private",
    };
    let response_headers = response.headers_mut();
    response_headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response_headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    Ok(with_etag(response, &found.hash, headers))
}
