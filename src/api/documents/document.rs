//! Finds the document of a path.

use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::conditional::{document_hash, with_etag};
use super::openapi;
use super::version::version;
use crate::api::body::ResponseBody;
use crate::api::negotiation::{Form, Offer, Shape};
use crate::api::render::document as render;
use crate::api::request::{Query, Verb};
use crate::api::status::Status;
use crate::schema::{
    aggregated_core, aggregated_groups, api_group, api_groups, api_resources, core_versions,
};

/// Media type of aggregated discovery. kubectl recognizes the document by it.
const AGGREGATED: HeaderValue = HeaderValue::from_static(
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
);

/// Answers the document of a path.
pub(in crate::api) fn document(
    segments: &[String],
    verb: Option<Verb>,
    query: &Query,
    parts: &Parts,
) -> Result<Response<ResponseBody>, Status> {
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    if let ["openapi", rest @ ..] = segments.as_slice() {
        return match (rest, verb) {
            (["v2"], Some(Verb::Get)) => openapi::v2(&parts.headers),
            (["v3"], Some(Verb::Get)) => openapi::index(&parts.headers),
            (["v3", path @ ..], Some(Verb::Get)) => {
                openapi::group_version(&path.join("/"), query, &parts.headers)
            }
            (["v2"] | ["v3", ..], _) => Err(Status::method_not_allowed()),
            _ => Err(Status::path_not_found()),
        };
    }
    match (segments.as_slice(), verb) {
        (["api"], Some(Verb::Get)) => {
            discovery(aggregated_core, || core_versions(&server_address(parts)), &parts.headers)
        }
        (["apis"], Some(Verb::Get)) => discovery(aggregated_groups, api_groups, &parts.headers),
        (["api"] | ["apis"], _) => Err(Status::method_not_allowed()),
        (segments, verb) => {
            let found = plain(segments).ok_or_else(Status::path_not_found)?;
            if verb != Some(Verb::Get) {
                return Err(Status::method_not_allowed());
            }
            let form = Form::negotiate(&parts.headers, Offer::Document)?;
            Ok(render(StatusCode::OK, &found, form.encoding))
        }
    }
}

/// Answers a document of discovery, in the form that the client accepts.
fn discovery(
    aggregated: fn() -> Value,
    plain: impl FnOnce() -> Value,
    headers: &HeaderMap,
) -> Result<Response<ResponseBody>, Status> {
    let form = Form::negotiate(headers, Offer::Discovery)?;
    if form.shape != Shape::Discovery {
        return Ok(render(StatusCode::OK, &plain(), form.encoding));
    }
    let value = aggregated();
    let mut response = render(StatusCode::OK, &value, form.encoding);
    response.headers_mut().insert(CONTENT_TYPE, AGGREGATED);
    Ok(with_etag(response, &document_hash(&value), headers))
}

/// Returns the document of a path that has one form.
fn plain(segments: &[&str]) -> Option<Value> {
    match segments {
        [] => Some(root_paths()),
        ["version"] => Some(version()),
        ["api", version] => api_resources("", version),
        ["apis", group] => api_group(group),
        ["apis", group, version] if !group.is_empty() => api_resources(group, version),
        _ => None,
    }
}

fn root_paths() -> Value {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    let groups = api_groups();
    for group in groups["groups"].as_array().into_iter().flatten() {
        paths.push(format!("/apis/{}", group["name"].as_str().unwrap_or_default()));
        for version in group["versions"].as_array().into_iter().flatten() {
            let version = version["groupVersion"].as_str().unwrap_or_default();
            paths.push(format!("/apis/{version}"));
        }
    }
    paths.extend(
        ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
            .map(str::to_owned),
    );
    json!({"paths": paths})
}

/// Returns the address of the server as the client writes it.
fn server_address(parts: &Parts) -> String {
    let host = parts.headers.get(HOST).and_then(|value| value.to_str().ok());
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    host.or(authority).unwrap_or("localhost").to_owned()
}
