//! Bodies of requests: bounded in size and time.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use sluicegate::api::Settings;
use sluicegate::store;

use crate::support::Api;

const PATH: &str = "/api/v1/namespaces/default/configmaps";

/// Body of unknown length that sends as many bytes as it may, or none.
#[derive(Debug)]
struct Endless {
    is_silent: bool,
    announced: u64,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.is_silent {
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 4096])))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.announced);
        hint
    }
}

#[tokio::test]
async fn large_body_is_refused() {
    let api = Api::new();
    for (method, path) in [("POST", PATH.to_owned()), ("PUT", format!("{PATH}/a"))] {
        let endless = Endless { is_silent: false, announced: 0 };
        let status = api.send_body(method, &path, endless).await;
        let status = status.failure(413, "RequestEntityTooLarge");
        assert_eq!(status["message"], "Request entity is too large: limit is 3145728");
        // The length that is announced is enough.
        let announced = Endless { is_silent: true, announced: (3 << 20) + 1 };
        api.send_body(method, &path, announced).await.failure(413, "RequestEntityTooLarge");
    }
}

#[tokio::test]
async fn body_within_the_limit_reaches_the_writer() {
    let api = Api::with_settings(Settings::new().with_max_body_bytes(100), store::Settings::new());
    let body = |len: usize| Full::new(Bytes::from(vec![b' '; len]));
    assert_ne!(api.send_body("POST", PATH, body(100)).await.code, 413);
    assert_eq!(api.send_body("POST", PATH, body(101)).await.code, 413);
    // A path that has no such method is refused before its body is read.
    let endless = Endless { is_silent: true, announced: 0 };
    api.send_body("POST", "/api/v1/configmaps", endless).await.failure(405, "MethodNotAllowed");
}

#[tokio::test]
async fn slow_body_is_refused() {
    let settings = Settings::new().with_body_timeout(Duration::from_millis(1));
    let api = Api::with_settings(settings, store::Settings::new());
    let silent = Endless { is_silent: true, announced: 0 };
    api.send_body("POST", PATH, silent).await.failure(504, "Timeout");
}
