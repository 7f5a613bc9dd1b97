//! The echo server of the walk-through: each response describes the request and the pod.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::ready;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Pod that sends the response.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Identity {
    pub(crate) namespace: String,
    pub(crate) ingress: String,
    pub(crate) service: String,
    pub(crate) pod: String,
}

#[derive(Serialize)]
struct Echo<'a> {
    path: String,
    host: &'a str,
    method: &'a str,
    proto: String,
    headers: BTreeMap<String, Vec<String>>,
    #[serde(flatten)]
    identity: &'a Identity,
}

/// Serves until the task is aborted, which also ends its connections.
pub(crate) async fn serve(listener: TcpListener, identity: Identity) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let identity = identity.clone();
        let service =
            service_fn(move |request| ready(Ok::<_, Infallible>(respond(&request, &identity))));
        let mut http = http1::Builder::new();
        connections
            .spawn(http.title_case_headers(true).serve_connection(TokioIo::new(stream), service));
    }
}

fn respond(request: &Request<Incoming>, identity: &Identity) -> Response<Full<Bytes>> {
    let echo = Echo {
        path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        host: request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default(),
        method: request.method().as_str(),
        proto: format!("{:?}", request.version()),
        headers: headers(request.headers()),
        identity,
    };
    let mut json = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b" ");
    echo.serialize(&mut serde_json::Serializer::with_formatter(&mut json, format))
        .expect("the keys are strings");
    Response::builder()
        .header(CONTENT_TYPE, "application/json")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(Full::new(json.into()))
        .expect("the headers are valid")
}

/// Returns all headers except Host, with their names in title case.
fn headers(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in headers.iter().filter(|(name, _)| **name != HOST) {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        all.entry(title_case(name)).or_default().push(value);
    }
    all
}

fn title_case(name: &HeaderName) -> String {
    let title_case = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_uppercase() + rest
    };
    name.as_str().split('-').map(title_case).collect::<Vec<_>>().join("-")
}
