//! Namespaces and their content.

use serde_json::{Value, json};
use sluicegate::store::{
    ChangeKind, Key, Preconditions, WatchScope, Write, WriteEffect, WriteError,
};

use crate::support::{TestStore, config_map, finalized};

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

impl TestStore {
    fn namespace_key(&self, name: &str) -> Key {
        Key::cluster_scoped(self.resources.catalog.namespaces(), name)
    }

    async fn create_namespace(&self, name: &str) -> Key {
        let namespaces = self.resources.catalog.namespaces();
        self.created(Write::create(namespaces, None, namespace(name))).await.key().clone()
    }
}

#[tokio::test]
async fn namespace_default_always_exists() {
    let test = TestStore::new();
    let key = test.namespace_key("default");
    let mut object = test.store.get(&key).unwrap().to_value();
    assert_eq!(object["status"], json!({"phase": "Active"}));
    assert_eq!(object["spec"], json!({"finalizers": ["kubernetes"]}));
    assert_eq!(object["metadata"]["labels"], json!({"kubernetes.io/metadata.name": "default"}));

    let error = test.error(Write::delete(key.clone())).await;
    assert!(matches!(error, WriteError::NamespaceProtected(_)), "{error}");

    object["metadata"]["labels"] = json!({"team": "a"});
    object["spec"] = json!({});
    let replaced = test.write(Write::replace(key, object)).await.object.to_value();
    let labels = json!({"kubernetes.io/metadata.name": "default", "team": "a"});
    assert_eq!(replaced["metadata"]["labels"], labels);
    assert_eq!(replaced["spec"], json!({"finalizers": ["kubernetes"]}));
}

#[tokio::test]
async fn object_needs_an_existing_namespace() {
    let test = TestStore::new();
    let create = Write::create(&test.resources.config_maps, Some("infra"), config_map("a"));
    let error = test.error(create.clone()).await;
    assert!(matches!(&error, WriteError::NamespaceNotFound(name) if name == "infra"), "{error}");
    test.create_namespace("infra").await;
    test.created(create).await;
}

#[tokio::test]
async fn namespace_is_deleted_with_its_content() {
    let test = TestStore::new();
    let key = test.create_namespace("infra").await;
    let maps = &test.resources.config_maps;
    for index in 0..200 {
        let object = config_map(&format!("n{index}"));
        test.created(Write::create(maps, Some("infra"), object)).await;
    }
    test.create_config_map("other").await;
    let mut watch = test.store.watch(WatchScope::all(), test.store.revision()).unwrap();

    let deleted = test.write(Write::delete(key.clone())).await;
    assert_eq!(deleted.effect, WriteEffect::Updated);
    assert_eq!(deleted.object.to_value()["status"], json!({"phase": "Terminating"}));
    test.until_removed(&key).await;
    assert_eq!(test.names(maps), ["other"]);

    let mut kinds = Vec::new();
    while watch.revision() < test.store.revision() {
        for change in watch.next().await.unwrap().unwrap() {
            kinds.push((change.kind(), change.object().key().resource().plural().to_owned()));
        }
    }
    assert_eq!(kinds.first().unwrap(), &(ChangeKind::Modified, "namespaces".to_owned()));
    assert_eq!(kinds.last().unwrap(), &(ChangeKind::Deleted, "namespaces".to_owned()));
    assert_eq!(kinds.len(), 202);
}

#[tokio::test]
async fn namespace_waits_for_finalizers_and_takes_no_object() {
    let test = TestStore::new();
    let key = test.create_namespace("infra").await;
    let maps = &test.resources.config_maps;
    let create = Write::create(maps, Some("infra"), finalized(config_map("a")));
    let content = test.created(create).await.key().clone();
    test.write(Write::delete(key.clone())).await;
    test.until("the content is being deleted", |store| {
        store.get(&content).unwrap().is_being_deleted()
    })
    .await;

    let error = test.error(Write::create(maps, Some("infra"), config_map("b"))).await;
    assert!(matches!(error, WriteError::NamespaceTerminating(_)), "{error}");
    let error = test
        .error(Write::create(test.resources.catalog.namespaces(), None, namespace("infra")))
        .await;
    assert!(matches!(error, WriteError::AlreadyExists { is_being_deleted: true, .. }), "{error}");

    test.write(Write::replace(content, config_map("a"))).await;
    test.until_removed(&key).await;
}

#[tokio::test]
async fn namespace_with_finalizer_is_removed_after_it() {
    let test = TestStore::new();
    let namespaces = test.resources.catalog.namespaces();
    let created = test.created(Write::create(namespaces, None, finalized(namespace("a")))).await;
    let uid = Preconditions::new().with_uid(created.uid());
    let key = created.key().clone();
    let deleted = test.write(Write::delete(key.clone()).with_preconditions(uid)).await.object;
    let mut object = deleted.to_value();
    object["metadata"]["finalizers"] = json!([]);
    test.write(Write::replace(key.clone(), object)).await;
    test.until_removed(&key).await;
}
