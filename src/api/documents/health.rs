//! Probes: `/healthz`, `/livez`, `/readyz`.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};

use crate::api::body::ResponseBody;
use crate::api::request::{Query, Verb};
use crate::api::status::Status;

/// Checks of each probe, such as `/readyz/ping`. While the server answers, they pass.
const CHECKS: [&str; 1] = ["ping"];

/// Answers a probe, or one of its checks.
pub(in crate::api) fn health(
    segments: &[String],
    verb: Option<Verb>,
    query: &Query,
) -> Result<Response<ResponseBody>, Status> {
    let probe = segments.first().map_or("", String::as_str);
    let text = match segments.get(1..).unwrap_or_default() {
        [] if query.flag("verbose") == Some(true) => {
            let lines: String = CHECKS.iter().map(|check| format!("[+]{check} ok\n")).collect();
            format!("{lines}{probe} check passed\n")
        }
        [] => "ok".to_owned(),
        [check] if CHECKS.contains(&check.as_str()) => "ok".to_owned(),
        _ => return Err(Status::path_not_found()),
    };
    if verb != Some(Verb::Get) {
        return Err(Status::method_not_allowed());
    }
    let mut response = Response::new(ResponseBody::full(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    Ok(response)
}
