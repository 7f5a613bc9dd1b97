//! The responses of the server.

use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::request::Request;
use super::stream;
use super::{Api, State};

pub(super) type Answer = Response<UnsyncBoxBody<Bytes, std::io::Error>>;

impl Api {
    pub(super) fn answer(&self, request: &Request) -> Answer {
        if let Some(found) = self.read(|state| state.discover(request)) {
            return tell(&found);
        }
        if self.read(|state| state.kind(request)).is_none() {
            // Of paths that it does not know at all it says so in plain words.
            return with_body(404, "404 page not found\n".to_owned());
        }
        match request.verb {
            "list" => self.read(|state| tell(&state.list(request))),
            "watch" => self.watch(request),
            "get" => self.read(|state| match state.store.get(&request.object()) {
                Some(object) => tell(&as_asked(object, request)),
                None => refuse(404, request),
            }),
            _ => self.write(request),
        }
    }

    fn watch(&self, request: &Request) -> Answer {
        let wants_list = request.query.contains_key("sendInitialEvents");
        if wants_list && self.read(|state| state.minor < "34") {
            return refuse(422, request);
        }
        Response::new(stream::watch(self, request, wants_list))
    }

    fn write(&self, request: &Request) -> Answer {
        let mut answer = None;
        self.change(|state| answer = Some(state.write(request)));
        answer.expect("it was asked")
    }
}

impl State {
    /// The whole list, or a page of it.
    fn list(&self, request: &Request) -> Value {
        let prefix = request.object();
        let (from, version) = match request.query.get("continue") {
            Some(token) => token.split_once('.').unwrap(),
            None => ("0", ""),
        };
        let version = match version {
            "" => self.store.version().to_string(),
            version => version.to_owned(),
        };
        let from: usize = from.parse().unwrap();
        let limit = request.query.get("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
        let all = self.store.all(&prefix).map(|(_, object)| as_asked(object, request));
        let mut items: Vec<_> = all.skip(from).collect();
        let mut metadata = json!({ "resourceVersion": version });
        if items.len() > limit {
            items.truncate(limit);
            metadata["continue"] = json!(format!("{}.{version}", from + limit));
        }
        json!({
            "kind": "List", "apiVersion": request.group_version, "metadata": metadata, "items": items,
        })
    }
}

/// Objects are stored once, and told in the version that was asked for.
pub(super) fn as_asked(object: &Value, request: &Request) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = json!(request.group_version);
    object
}

pub(super) fn tell(answer: &Value) -> Answer {
    with_body(200, answer.to_string())
}

/// No, and in the server's own words why.
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

/// The response to a request that exceeds a ResourceQuota.
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

/// A response whose headers are sent, and whose body never arrives.
pub(super) fn without_end() -> Answer {
    Response::new(StreamBody::new(futures_util::stream::pending()).boxed_unsync())
}

fn with_body(code: u16, body: String) -> Answer {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}
