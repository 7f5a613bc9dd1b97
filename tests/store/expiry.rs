//! Objects with a time to live.

use std::time::Duration;

use serde_json::{Value, json};
use sluicegate::store::{Catalog, Key, Resource, ResourceRules, Store, Write};

use crate::support::{Time, config_map, finalized, names, until};

const HOUR: i64 = 3600;

/// A store with a resource whose objects live for an hour after the time in `lastTimestamp`.
struct ExpiringStore {
    store: Store,
    events: Resource,
    config_maps: Resource,
    time: Time,
}

impl ExpiringStore {
    fn new() -> Self {
        let time = Time::new();
        let (catalog, events, config_maps) = catalog();
        let store = Store::in_memory(catalog, time.settings()).unwrap();
        Self { store, events, config_maps, time }
    }

    async fn create(&self, event: Value) -> Key {
        let create = Write::create(&self.events, Some("default"), event);
        self.store.write(create).await.unwrap().object.key().clone()
    }

    /// Wakes the writer, which reads the clock only when it has something to do or a minute has
    /// passed.
    async fn wake(&self) {
        let mut object = config_map("");
        object["metadata"] = json!({"generateName": "wake-"});
        let create = Write::create(&self.config_maps, Some("default"), object);
        self.store.write(create).await.unwrap();
    }

    async fn until_names(&self, expected: &[&str]) {
        self.wake().await;
        let description = format!("the events are {expected:?}");
        until(&self.store, &description, |store| names(store, &self.events) == expected).await;
    }
}

fn catalog() -> (Catalog, Resource, Resource) {
    let mut catalog = Catalog::new();
    let rules = ResourceRules::namespaced("", "events", "Event")
        .with_time_to_live(Duration::from_secs(60 * 60), &["/lastTimestamp"]);
    let events = catalog.add(rules);
    let config_maps = catalog.add(ResourceRules::namespaced("", "configmaps", "ConfigMap"));
    (catalog, events, config_maps)
}

fn event(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": name}})
}

#[tokio::test]
async fn object_expires_after_its_last_use() {
    let test = ExpiringStore::new();
    let used = test.create(event("used")).await;
    test.create(event("unused")).await;
    test.time.advance(HOUR - 1);
    let mut changed = event("used");
    changed["lastTimestamp"] = json!("2026-11-28T12:59:59Z");
    test.store.write(Write::replace(used, changed)).await.unwrap();
    test.wake().await;
    assert_eq!(names(&test.store, &test.events), ["unused", "used"]);
    test.time.advance(1);
    test.until_names(&["used"]).await;
    test.time.advance(HOUR - 2);
    test.wake().await;
    assert_eq!(names(&test.store, &test.events), ["used"]);
    test.time.advance(1);
    test.until_names(&[]).await;
}

#[tokio::test]
async fn time_in_the_future_counts_as_the_time_of_the_write() {
    let test = ExpiringStore::new();
    let mut future = event("future");
    future["lastTimestamp"] = json!("2999-01-01T00:00:00Z");
    test.create(future).await;
    test.time.advance(HOUR);
    test.until_names(&[]).await;
}

#[tokio::test]
async fn many_objects_expire_together() {
    let test = ExpiringStore::new();
    let create =
        |index| Write::create(&test.events, Some("default"), event(&format!("event-{index}")));
    let writes: Vec<_> = (0..300).map(create).collect();
    test.store.write_all(writes, sluicegate::store::Durability::Synced).await;
    test.time.advance(HOUR);
    test.until_names(&[]).await;
}

#[tokio::test]
async fn expired_object_waits_for_its_finalizers() {
    let test = ExpiringStore::new();
    let key = test.create(finalized(event("kept"))).await;
    test.time.advance(HOUR);
    test.wake().await;
    let is_being_deleted = |store: &Store| store.get(&key).is_some_and(|it| it.is_being_deleted());
    until(&test.store, "the deletion has begun", is_being_deleted).await;
    test.store.write(Write::replace(key, event("kept"))).await.unwrap();
    test.until_names(&[]).await;
}

#[tokio::test]
async fn object_expires_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let (time, (catalog, events, _)) = (Time::new(), catalog());
    let store = Store::open(folder.path(), catalog.clone(), time.settings()).unwrap();
    let create = Write::create(&events, Some("default"), event("old"));
    store.write(create).await.unwrap();
    store.close().await;
    drop(store);
    time.advance(HOUR);
    let store = Store::open(folder.path(), catalog, time.settings()).unwrap();
    until(&store, "the event is removed", |store| names(store, &events).is_empty()).await;
}
