//! An object of the store.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::key::Key;
use super::metadata::{Metadata, OwnerReference};
use super::revision::Revision;
use crate::model::{Labels, Timestamp};

/// Start of the metadata in the text of an object. Only `apiVersion` and `kind` precede it, and
/// quotes in their strings are escaped.
const METADATA: &str = "\"metadata\":{";

/// Bytes that an object needs beside its text: keys, metadata and maps.
const OVERHEAD: usize = 512;

/// An object in one state, shared by the store, its history and all readers.
///
/// The object is kept as compact JSON text without its resourceVersion: a
/// [`serde_json::Value`] of it would need several times the memory.
#[derive(Debug, Clone)]
pub struct StoredObject {
    key: Key,
    revision: Revision,
    text: Arc<str>,
    metadata: Arc<Metadata>,
}

impl StoredObject {
    /// Creates an object from its text: `apiVersion`, `kind` and `metadata` are its first fields,
    /// and the metadata is not empty.
    pub(super) fn new(
        key: Key,
        revision: Revision,
        text: Arc<str>,
    ) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Head {
            metadata: Metadata,
        }

        let Head { metadata } = serde_json::from_str(&text)?;
        Ok(Self { key, revision, text, metadata: Arc::new(metadata) })
    }

    /// Returns the same state of the object under another revision.
    pub(super) fn with_revision(&self, revision: Revision) -> Self {
        Self { revision, ..self.clone() }
    }

    /// Returns resource, namespace and name.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the resourceVersion.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the unique ID.
    pub fn uid(&self) -> &str {
        &self.metadata.uid
    }

    /// Returns the generation, if the resource has generations.
    pub fn generation(&self) -> Option<i64> {
        self.metadata.generation
    }

    /// Returns the time of creation.
    pub fn creation_timestamp(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp
    }

    /// Returns the time when the deletion of the object began, if it waits for finalizers or for
    /// the content of a namespace.
    pub fn deletion_timestamp(&self) -> Option<Timestamp> {
        self.metadata.deletion_timestamp
    }

    /// Returns `true` if the deletion of the object has begun.
    pub fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Returns the labels.
    pub fn labels(&self) -> &Labels {
        &self.metadata.labels
    }

    /// Returns the finalizers.
    pub fn finalizers(&self) -> &[String] {
        &self.metadata.finalizers
    }

    /// Returns the references to owners.
    pub fn owner_references(&self) -> &[OwnerReference] {
        &self.metadata.owner_references
    }

    /// Returns the length of the JSON text without the resourceVersion.
    pub fn json_len(&self) -> usize {
        self.text.len()
    }

    /// Appends the object as compact JSON, with its resourceVersion.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let (before, after) = self.split_at_metadata();
        out.extend_from_slice(before.as_bytes());
        // An object of a dry run has no revision.
        if self.revision != Revision::default() {
            out.extend_from_slice(format!("\"resourceVersion\":\"{}\",", self.revision).as_bytes());
        }
        out.extend_from_slice(after.as_bytes());
    }

    /// Returns the object as a value, with its resourceVersion.
    pub fn to_value(&self) -> Value {
        let mut value: Value = serde_json::from_str(&self.text).expect("the text is valid JSON");
        if self.revision != Revision::default() {
            value["metadata"]["resourceVersion"] = Value::String(self.revision.to_string());
        }
        value
    }

    /// Deserializes the object into a type, without its resourceVersion.
    ///
    /// # Errors
    /// Returns an error if the object does not have the fields of the type.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.text)
    }

    pub(super) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub(super) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Returns the number of bytes that the object counts for.
    pub(super) fn cost(&self) -> usize {
        self.text.len() + OVERHEAD
    }

    fn split_at_metadata(&self) -> (&str, &str) {
        let start = self.text.find(METADATA).expect("every object has metadata");
        self.text.split_at(start + METADATA.len())
    }
}
