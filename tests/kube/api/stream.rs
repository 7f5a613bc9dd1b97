//! The stream of a watch: one line of JSON for each event.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::answer::as_asked;
use super::request::Request;
use super::{Api, State};

struct Stream {
    api: Api,
    state: watch::Receiver<State>,
    request: Request,
    /// What is to be told before anything else.
    first: VecDeque<Value>,
    /// What happened up to here has been told.
    told: u64,
    closings: usize,
    silences: usize,
    end: Instant,
    is_over: bool,
}

pub(super) fn watch(
    api: &Api,
    request: &Request,
    wants_list: bool,
) -> UnsyncBoxBody<Bytes, io::Error> {
    let mut state = api.state.subscribe();
    let seconds = request.query.get("timeoutSeconds").map_or(300, |text| text.parse().unwrap());
    let since = request.query.get("resourceVersion").and_then(|text| text.parse().ok());
    let (first, told, closings, silences) = {
        let state = state.borrow_and_update();
        let closings = state.closings_of(&request.plural);
        let silences = state.silences_of(&request.plural);
        let told = since.unwrap_or(0);
        match wants_list {
            true => (initial(&state, request), state.store.version(), closings, silences),
            false if state.store.has_forgotten(told) => {
                (VecDeque::from([expired()]), told, closings, silences)
            }
            false => (VecDeque::new(), told, closings, silences),
        }
    };
    let name = request.object();
    api.change(|state| state.streams.push(name));
    let end = Instant::now() + Duration::from_secs(seconds);
    let (api, request) = (api.clone(), request.clone());
    let is_over = false;
    let stream = Stream { api, state, request, first, told, closings, silences, end, is_over };
    let lines = stream::unfold(stream, |mut stream| async move {
        let line = stream.next().await?;
        let frame = line.map(|line| Frame::data(Bytes::from(format!("{line}\n"))));
        Some((frame, stream))
    });
    StreamBody::new(lines).boxed_unsync()
}

fn initial(state: &State, request: &Request) -> VecDeque<Value> {
    let prefix = request.object();
    let all = state.store.all(&prefix);
    let mut lines: VecDeque<_> =
        all.map(|(_, object)| line("ADDED", as_asked(object, request))).collect();
    // The server may send changes before the end of the list.
    lines.extend(state.gone.iter().filter(|(plural, _)| *plural == request.plural).flat_map(
        |(_, object)| {
            let object = as_asked(object, request);
            [line("ADDED", object.clone()), line("DELETED", object)]
        },
    ));
    let mut bookmark = bookmark(state.store.version());
    bookmark["object"]["metadata"]["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
    lines.push_back(bookmark);
    lines
}

impl Stream {
    async fn next(&mut self) -> Option<io::Result<Value>> {
        if self.is_over {
            return None;
        }
        if let Some(line) = self.first.pop_front() {
            self.is_over = line["type"] == "ERROR";
            return Some(Ok(line));
        }
        loop {
            if self.state.borrow().silences_of(&self.request.plural) > self.silences {
                std::future::pending::<()>().await;
            }
            if let Some(told) = self.look() {
                return told;
            }
            tokio::select! {
                biased;
                changed = self.state.changed() => changed.expect("the server is there"),
                () = sleep_until(self.end) => {
                    self.is_over = true;
                    let version = self.state.borrow().store.version();
                    return Some(Ok(bookmark(version)));
                }
            }
        }
    }

    /// What there is to tell now, if anything.
    fn look(&mut self) -> Option<Option<io::Result<Value>>> {
        let state = self.state.borrow_and_update();
        if state.is_down {
            self.is_over = true;
            return Some(Some(Err(io::ErrorKind::ConnectionReset.into())));
        }
        if state.closings_of(&self.request.plural) > self.closings {
            return Some(None);
        }
        let prefix = self.request.object();
        let next =
            state.store.since(self.told).find(|happened| happened.name.starts_with(&prefix))?;
        self.told = next.version;
        Some(Some(Ok(line(next.what, as_asked(&next.object, &self.request)))))
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

impl State {
    fn silences_of(&self, plural: &str) -> usize {
        self.silences.iter().filter(|silenced| *silenced == plural).count()
    }

    fn closings_of(&self, plural: &str) -> usize {
        self.closings.iter().filter(|closed| *closed == plural).count()
    }
}

fn line(what: &str, object: Value) -> Value {
    json!({ "type": what, "object": object })
}

fn expired() -> Value {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "too old resource version", "reason": "Expired", "code": 410,
    });
    line("ERROR", status)
}

fn bookmark(version: u64) -> Value {
    let metadata = json!({ "resourceVersion": version.to_string() });
    line("BOOKMARK", json!({ "kind": "", "apiVersion": "", "metadata": metadata }))
}
