//! OpenAPI: the index and the documents of group versions (v3), and v2 without schemas.

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::json;

use super::conditional::{document_hash, with_etag};
use super::version::version;
use crate::api::body::ResponseBody;
use crate::api::negotiation::{Encoding, Form, Offer};
use crate::api::render::document;
use crate::api::request::Query;
use crate::api::status::Status;
use crate::schema::{openapi_document, openapi_index};

/// Media types of OpenAPI v2 as protobuf in an Accept header. The answer has the first one.
const V2_PROTOBUF: [&str; 2] = [
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
];

/// Answers a document of OpenAPI v2 without schemas.
///
/// kubectl asks for it if v3 does not have a kind. Without an answer, it reports that the download
/// failed instead of the kind that is not served, and cannot apply an object of the kind `List`.
pub(super) fn v2(headers: &HeaderMap) -> Result<Response<ResponseBody>, Status> {
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepted.any(|accepted| V2_PROTOBUF.iter().any(|name| accepted.contains(name))) {
        // A protobuf message without fields has no bytes.
        let mut response = Response::new(ResponseBody::empty());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(V2_PROTOBUF[0]));
        return Ok(response);
    }
    Form::negotiate(headers, Offer::OpenApi)?;
    let info = json!({"title": "sluicegate", "version": version()["gitVersion"]});
    let empty = json!({"swagger": "2.0", "info": info, "paths": {}});
    Ok(document(StatusCode::OK, &empty, Encoding::Json))
}

/// Answers the index of the documents, with their hashes.
pub(super) fn index(headers: &HeaderMap) -> Result<Response<ResponseBody>, Status> {
    Form::negotiate(headers, Offer::OpenApi)?;
    let index = openapi_index();
    let response = document(StatusCode::OK, &index, Encoding::Json);
    Ok(with_etag(response, &document_hash(&index), headers))
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
