//! Tests of the transactions.

use serde_json::{Value, json};
use tokio::time::advance;

use super::*;
use crate::admission::catalog;
use crate::model::{GatewayClassStatus, ObjectKind, StatusReport};
use crate::store::{Key, Settings};

struct Fixture {
    store: Store,
    cache: ObjectCache,
    writer: StatusWriter,
}

impl Fixture {
    /// Creates a store with GatewayClasses, and a writer with a report about them.
    async fn new(count: usize) -> Self {
        let store = Store::in_memory(catalog(), Settings::new()).unwrap();
        let key = class_key(&store, 0);
        let create = |index| Write::create(key.resource(), None, class(index));
        let created = store.write_all((0..count).map(create).collect(), Durability::Synced).await;
        assert!(created.iter().all(Result::is_ok));
        let mut cache = ObjectCache::new(store.catalog());
        cache.replace(&store.snapshot().1, &mut BTreeSet::new());
        let names = cache.resources().gateway_classes.keys().cloned();
        let gateway_classes = names.map(|name| (name, GatewayClassStatus::default())).collect();
        let mut writer = StatusWriter::new(store.clone(), None);
        writer.set_update(StatusUpdate {
            resources: cache.resources().clone().into(),
            status: StatusReport { gateway_classes, ..StatusReport::default() }.into(),
            ..StatusUpdate::default()
        });
        Self { store, cache, writer }
    }

    async fn write(&mut self, write: Write) {
        self.store.write(write).await.unwrap();
        let mut touched = BTreeSet::new();
        self.cache.replace(&self.store.snapshot().1, &mut touched);
        self.writer.touch(touched);
    }

    /// Compares until a transaction is written, and returns the names of its objects.
    async fn next_transaction(&mut self) -> Vec<String> {
        loop {
            self.writer.advance(&self.cache);
            let event = self.writer.next().await;
            if let WriterEvent::Written(results) = &event {
                let written = results.iter().map(|result| &result.as_ref().unwrap().object);
                let names = written.map(|object| object.key().name().to_owned()).collect();
                self.writer.handle(event, &mut self.cache);
                return names;
            }
        }
    }
}

fn class_key(store: &Store, index: usize) -> Key {
    let resource = store.catalog().get("gateway.networking.k8s.io", "gatewayclasses").unwrap();
    Key::cluster_scoped(resource, &name(index))
}

fn class(index: usize) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": { "name": name(index) },
        "spec": { "controllerName": "example.com/c" },
    })
}

fn name(index: usize) -> String {
    format!("c{index:04}")
}

#[tokio::test]
async fn transaction_has_a_maximum_number_of_writes() {
    let mut fixture = Fixture::new(MAX_WRITES + 70).await;
    // A comparison without a write: the turns do not end at the maximum.
    fixture.write(Write::delete(class_key(&fixture.store, 0))).await;
    assert_eq!(fixture.next_transaction().await.len(), MAX_WRITES);
    assert_eq!(fixture.next_transaction().await.len(), 69);
}

#[tokio::test]
async fn object_that_changes_before_its_write_is_sent_is_compared_again() {
    let mut fixture = Fixture::new(COMPARISONS_PER_TURN + 1).await;
    fixture.writer.advance(&fixture.cache);
    fixture.write(Write::delete(class_key(&fixture.store, 0))).await;
    let mut changed = class(1);
    changed["status"] = json!({ "other": 1 });
    fixture.write(Write::replace_status(class_key(&fixture.store, 1), changed)).await;
    // The first write of the changed object would be a conflict.
    let expected: Vec<_> = (1..=COMPARISONS_PER_TURN).map(name).collect();
    assert_eq!(fixture.next_transaction().await, expected);
}

#[tokio::test(start_paused = true)]
async fn failed_writes_are_logged_once_in_an_interval() {
    let Fixture { mut cache, mut writer, .. } = Fixture::new(0).await;
    let mut failed = || {
        let object = ObjectKey {
            kind: ObjectKind::GatewayClass,
            namespace: None,
            name: "c".parse().unwrap(),
        };
        let objects = vec![(object, Vec::new())];
        writer.in_flight = Some(Transaction { results: Box::pin(pending()), objects });
        let refused = WriteError::LimitReached { len: 2, limit: 1 };
        writer.handle(WriterEvent::Written(vec![Err(refused)]), &mut cache);
        writer.failed
    };
    // The number starts again with each line.
    assert_eq!([failed(), failed(), failed()], [0, 1, 2]);
    advance(LOG_INTERVAL).await;
    assert_eq!([failed(), failed()], [0, 1]);
}
