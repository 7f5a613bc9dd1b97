//! A store with a clock and random numbers of its own, and functions that write to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::model::Timestamp;
use sluicegate::store::{
    Catalog, Key, ListQuery, Resource, ResourceRules, Settings, Store, StoredObject, Write,
    WriteEffect, WriteError, WriteResult,
};

/// Start of the clock: 2026-11-28T12:00:00Z.
const START: i64 = 1_795_867_200;

/// Resources of the tests.
#[derive(Debug, Clone)]
pub(crate) struct Resources {
    pub(crate) catalog: Catalog,
    /// With status and generations.
    pub(crate) gateways: Resource,
    /// Without either.
    pub(crate) config_maps: Resource,
    /// Cluster-scoped, with status and generations.
    pub(crate) classes: Resource,
}

impl Resources {
    pub(crate) fn new() -> Self {
        let mut catalog = Catalog::new();
        let group = "gateway.networking.k8s.io";
        let gateways = ResourceRules::namespaced(group, "gateways", "Gateway");
        let classes = ResourceRules::cluster_scoped(group, "gatewayclasses", "GatewayClass");
        Self {
            gateways: catalog.add(gateways.with_status().with_generation()),
            config_maps: catalog.add(ResourceRules::namespaced("", "configmaps", "ConfigMap")),
            classes: catalog.add(classes.with_status().with_generation()),
            catalog,
        }
    }
}

/// Clock that a test moves, and a counter as random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn settings(&self) -> Settings {
        let (seconds, random) = (self.0.clone(), AtomicU64::new(1));
        Settings::new()
            .with_clock(move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap())
            .with_random(move || random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst))
            .with_reopen_backoff(Duration::from_millis(1), Duration::from_millis(20))
    }
}

/// A store in memory.
#[derive(Debug)]
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) resources: Resources,
    pub(crate) time: Time,
}

impl TestStore {
    pub(crate) fn new() -> Self {
        Self::with(|settings| settings)
    }

    pub(crate) fn with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let (resources, time) = (Resources::new(), Time::new());
        let settings = change(time.settings());
        let store = Store::in_memory(resources.catalog.clone(), settings).unwrap();
        Self { store, resources, time }
    }

    pub(crate) async fn create_gateway(&self, name: &str) -> Arc<StoredObject> {
        let create = Write::create(&self.resources.gateways, Some("default"), gateway(name));
        self.created(create).await
    }

    pub(crate) async fn create_config_map(&self, name: &str) -> Arc<StoredObject> {
        let create = Write::create(&self.resources.config_maps, Some("default"), config_map(name));
        self.created(create).await
    }

    pub(crate) async fn created(&self, create: Write) -> Arc<StoredObject> {
        let written = self.store.write(create).await.unwrap();
        assert_eq!(written.effect, WriteEffect::Created);
        written.object
    }

    pub(crate) async fn write(&self, write: Write) -> WriteResult {
        self.store.write(write).await.unwrap()
    }

    pub(crate) async fn error(&self, write: Write) -> WriteError {
        self.store.write(write).await.expect_err("a refused write")
    }

    pub(crate) fn gateway_key(&self, name: &str) -> Key {
        Key::namespaced(&self.resources.gateways, "default", name)
    }

    pub(crate) fn config_map_key(&self, name: &str) -> Key {
        Key::namespaced(&self.resources.config_maps, "default", name)
    }

    pub(crate) fn names(&self, resource: &Resource) -> Vec<String> {
        names(&self.store, resource)
    }

    /// Waits until the store contains no such object.
    pub(crate) async fn until_removed(&self, key: &Key) {
        self.until(&format!("{key} is removed"), |store| store.get(key).is_none()).await;
    }

    pub(crate) async fn until(&self, expected: &str, is_met: impl Fn(&Store) -> bool) {
        until(&self.store, expected, is_met).await;
    }
}

/// Waits until the store meets a condition.
pub(crate) async fn until(store: &Store, expected: &str, is_met: impl Fn(&Store) -> bool) {
    let revision = store.revision();
    let mut watch = store.watch(Default::default(), revision).unwrap();
    let waiting = async {
        while !is_met(store) {
            watch.next().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap_or_else(|_| panic!("still not: {expected}"));
}

pub(crate) fn names(store: &Store, resource: &Resource) -> Vec<String> {
    let page = store.list(&ListQuery::new(resource), |_| true).unwrap();
    page.objects.iter().map(|object| object.key().name().to_owned()).collect()
}

pub(crate) fn gateway(name: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name},
        "spec": {"gatewayClassName": "edge", "listeners": []},
    })
}

pub(crate) fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}})
}

/// Adds an owner to the metadata of an object.
pub(crate) fn owned(mut object: Value, owner: &StoredObject, is_blocking: bool) -> Value {
    let value = owner.to_value();
    let reference = json!({
        "apiVersion": value["apiVersion"], "kind": value["kind"],
        "name": owner.key().name(), "uid": owner.uid(), "blockOwnerDeletion": is_blocking,
    });
    let owners = object["metadata"].as_object_mut().unwrap();
    let owners = owners.entry("ownerReferences").or_insert_with(|| json!([]));
    owners.as_array_mut().unwrap().push(reference);
    object
}

/// Adds a finalizer to the metadata of an object.
pub(crate) fn finalized(mut object: Value) -> Value {
    object["metadata"]["finalizers"] = json!(["example.com/wait"]);
    object
}
