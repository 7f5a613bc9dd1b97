//! A running gateway with a store.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::Value;
use sluicegate::admission::catalog;
use sluicegate::model::Timestamp;
use sluicegate::sources::ApiSource;
use sluicegate::store::{
    Key, ListQuery, Resource, Settings, Store, StoredObject, Write, WriteEffect, WriteError,
};
use sluicegate::{Handle, Server};
use tokio::time::timeout;

use crate::objects::{class, gateway, route, service, slice};
use crate::support::{WAIT_TIMEOUT, backend, free_port, own_address};

/// A gateway, and the store with its objects.
pub(crate) struct Harness {
    pub(crate) store: Store,
    pub(crate) gateway: Handle,
    /// The address of the Gateways, with the port of the Gateway `g`.
    pub(crate) address: SocketAddr,
}

impl Harness {
    /// Starts a gateway with the GatewayClass `c`, the Gateway `g`, and the route `r` to the
    /// backend `one`.
    pub(crate) async fn start() -> Self {
        let store = Store::in_memory(catalog(), Settings::new()).unwrap();
        let port = free_port();
        write_usual(&store, port).await;
        Self::run(store, SocketAddr::new(own_address(), port)).await
    }

    /// Starts a gateway for the objects of a store.
    pub(crate) async fn run(store: Store, address: SocketAddr) -> Self {
        let source = ApiSource::new(store.clone());
        let gateway = Server::builder().source(source).bind(address.ip()).start().await.unwrap();
        Self { store, gateway, address }
    }

    pub(crate) fn key(&self, kind: &str, name: &str) -> Key {
        key(&self.store, kind, name)
    }

    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<Value> {
        self.store.get(&self.key(kind, name)).map(|object| object.to_value())
    }

    pub(crate) async fn create(&self, object: Value) -> Arc<StoredObject> {
        create(&self.store, object).await
    }

    /// Changes an object.
    pub(crate) async fn change(&self, kind: &str, name: &str, change: impl Fn(&mut Value)) {
        self.write_until_no_conflict(kind, name, |key, mut object| {
            change(&mut object);
            Write::replace(key, object)
        })
        .await;
    }

    /// Changes the status of an object.
    pub(crate) async fn change_status(&self, kind: &str, name: &str, change: impl Fn(&mut Value)) {
        self.write_until_no_conflict(kind, name, |key, mut object| {
            change(&mut object["status"]);
            Write::replace_status(key, object)
        })
        .await;
    }

    /// Reads an object and writes it, as a client does: both again after a conflict.
    async fn write_until_no_conflict(
        &self,
        kind: &str,
        name: &str,
        write: impl Fn(Key, Value) -> Write,
    ) {
        loop {
            let key = self.key(kind, name);
            let object = self.get(kind, name).unwrap();
            match self.store.write(write(key, object)).await {
                Ok(_) => return,
                Err(WriteError::Conflict { .. }) => {}
                Err(error) => panic!("{kind} {name}: {error}"),
            }
        }
    }

    pub(crate) async fn delete(&self, kind: &str, name: &str) {
        let written = self.store.write(Write::delete(self.key(kind, name))).await.unwrap();
        assert_eq!(written.effect, WriteEffect::Removed);
    }

    /// Waits until the store meets a condition.
    pub(crate) async fn until(&self, expected: &str, is_met: impl Fn(&Self) -> bool) {
        let mut watch = self.store.watch(Default::default(), self.store.revision()).unwrap();
        let waiting = async {
            while !is_met(self) {
                watch.next().await.unwrap();
            }
        };
        timeout(WAIT_TIMEOUT, waiting).await.unwrap_or_else(|_| panic!("still not: {expected}"));
    }

    /// Returns the condition of this type in `status.conditions`, or of the first parent.
    pub(crate) fn condition(&self, kind: &str, name: &str, of_type: &str) -> Option<Value> {
        let object = self.get(kind, name)?;
        let status = &object["status"];
        let conditions = match kind {
            "TCPRoute" => &status["parents"][0]["conditions"],
            _ => &status["conditions"],
        };
        let mut conditions = conditions.as_array()?.iter();
        conditions.find(|condition| condition["type"] == of_type).cloned()
    }

    /// Waits until a condition has this status, and returns it.
    pub(crate) async fn until_condition(
        &self,
        kind: &str,
        name: &str,
        of_type: &str,
        status: &str,
    ) -> Value {
        let find = |harness: &Self| {
            let found = harness.condition(kind, name, of_type);
            found.filter(|condition| condition["status"] == status)
        };
        let expected = format!("{kind} {name} has {of_type}={status}");
        self.until(&expected, |harness| find(harness).is_some()).await;
        find(self).unwrap()
    }

    /// Waits until the status of the usual objects is written.
    pub(crate) async fn until_programmed(&self) {
        self.until_condition("Gateway", "g", "Programmed", "True").await;
        self.until_condition("TCPRoute", "r", "ResolvedRefs", "True").await;
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        let query = ListQuery::new(resource(&self.store, "Event"));
        let page = self.store.list(&query, |_| true).unwrap();
        page.objects.iter().map(|event| event.to_value()).collect()
    }
}

/// Writes the GatewayClass `c`, the Gateway `g`, and the route `r` to the backend `one`.
pub(crate) async fn write_usual(store: &Store, port: u16) {
    let slice = slice("one", backend("one"));
    for object in [class(), gateway("g", port), route("r", "g", "one"), service("one"), slice] {
        create(store, object).await;
    }
}

pub(crate) async fn create(store: &Store, object: Value) -> Arc<StoredObject> {
    let resource = resource(store, object["kind"].as_str().unwrap());
    let namespace = resource.is_namespaced().then_some("default");
    store.write(Write::create(resource, namespace, object)).await.unwrap().object
}

fn resource<'a>(store: &'a Store, kind: &str) -> &'a Resource {
    store.catalog().iter().find(|resource| resource.kind() == kind).unwrap()
}

fn key(store: &Store, kind: &str, name: &str) -> Key {
    let resource = resource(store, kind);
    let namespace = if resource.is_namespaced() { "default" } else { "" };
    Key::namespaced(resource, namespace, name)
}

/// A clock that runs, and that a test can also set forward.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn advance(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_secs()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn settings(&self) -> Settings {
        let seconds = self.0.clone();
        let now = move || {
            let seconds = Timestamp::now().as_second() + seconds.load(Ordering::SeqCst);
            Timestamp::from_second(seconds).unwrap()
        };
        Settings::new().with_clock(now)
    }
}
