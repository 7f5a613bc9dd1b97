//! Kubernetes Events: what a person should notice who looks at an object with `kubectl describe`.
//!
//! An event follows from a status that was written: where the status said the same before, there is
//! none. So it comes once, and from whoever writes.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use serde_json::Value;
use tokio::sync::mpsc;

use super::object::Live;
use crate::model::{ObjectKey, Reason};
use crate::translate::IS_SHADOWED;

/// Events that wait to be sent; when there are more, the rest is left out. They are told in the
/// status all the same.
const QUEUE: usize = 256;

/// The most characters of a note.
const NOTE: usize = 1000;

/// What is noteworthy about a condition that is `False`, and what was tried.
const NOTEWORTHY: [(Reason, &str); 6] = [
    (Reason::ADDRESS_NOT_ASSIGNED, "AssignAddress"),
    (Reason::ADDRESS_NOT_USABLE, "AssignAddress"),
    (Reason::BACKEND_NOT_FOUND, "ResolveReference"),
    (Reason::PORT_UNAVAILABLE, "OpenListener"),
    (Reason::PROTOCOL_CONFLICT, "OpenListener"),
    (Reason::REF_NOT_PERMITTED, "ResolveReference"),
];

/// Sends events, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Events(mpsc::Sender<(Event, ObjectReference)>);

impl Events {
    /// A queue of events, and what sends them; it runs for as long as there is somebody to fill it.
    pub(super) fn new(
        client: Client,
        controller: &str,
        identity: &str,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        let instance = Some(identity.to_owned());
        let reporter = Reporter { controller: controller.to_owned(), instance };
        let recorder = Recorder::new(client, reporter);
        let sending = async move {
            while let Some((event, object)) = queue.recv().await {
                if let Err(error) = recorder.publish(&event, &object).await {
                    tracing::debug!(%error, "cannot publish an event");
                }
            }
        };
        (Self(sender), sending)
    }

    /// Tells what is new in a status that was written.
    pub(super) fn tell(&self, key: &ObjectKey, live: Option<&Live>, before: &Value, now: &Value) {
        let (known, present) = (notes(before), notes(now));
        for note in present.into_iter().filter(|note| !known.contains(note)) {
            // A full queue is not worth a word: the status says it too.
            let _ = self.0.try_send((note.event(), reference(key, live)));
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

impl Note<'_> {
    fn event(&self) -> Event {
        Event {
            type_: EventType::Warning,
            reason: self.reason.to_owned(),
            note: Some(format!("{}{}", self.place, self.message).chars().take(NOTE).collect()),
            action: self.action.to_owned(),
            secondary: None,
        }
    }
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
