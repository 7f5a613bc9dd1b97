//! Finds the document of a path.

use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::conditional::with_etag;
use super::openapi;
use super::version::version;
use crate::api::body::ResponseBody;
use crate::api::negotiation::{Form, Offer, Shape};
use crate::api::render::document as render;
use crate::api::request::{Query, Verb};
use crate::api::status::Status;
use crate::model::stable_hash;
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
    let found = plain(&segments, parts).ok_or_else(Status::path_not_found)?;
    if verb != Some(Verb::Get) {
        return Err(Status::method_not_allowed());
    }
    let aggregated: Option<fn() -> Value> = match segments.as_slice() {
        ["api"] => Some(aggregated_core),
        ["apis"] => Some(aggregated_groups),
        _ => None,
    };
    let offer = if aggregated.is_some() { Offer::Discovery } else { Offer::Document };
    let form = Form::negotiate(&parts.headers, offer)?;
    if let (Some(aggregated), Shape::Discovery) = (aggregated, form.shape) {
        let value = aggregated();
        let mut response = render(StatusCode::OK, &value, form.encoding);
        response.headers_mut().insert(CONTENT_TYPE, AGGREGATED);
        let hash = format!("{:016X}", stable_hash(&value.to_string()));
        return Ok(with_etag(response, &hash, &parts.headers));
    }
    Ok(render(StatusCode::OK, &found, form.encoding))
}

/// Returns the document of a path, not aggregated.
fn plain(segments: &[&str], parts: &Parts) -> Option<Value> {
    match segments {
        [] => Some(root_paths()),
        ["version"] => Some(version()),
        ["api"] => Some(core_versions(&server_address(parts))),
        ["api", version] => api_resources("", version),
        ["apis"] => Some(api_groups()),
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
