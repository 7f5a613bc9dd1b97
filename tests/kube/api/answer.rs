//! The responses of the layer.

use std::io;

use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::request::Request;

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;
pub(super) type Answer = Response<Body>;

/// Returns a response with a document.
pub(super) fn document(document: &Value) -> Answer {
    with_body(200, document.to_string())
}

/// Returns the response to a path that the server does not serve.
pub(super) fn unknown_path() -> Answer {
    with_body(404, "404 page not found\n".to_owned())
}

/// Returns a refusal, with the reason and the message of an API server.
pub(super) fn refuse(code: u16, request: &Request) -> Answer {
    let Request { verb, plural, .. } = request;
    let object = request.object();
    let (reason, message) = match code {
        403 => (
            "Forbidden",
            format!("{plural} is forbidden: User \"gate\" cannot {verb} resource \"{plural}\""),
        ),
        404 => ("NotFound", format!("{object} not found")),
        409 if *verb == "create" => ("AlreadyExists", format!("{plural} already exists")),
        409 => ("Conflict", format!("{object}: the object has been modified")),
        410 => ("Expired", "too old resource version".to_owned()),
        422 if *verb == "watch" => ("Invalid", "sendInitialEvents is forbidden".to_owned()),
        422 => ("Invalid", format!("{object} is invalid")),
        _ => ("InternalError", "etcdserver: request timed out".to_owned()),
    };
    with_status(code, reason, &message)
}

/// Returns the response to a request that exceeds a ResourceQuota.
pub(super) fn exceed_quota(request: &Request) -> Answer {
    let plural = &request.plural;
    let message = format!("{plural} is forbidden: exceeded quota: q, used: 1, limited: 1");
    with_status(403, "Forbidden", &message)
}

fn with_status(code: u16, reason: &str, message: &str) -> Answer {
    let status = json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    });
    with_body(code, status.to_string())
}

/// Returns a response whose headers are sent, and whose body never arrives.
pub(super) fn without_end() -> Answer {
    Response::new(StreamBody::new(futures_util::stream::pending()).boxed_unsync())
}

fn with_body(code: u16, body: String) -> Answer {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}
