//! Writes the events of a watch.

use serde_json::{Value, json};

use crate::api::negotiation::Shape;
use crate::api::request::{ResourceRequest, Selection};
use crate::api::served_object::{served_value, write_served};
use crate::api::status::Status;
use crate::model::Timestamp;
use crate::schema::{TableOptions, partial_object, table};
use crate::store::{Change, ChangeKind, Revision, StoredObject};

/// Annotation of the bookmark that follows the initial events.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// Writer of the events of a watch, one JSON document a line.
#[derive(Debug)]
pub(super) struct EventWriter {
    request: ResourceRequest,
    selection: Selection,
    shape: Shape,
    table_options: TableOptions,
}

impl EventWriter {
    pub(super) fn new(
        request: ResourceRequest,
        selection: Selection,
        shape: Shape,
        table_options: TableOptions,
    ) -> Self {
        Self { request, selection, shape, table_options }
    }

    /// Returns `true` if an object is part of the watch.
    pub(super) fn selects(&self, object: &StoredObject) -> bool {
        self.selection.matches(object)
    }

    /// Writes the event of an object that existed when the watch began.
    pub(super) fn write_initial(&mut self, object: &StoredObject, out: &mut Vec<u8>) {
        self.write_stored("ADDED", object, out);
    }

    /// Writes the event of a change, unless it is not visible to the watch: an object that begins
    /// to match is added, one that ceases to match is deleted.
    pub(super) fn write_change(&mut self, change: &Change, out: &mut Vec<u8>) {
        let is_selected = |object: &StoredObject| self.selection.matches(object);
        let was = change.previous().is_some_and(|previous| is_selected(previous));
        let is = change.kind() != ChangeKind::Deleted && is_selected(change.object());
        match (was, is) {
            (false, true) => self.write_stored("ADDED", change.object(), out),
            (true, true) => self.write_stored("MODIFIED", change.object(), out),
            (true, false) => {
                // The object in the last state that the watch has sent.
                let last = match change.kind() {
                    ChangeKind::Deleted => Some(change.object()),
                    ChangeKind::Added | ChangeKind::Modified => change.previous(),
                };
                let mut last = served_value(last.unwrap_or_else(|| change.object()), &self.request);
                let revision = change.object().revision().to_string();
                last["metadata"]["resourceVersion"] = revision.into();
                let last = self.shaped(last);
                write_event("DELETED", &last, out);
            }
            (false, false) => {}
        }
    }

    /// Writes a bookmark: all changes up to a revision were sent.
    pub(super) fn write_bookmark(
        &mut self,
        revision: Revision,
        ends_initial_events: bool,
        out: &mut Vec<u8>,
    ) {
        let ResourceRequest { resource, version, .. } = &self.request;
        let mut object = json!({
            "kind": resource.kind(),
            "apiVersion": resource.api_version(version),
            "metadata": {"resourceVersion": revision.to_string()},
        });
        if ends_initial_events {
            object["metadata"]["annotations"] = json!({INITIAL_EVENTS_END: "true"});
        }
        let object = self.shaped(object);
        write_event("BOOKMARK", &object, out);
    }

    /// Writes the error that ends a watch.
    pub(super) fn write_error(status: &Status, out: &mut Vec<u8>) {
        write_event("ERROR", &serde_json::to_value(status).unwrap_or_default(), out);
    }

    fn write_stored(&mut self, kind: &str, object: &StoredObject, out: &mut Vec<u8>) {
        if self.shape == Shape::Object {
            out.extend_from_slice(format!("{{\"type\":\"{kind}\",\"object\":").as_bytes());
            write_served(object, &self.request, out);
            out.extend_from_slice(b"}\n");
        } else {
            let object = served_value(object, &self.request);
            let object = self.shaped(object);
            write_event(kind, &object, out);
        }
    }

    fn shaped(&mut self, object: Value) -> Value {
        match self.shape {
            Shape::PartialObject => partial_object(&object),
            Shape::Table => {
                let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                let options = TableOptions { now: Timestamp::now(), ..self.table_options };
                // Only the first table has the definitions of the columns.
                self.table_options.has_headers = false;
                table(self.request.version, [&object], metadata, options)
            }
            Shape::Object | Shape::PartialObjectList | Shape::Discovery => object,
        }
    }
}

fn write_event(kind: &str, object: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n").as_bytes());
}
