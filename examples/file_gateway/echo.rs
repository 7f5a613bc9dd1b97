//! The echo server of the walk-through: it answers every request with what it was asked and who
//! answers.

use std::collections::BTreeMap;
use std::convert::Infallible;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpListener;

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// Answers until it is aborted, and with it everything it serves.
pub(crate) async fn serve(listener: TcpListener, identity: Identity) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let identity = identity.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let response = answer(&request, &identity);
                        async move { Ok::<_, Infallible>(response) }
                    });
                    // A client that goes away is no concern of ours.
                    let _ = http1::Builder::new()
                        .title_case_headers(true)
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

fn answer(request: &Request<Incoming>, identity: &Identity) -> Response<Full<Bytes>> {
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
        .expect("texts and maps of texts can be written");
    Response::builder()
        .header(CONTENT_TYPE, "application/json")
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(Full::new(json.into()))
        .expect("a response of constants")
}

/// All headers but Host, spelt as people spell them.
fn headers(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in headers.iter().filter(|(name, _)| **name != HOST) {
        all.entry(spelt(name))
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    all
}

fn spelt(name: &HeaderName) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_uppercase() + rest
    };
    name.as_str().split('-').map(word).collect::<Vec<_>>().join("-")
}
