//! Invariants of the events of a watch.

use std::collections::BTreeMap;

use http::Uri;
use serde_json::Value;
use sluicegate::api::ResponseBody;
use sluicegate::store::Revision;

use super::target::{Exchange, answer, read};
use super::world::World;

/// A watch that was opened by a request.
#[derive(Debug)]
pub(super) struct OpenWatch {
    uri: Uri,
    bytes: Vec<u8>,
    body: ResponseBody,
    /// Revision of the store when the watch began.
    start: u64,
    /// The watch begins with the objects that exist.
    has_objects: bool,
}

impl OpenWatch {
    pub(super) fn new(
        exchange: &Exchange<'_>,
        uri: Uri,
        start: Revision,
        body: ResponseBody,
    ) -> Result<Self, String> {
        let address = &exchange.address;
        if address.parameter("watch").is_none() {
            return Err(format!("the answer to {uri} does not end"));
        }
        let revision = address.parameter("resourceVersion").unwrap_or_default();
        let initial = address.parameter("sendInitialEvents");
        let is_true = |text: &str| text != "0" && !text.eq_ignore_ascii_case("false");
        let has_objects = match initial {
            Some(initial) => is_true(initial),
            None => ["", "0"].contains(&revision),
        };
        let bytes = exchange.body.clone();
        Ok(Self { uri, bytes, body, start: start.get(), has_objects })
    }

    /// Reads all events, and checks them.
    pub(super) async fn check(mut self, world: &World) -> Result<(), String> {
        let is_open = read(&mut self.body, &mut self.bytes).await;
        let mut known = BTreeMap::new();
        let mut last = self.start;
        let mut is_complete = is_open && self.has_objects;
        for line in self.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event: Value = serde_json::from_slice(line)
                .map_err(|error| format!("{}: an event is no JSON: {error}", self.uri))?;
            let metadata = match event["object"]["kind"].as_str() {
                Some("Table") => &event["object"]["rows"][0]["object"]["metadata"],
                _ => &event["object"]["metadata"],
            };
            let text = |field: &str| metadata[field].as_str().map(str::to_owned);
            let revision = text("resourceVersion").and_then(|text| text.parse::<u64>().ok());
            let kind = event["type"].as_str().unwrap_or_default();
            let Some(revision) = revision.filter(|_| !["BOOKMARK", "ERROR"].contains(&kind)) else {
                // A table without objects has no revision.
                is_complete &= kind == "BOOKMARK";
                continue;
            };
            let key = (text("namespace"), text("name"));
            let problem = |what: &str| Err(format!("{}: {what}: {event}", self.uri));
            if revision > self.start {
                if revision <= last {
                    return problem("an event is late or was sent twice");
                }
                last = revision;
            } else if self.has_objects && kind != "ADDED" {
                return problem("an old change was sent");
            }
            let is_expected = match kind {
                "ADDED" => known.insert(key, revision).is_none() || !self.has_objects,
                "MODIFIED" => known.insert(key, revision).is_some() || !self.has_objects,
                "DELETED" => known.remove(&key).is_some() || !self.has_objects,
                _ => false,
            };
            if !is_expected {
                return problem("an event does not follow from those before it");
            }
        }
        if is_complete { self.check_state(world, known).await } else { Ok(()) }
    }

    /// Compares the state that a client has received with a list.
    async fn check_state(
        &self,
        world: &World,
        known: BTreeMap<(Option<String>, Option<String>), u64>,
    ) -> Result<(), String> {
        let is_selector =
            |pair: &&str| pair.starts_with("labelSelector=") || pair.starts_with("fieldSelector=");
        let query: Vec<_> =
            self.uri.query().unwrap_or_default().split('&').filter(is_selector).collect();
        let url = format!("{}?{}", self.uri.path(), query.join("&"));
        let list: Value = serde_json::from_slice(&answer(world, "GET", &url, &[]).await?)
            .map_err(|error| format!("{url} is no JSON: {error}"))?;
        let listed = list["items"].as_array().into_iter().flatten().map(|item| {
            let text = |field: &str| item["metadata"][field].as_str().map(str::to_owned);
            let revision = text("resourceVersion").and_then(|text| text.parse::<u64>().ok());
            ((text("namespace"), text("name")), revision.unwrap_or_default())
        });
        let listed: BTreeMap<_, _> = listed.collect();
        if listed == known {
            return Ok(());
        }
        Err(format!("{}: the watch sent {known:?}, but the list is {listed:?}", self.uri))
    }
}
