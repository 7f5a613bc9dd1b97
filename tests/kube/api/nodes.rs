//! Nodes, which the service does not serve: a cluster has them, a gateway without one does not.

use std::io;

use futures_util::{StreamExt, stream};
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use serde_json::{Value, json};
use sluicegate::store::{ChangeKind, ListQuery, Revision, Watch, WatchScope};
use tokio::time::{Duration, Instant, timeout_at};

use super::answer::{self, Answer, refuse};
use super::api::Api;
use super::request::Request;
use super::watch_body;

impl Api {
    /// Answers a list or a watch of Nodes.
    pub(super) fn answer_for_nodes(&self, request: &Request) -> Answer {
        let nodes = self.objects.resource("nodes");
        let page = self.objects.store.list(&ListQuery::new(&nodes), |_| true).unwrap();
        let items = page.objects.iter().map(|node| node.to_value());
        let newest = page.revision.to_string();
        match request.verb {
            "list" => answer::document(&json!({
                "kind": "NodeList",
                "apiVersion": "v1",
                "metadata": { "resourceVersion": newest },
                "items": items.collect::<Vec<_>>(),
            })),
            "watch" => {
                let mut initial = Vec::new();
                let mut after = page.revision;
                if request.query.contains_key("sendInitialEvents") {
                    initial.extend(items.map(|node| line("ADDED", &node)));
                    let annotations = json!({ "k8s.io/initial-events-end": "true" });
                    let metadata = json!({ "resourceVersion": newest, "annotations": annotations });
                    let bookmark =
                        json!({ "kind": "Node", "apiVersion": "v1", "metadata": metadata });
                    initial.push(line("BOOKMARK", &bookmark));
                } else if let Some(version) = request.query.get("resourceVersion") {
                    after = version.parse::<Revision>().unwrap();
                }
                let watch = self.objects.store.watch(WatchScope::resource(&nodes), after).unwrap();
                watch_body::control(self, request, stream_of(initial, watch, request))
            }
            _ => refuse(403, request),
        }
    }
}

fn stream_of(initial: Vec<String>, watch: Watch, request: &Request) -> Answer {
    let seconds = request.query["timeoutSeconds"].parse().unwrap();
    let end = Instant::now() + Duration::from_secs(seconds);
    let changes = stream::unfold(watch, move |mut watch| async move {
        let changes = timeout_at(end, watch.next()).await.ok()?.unwrap()?;
        let lines: String = changes
            .iter()
            .map(|change| {
                let event_type = match change.kind() {
                    ChangeKind::Added => "ADDED",
                    ChangeKind::Modified => "MODIFIED",
                    ChangeKind::Deleted => "DELETED",
                };
                line(event_type, &change.object().to_value())
            })
            .collect();
        Some((lines, watch))
    });
    let frames = stream::iter(initial).chain(changes);
    let frames = frames.map(|lines| Ok::<_, io::Error>(Frame::data(Bytes::from(lines))));
    Response::new(StreamBody::new(frames).boxed_unsync())
}

fn line(event_type: &str, object: &Value) -> String {
    format!("{}\n", json!({ "type": event_type, "object": object }))
}
