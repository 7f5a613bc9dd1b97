//! The body of a watch, which a test can end or silence.

use std::io;

use futures_util::stream;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::answer::{Answer, Body};
use super::api::Api;
use super::request::Request;
use super::state::State;

struct Stream {
    api: Api,
    state: watch::Receiver<State>,
    request: Request,
    body: Body,
    /// Closings and silences of the kind before the watch was opened.
    closings: usize,
    silences: usize,
    is_over: bool,
}

/// Returns the response to a watch, with a body that a test controls.
pub(super) fn control(api: &Api, request: &Request, answer: Answer) -> Answer {
    let state = api.state.subscribe();
    let (closings, silences) = {
        let state = state.borrow();
        (state.closings_of(&request.plural), state.silences_of(&request.plural))
    };
    api.change(|state| state.streams.push(request.object()));
    let (head, body) = answer.into_parts();
    let (api, request) = (api.clone(), request.clone());
    let stream = Stream { api, state, request, body, closings, silences, is_over: false };
    let frames = stream::unfold(stream, |mut stream| async move {
        let frame = stream.next().await?;
        Some((frame, stream))
    });
    Response::from_parts(head, StreamBody::new(frames).boxed_unsync())
}

impl Stream {
    async fn next(&mut self) -> Option<io::Result<Frame<Bytes>>> {
        loop {
            if self.is_over {
                return None;
            }
            let plural = &self.request.plural;
            let (is_silent, is_down, is_closed) = {
                let state = self.state.borrow_and_update();
                let is_closed = state.closings_of(plural) > self.closings;
                (state.silences_of(plural) > self.silences, state.is_down, is_closed)
            };
            if is_silent {
                std::future::pending::<()>().await;
            }
            if is_down {
                self.is_over = true;
                return Some(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if is_closed {
                return None;
            }
            tokio::select! {
                // A fault that was injected before a change comes before its event.
                biased;
                changed = self.state.changed() => changed.expect("the server is there"),
                frame = self.body.frame() => return Some(frame?.map(|frame| self.edit(frame))),
            }
        }
    }

    /// Adds the objects that are deleted during the list.
    fn edit(&self, frame: Frame<Bytes>) -> Frame<Bytes> {
        let gone = self.api.read(|state| {
            let gone = state.gone.iter().filter(|(plural, _)| *plural == self.request.plural);
            gone.map(|(_, object)| object.clone()).collect::<Vec<_>>()
        });
        if gone.is_empty() {
            return frame;
        }
        let Ok(bytes) = frame.into_data() else { panic!("a watch has no trailers") };
        let mut edited = String::new();
        for line in str::from_utf8(&bytes).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            let annotations = &event["object"]["metadata"]["annotations"];
            if event["type"] == "BOOKMARK" && annotations["k8s.io/initial-events-end"] == "true" {
                for object in &gone {
                    for event_type in ["ADDED", "DELETED"] {
                        let event = json!({ "type": event_type, "object": object });
                        edited += &format!("{event}\n");
                    }
                }
            }
            edited += &format!("{line}\n");
        }
        Frame::data(edited.into())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let name = self.request.object();
        self.api.change(|state| {
            let place = state.streams.iter().position(|known| *known == name);
            state.streams.remove(place.expect("it was opened"));
        });
    }
}
