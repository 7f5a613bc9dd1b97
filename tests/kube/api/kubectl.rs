//! The changes that tests make, as kubectl and other clients do.

use std::sync::{Arc, Mutex};

use hyper::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use sluicegate::store::{Durability, Key, WatchScope, Write};

use super::api::Api;
use super::block_on::block_on;
use super::objects::{api_version, name_of};
use super::server;

/// The clock of the server, which stands still: objects have one age unless a test sets another.
#[derive(Debug, Clone)]
pub(super) struct Clock(Arc<Mutex<Timestamp>>);

const START: &str = "2026-01-01T00:00:00Z";

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(START.parse().unwrap())))
    }
}

impl Clock {
    pub(super) fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn set(&self, time: &str) {
        *self.0.lock().unwrap() = time.parse().unwrap();
    }
}

/// Fields of the metadata that the server sets.
const SET_BY_SERVER: [&str; 6] = [
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

impl Api {
    /// Creates an object, or changes it; its status and its finalizers stay. A new object is
    /// created at its `creationTimestamp`.
    pub(crate) fn apply(&self, mut object: Value) {
        let key = self.objects.key_of(&object);
        if object["apiVersion"].is_null() {
            object["apiVersion"] = json!(api_version(key.resource()));
        }
        let created = object["metadata"]["creationTimestamp"].take();
        let metadata = object["metadata"].as_object_mut().unwrap();
        SET_BY_SERVER.iter().for_each(|field| _ = metadata.remove(*field));
        match self.objects.store.get(&key) {
            None => {
                self.clock.set(created.as_str().unwrap_or(START));
                self.send("POST", &key, "", object);
                self.clock.set(START);
            }
            Some(current) => {
                metadata.insert("resourceVersion".into(), json!(current.revision().to_string()));
                if !current.finalizers().is_empty() {
                    metadata.entry("finalizers").or_insert_with(|| json!(current.finalizers()));
                }
                self.send("PUT", &key, "", object);
            }
        }
    }

    /// Creates many objects in one transaction. They are stored as they are: the server would take
    /// most of the time of a test to validate them one by one.
    pub(crate) fn create_all(&self, objects: impl IntoIterator<Item = Value>) {
        let writes = objects.into_iter().map(|mut object| {
            let key = self.objects.key_of(&object);
            object["apiVersion"] = json!(api_version(key.resource()));
            Write::create(key.resource(), key.namespace(), object)
        });
        let written = block_on(self.objects.store.write_all(writes.collect(), Durability::Synced));
        written.into_iter().for_each(|result| _ = result.unwrap());
    }

    /// Changes an object, except its status.
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut object = self.get(name);
        change(&mut object);
        self.apply(object);
    }

    /// Deletes an object although it has finalizers, and creates another one with its name.
    pub(crate) fn recreate(&self, object: Value) {
        let name = name_of(&self.objects.key_of(&object));
        self.set_finalizers(&name, json!([]));
        self.delete(&name);
        self.apply(object);
    }

    /// Deletes an object. Returns when it is gone, or waits for its finalizers.
    pub(crate) fn delete(&self, name: &str) {
        let key = self.objects.key(name);
        self.send("DELETE", &key, "", Value::Null);
        // The content of a namespace is deleted by another thread.
        block_on(async {
            let store = &self.objects.store;
            loop {
                let mut changes = store.watch(WatchScope::all(), store.revision()).unwrap();
                match store.get(&key) {
                    Some(object) if object.finalizers().is_empty() => {
                        changes.next().await.unwrap();
                    }
                    _ => return,
                }
            }
        });
    }

    /// Writes an object's status as another client.
    pub(crate) fn set_status(&self, name: &str, status: Value) {
        let mut object = self.get(name);
        object["status"] = status;
        self.send("PUT", &self.objects.key(name), "/status", object);
    }

    /// Sets the finalizers of an object as another client.
    pub(crate) fn set_finalizers(&self, name: &str, finalizers: Value) {
        self.edit(name, |object| object["metadata"]["finalizers"] = finalizers);
    }

    /// Sends a request that meets no fault, and is not recorded.
    fn send(&self, method: &str, key: &Key, subresource: &str, body: Value) {
        let plural = key.resource().plural();
        if self.is_stored_as_it_is(plural) {
            return self.store_as_it_is(method, key, subresource, body);
        }
        let version = api_version(key.resource());
        let root = if version.contains('/') { "apis" } else { "api" };
        let mut path = format!("/{root}/{version}");
        if let Some(namespace) = key.namespace() {
            path += &format!("/namespaces/{namespace}");
        }
        path += &format!("/{plural}");
        if method != "POST" {
            path += &format!("/{}{subresource}", key.name());
        }
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = http::Request::builder().method(method).uri(&path);
        let request = request.header("content-type", "application/json").body(body).unwrap();
        let (code, body) = block_on(async {
            let answer = self.call(request).await;
            (answer.status(), server::json(answer).await)
        });
        assert!(code.is_success(), "{method} {path}: {body:#}");
    }
}
