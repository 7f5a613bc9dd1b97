//! The layer before the server: a request is recorded, and meets the faults.

use std::io;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Bytes;
use kube::Client;
use kube::client::Body;
use tokio::time::sleep;

use super::answer::{self, Answer};
use super::api::Api;
use super::request::Request;
use super::rule::Effect;
use super::state::State;

impl Api {
    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let api = api.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                let request = Request::new(api.client, &head, &body);
                api.serve(request, http::Request::from_parts(head, body)).await
            }
        });
        Client::new(service, "default")
    }

    async fn serve(&self, request: Request, raw: http::Request<Bytes>) -> io::Result<Answer> {
        let refused = || Err(io::Error::from(io::ErrorKind::ConnectionRefused));
        if self.read(|state| state.is_down) {
            return refused();
        }
        self.change(|state| state.requests.push(request.clone()));
        let mut waiting = Waiting { api: self, request: Some(request.clone()) };
        let mut state = self.state.subscribe();
        let is_free = |state: &State| state.is_down || !state.is_held(&request);
        state.wait_for(is_free).await.expect("the server is there");
        waiting.request = None;
        let mut effect = None;
        self.change(|state| effect = state.spoil(&request));
        match effect {
            _ if self.read(|state| state.is_down) => refused(),
            Some(Effect::Refuse(code)) => Ok(answer::refuse(code, &request)),
            Some(Effect::ExceedQuota) => Ok(answer::exceed_quota(&request)),
            Some(Effect::Break) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Effect::Flaky) => {
                flaky_network().await?;
                let answer = self.answer(&request, raw).await;
                flaky_network().await?;
                Ok(answer)
            }
            Some(Effect::Lose) => {
                waiting.request = Some(request);
                std::future::pending().await
            }
            Some(Effect::Stall) => Ok(answer::without_end()),
            Some(Effect::Hold) | None => Ok(self.answer(&request, raw).await),
        }
    }
}

/// Delays a message, or loses it.
async fn flaky_network() -> io::Result<()> {
    sleep(Duration::from_millis(fastrand::u64(0..4_000))).await;
    if fastrand::u8(0..4) == 0 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
}

/// A request without a response. It counts as given up if it is dropped.
struct Waiting<'a> {
    api: &'a Api,
    request: Option<Request>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            self.api.change(|state| state.given_up.push(request));
        }
    }
}
