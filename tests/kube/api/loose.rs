//! Kinds whose definitions differ from those of the server: they validate nothing, and keep all
//! fields.

use serde_json::Value;
use sluicegate::store::{Key, Write, WriteError, WriteResult};

use super::answer::{self, Answer, refuse};
use super::api::Api;
use super::block_on::block_on;
use super::request::Request;

impl Api {
    /// Replaces the definition of a kind by one that validates nothing and keeps all fields. So the
    /// objects have fields of a newer definition, or are invalid for ours.
    pub(crate) fn loosen(&self, plural: &'static str) {
        self.change(|state| state.loose.push(plural));
    }

    /// Returns `true` if the objects of a kind are written to the store, and not to the service.
    pub(super) fn is_stored_as_it_is(&self, plural: &str) -> bool {
        plural == "nodes" || self.read(|state| state.is_loose(plural))
    }

    /// Writes an object to the store, as a test.
    pub(super) fn store_as_it_is(&self, method: &str, key: &Key, subresource: &str, body: Value) {
        let write = match (method, subresource) {
            // The status of a new Node is kept.
            ("POST", _) => {
                Write::create(key.resource(), key.namespace(), body).with_initial_status()
            }
            ("DELETE", _) => Write::delete(key.clone()),
            (_, "") => Write::replace(key.clone(), body),
            _ => Write::replace_status(key.clone(), body),
        };
        let written = block_on(self.objects.store.write(write));
        written.unwrap_or_else(|error| panic!("{method} {key}: {error}"));
    }

    /// Answers a request of a client that replaces or deletes an object.
    pub(super) fn write_loose(&self, request: &Request, body: Value) -> Answer {
        let key = self.objects.key(&request.object());
        let write = match (request.verb, &request.subresource) {
            ("update", None) => Write::replace(key, body),
            ("update", Some(_)) => Write::replace_status(key, body),
            ("delete", None) => Write::delete(key),
            _ => panic!("{} {} of a loose kind", request.verb, request.path),
        };
        match block_on(self.objects.store.write(write)) {
            Ok(WriteResult { object, .. }) => answer::document(&object.to_value()),
            Err(WriteError::NotFound(_)) => refuse(404, request),
            Err(WriteError::Conflict { .. }) => refuse(409, request),
            Err(error) => panic!("{}: {error}", request.path),
        }
    }
}
