//! The server behind the faults: [`ApiService`](sluicegate::api::ApiService), and what a cluster has
//! beside it.

use std::io;

use http::header::{AUTHORIZATION, HOST as HOST_HEADER, HeaderValue};
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use serde_json::Value;
use tower::ServiceExt;

use super::answer::{self, Answer, refuse};
use super::api::Api;
use super::block_on::block_on;
use super::request::Request;
use super::watch_body;

pub(super) const HOST: &str = "localhost";
pub(super) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

impl Api {
    /// Answers a request that met no fault.
    pub(super) async fn answer(&self, request: &Request, raw: http::Request<Bytes>) -> Answer {
        if let Some(document) = self.read(|state| state.definition(request)) {
            return document.map_or_else(answer::unknown_path, |it| answer::document(&it));
        }
        if !self.read(|state| state.is_installed(&request.group_version, &request.plural)) {
            return answer::unknown_path();
        }
        if request.plural == "nodes" {
            return self.answer_for_nodes(request);
        }
        if request.is_write() {
            return self.write(request, raw);
        }
        let wants_list = request.query.contains_key("sendInitialEvents");
        if wants_list && self.read(|state| state.minor < "34") {
            return refuse(422, request);
        }
        let answer = self.call(self.expire_old(request, raw)).await;
        if request.verb == "watch" && answer.status() == StatusCode::OK {
            return watch_body::control(self, request, answer);
        }
        match request.plural.is_empty() {
            true => self.discovery(request, answer).await,
            false => answer,
        }
    }

    /// Answers a request that changes an object. The clock stands still meanwhile.
    fn write(&self, request: &Request, raw: http::Request<Bytes>) -> Answer {
        let mut body = request.body.clone();
        let mut is_valid = self.read(|state| state.mutate(request, &mut body));
        if is_valid && request.plural == "services" {
            is_valid = self.allocate(request, &mut body);
        }
        if !is_valid {
            return refuse(422, request);
        }
        if self.read(|state| state.is_loose(&request.plural)) {
            return self.write_loose(request, body);
        }
        let (head, bytes) = raw.into_parts();
        let bytes = if body == request.body { bytes } else { Bytes::from(body.to_string()) };
        block_on(self.call(http::Request::from_parts(head, bytes)))
    }

    /// Sends a request to the service.
    pub(super) async fn call(&self, request: http::Request<Bytes>) -> Answer {
        let mut request = request.map(Full::new);
        let headers = request.headers_mut();
        headers.insert(HOST_HEADER, HeaderValue::from_static(HOST));
        headers.insert(AUTHORIZATION, format!("Bearer {TOKEN}").parse().unwrap());
        headers.remove(http::header::CONTENT_LENGTH);
        let Ok(answer) = self.service.clone().oneshot(request).await;
        answer.map(|body| body.map_err(io::Error::other).boxed_unsync())
    }

    /// Lets a watch begin at a revision that the history does not have, if the changes after its
    /// own revision count as forgotten.
    fn expire_old(&self, request: &Request, mut raw: http::Request<Bytes>) -> http::Request<Bytes> {
        let Some(revision) = request.query.get("resourceVersion") else { return raw };
        let expired = self.read(|state| state.expired);
        if request.verb == "watch" && revision.parse().is_ok_and(|it: u64| it > 0 && it < expired) {
            let old = format!("resourceVersion={revision}");
            let uri = raw.uri().to_string().replace(&old, "resourceVersion=1");
            *raw.uri_mut() = uri.parse::<Uri>().unwrap();
        }
        raw
    }
}

/// Reads the JSON of a response.
pub(super) async fn json(answer: Answer) -> Value {
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}
