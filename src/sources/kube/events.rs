//! Kubernetes Events: what a person should notice who looks at an object with `kubectl describe`.
//!
//! An event follows from a status that was written: where the status said the same before, there is
//! none. So it comes once, and from whoever writes.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::object::Live;
use crate::model::{ObjectKey, Reason};

/// Events that wait to be sent; when there are more, the rest is left out. They are told in the
/// status all the same.
const QUEUE: usize = 256;

/// How long to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The most characters of an object's name in that of an event, which has a number as well.
const SUBJECT: usize = 200;

/// The most characters of a note.
const NOTE: usize = 1000;

/// What is noteworthy about a condition that is `False`, and what was tried. That there is no address
/// yet is not: every Gateway begins so.
const NOTEWORTHY: [(Reason, &str); 5] = [
    (Reason::ADDRESS_NOT_USABLE, "AssignAddress"),
    (Reason::BACKEND_NOT_FOUND, "ResolveReference"),
    (Reason::PORT_UNAVAILABLE, "OpenListener"),
    (Reason::PROTOCOL_CONFLICT, "OpenListener"),
    (Reason::REF_NOT_PERMITTED, "ResolveReference"),
];

const IS_SHADOWED: &str = " comes first.";

/// Sends events, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Events {
    controller: String,
    identity: String,
    queue: mpsc::Sender<Event>,
}

impl Events {
    /// A queue of events, and what sends them; it runs for as long as there is somebody to fill it.
    pub(super) fn new(
        client: Client,
        controller: &str,
        identity: &str,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (sender, mut queue) = mpsc::channel::<Event>(QUEUE);
        let sending = async move {
            while let Some(event) = queue.recv().await {
                let namespace = event.metadata.namespace.as_deref().unwrap_or("default");
                let events: Api<Event> = Api::namespaced(client.clone(), namespace);
                let parameters = PostParams::default();
                // One that gets lost is told in the status all the same.
                match timeout(TIMEOUT, events.create(&parameters, &event)).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "cannot publish an event"),
                    Err(_) => tracing::debug!("no answer to an event"),
                }
            }
        };
        let (controller, identity) = (controller.to_owned(), identity.to_owned());
        (Self { controller, identity, queue: sender }, sending)
    }

    /// Tells what is new in a status that was written.
    pub(super) fn tell(&self, key: &ObjectKey, live: Option<&Live>, before: &Value, now: &Value) {
        let (known, mut present) = (notes(before), notes(now));
        // Several conditions of a place may have one reason.
        present.dedup_by(|one, other| one.place == other.place && one.reason == other.reason);
        for note in present.into_iter().filter(|note| !known.contains(note)) {
            // A full queue is not worth a word: the status says it too.
            let _ = self.queue.try_send(self.event(&note, reference(key, live)));
        }
    }

    fn event(&self, note: &Note<'_>, regarding: ObjectReference) -> Event {
        let now = Timestamp::now();
        let subject: String =
            regarding.name.iter().flat_map(|name| name.chars()).take(SUBJECT).collect();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{subject}.{:x}", now.as_nanosecond())),
                namespace: Some(
                    regarding.namespace.clone().unwrap_or_else(|| "default".to_owned()),
                ),
                ..ObjectMeta::default()
            },
            type_: Some("Warning".to_owned()),
            reason: Some(note.reason.to_owned()),
            action: Some(note.action.to_owned()),
            note: Some(format!("{}{}", note.place, note.message).chars().take(NOTE).collect()),
            event_time: Some(MicroTime(now)),
            reporting_controller: Some(self.controller.clone()),
            reporting_instance: Some(self.identity.clone()),
            regarding: Some(regarding),
            ..Event::default()
        }
    }
}

/// Something to notice, by the place in the status where it is found.
#[derive(Debug, PartialEq)]
struct Note<'a> {
    place: String,
    action: &'static str,
    reason: &'a str,
    message: &'a str,
}

/// Everything in a status that is to be noticed.
fn notes(status: &Value) -> Vec<Note<'_>> {
    let mut notes = in_conditions(status, String::new());
    for listener in status["listeners"].as_array().into_iter().flatten() {
        let place = format!("Listener {}: ", listener["name"].as_str().unwrap_or_default());
        notes.extend(in_conditions(listener, place));
    }
    for parent in status["parents"].as_array().into_iter().flatten() {
        notes.extend(in_conditions(parent, String::new()));
    }
    notes
}

fn in_conditions(object: &Value, place: String) -> Vec<Note<'_>> {
    let conditions = object["conditions"].as_array().into_iter().flatten();
    conditions.filter_map(|condition| note(condition, &place)).collect()
}

fn note<'a>(condition: &'a Value, place: &str) -> Option<Note<'a>> {
    let text = |field: &str| condition[field].as_str().unwrap_or_default();
    let (reason, message) = (text("reason"), text("message"));
    let (action, reason) = if text("status") == "False" {
        let (_, action) = NOTEWORTHY.iter().find(|(word, _)| word.as_str() == reason)?;
        (*action, reason)
    } else if message.contains(IS_SHADOWED) {
        ("AttachRoute", "Shadowed")
    } else {
        return None;
    };
    Some(Note { place: place.to_owned(), action, reason, message })
}

fn reference(key: &ObjectKey, live: Option<&Live>) -> ObjectReference {
    ObjectReference {
        api_version: Some(key.kind.api_version()),
        kind: Some(key.kind.to_string()),
        name: Some(key.name.to_string()),
        namespace: key.namespace.as_ref().map(ToString::to_string),
        uid: live.map(|live| live.uid.to_string()),
        ..ObjectReference::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn condition(condition_type: &str, status: &str, reason: &str, message: &str) -> Value {
        json!({ "type": condition_type, "status": status, "reason": reason, "message": message })
    }

    /// The places and reasons of what is to be noticed.
    fn noticed(status: &Value) -> Vec<(String, String)> {
        notes(status).into_iter().map(|note| (note.place, note.reason.to_owned())).collect()
    }

    #[test]
    fn only_what_somebody_can_mend_is_noticed() {
        let status = json!({ "conditions": [
            condition("Accepted", "True", "Accepted", "It is."),
            condition("Programmed", "False", "Pending", "Not yet."),
            condition("ResolvedRefs", "True", "BackendNotFound", "An odd one."),
            condition("ResolvedRefs", "False", "BackendNotFound", "No Service default/s."),
        ] });
        assert_eq!(noticed(&status), [(String::new(), "BackendNotFound".to_owned())]);
        assert_eq!(noticed(&Value::Null), []);
    }

    #[test]
    fn listeners_and_parents_are_looked_at_too() {
        let taken = condition("Accepted", "False", "PortUnavailable", "Taken.");
        let shadowed = format!("TCPRoute default/a{IS_SHADOWED}");
        let shadowed = condition("Accepted", "True", "Accepted", &shadowed);
        let status = json!({
            "listeners": [{ "name": "l", "conditions": [taken] }],
            "parents": [{ "conditions": [shadowed] }],
        });
        assert_eq!(
            noticed(&status),
            [("Listener l: ", "PortUnavailable"), ("", "Shadowed")]
                .map(|(place, reason)| (place.to_owned(), reason.to_owned()))
        );
    }
}
