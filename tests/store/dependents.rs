//! Garbage collection by owner references.

use std::sync::Arc;

use serde_json::{Value, json};
use sluicegate::store::{Propagation, StoredObject, Write, WriteEffect};

use crate::support::{TestStore, config_map, finalized, gateway, owned};

impl TestStore {
    async fn create_owned(&self, name: &str, owners: &[&StoredObject]) -> Arc<StoredObject> {
        let object =
            owners.iter().fold(config_map(name), |object, owner| owned(object, owner, true));
        self.created(Write::create(&self.resources.config_maps, Some("default"), object)).await
    }

    async fn delete(&self, object: &StoredObject, propagation: Propagation) -> WriteEffect {
        let delete = Write::delete(object.key().clone()).with_propagation(propagation);
        self.write(delete).await.effect
    }

    async fn until_names(&self, expected: &[&str]) {
        let description = format!("the config maps are {expected:?}");
        self.until(&description, |_| self.names(&self.resources.config_maps) == expected).await;
    }
}

fn owner_count(object: &Value) -> usize {
    object["metadata"]["ownerReferences"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn dependents_are_deleted_after_owner() {
    let test = TestStore::new();
    let owner = test.create_gateway("edge").await;
    let child = test.create_owned("child", &[&owner]).await;
    test.create_owned("grandchild", &[&child]).await;
    test.create_config_map("other").await;
    assert_eq!(test.delete(&owner, Propagation::Background).await, WriteEffect::Removed);
    test.until_names(&["other"]).await;
}

#[tokio::test]
async fn many_dependents_are_deleted() {
    let test = TestStore::new();
    let owner = test.create_gateway("edge").await;
    for index in 0..300 {
        test.create_owned(&format!("n{index}"), &[&owner]).await;
    }
    test.write(Write::delete(owner.key().clone())).await;
    test.until_names(&[]).await;
}

#[tokio::test]
async fn dependent_of_two_owners_is_kept_while_one_exists() {
    let test = TestStore::new();
    let owners = [test.create_gateway("a").await, test.create_gateway("b").await];
    let child = test.create_owned("child", &[&owners[0], &owners[1]]).await;
    test.delete(&owners[0], Propagation::Background).await;
    test.until("one owner is left", |store| {
        owner_count(&store.get(child.key()).unwrap().to_value()) == 1
    })
    .await;
    test.delete(&owners[1], Propagation::Background).await;
    test.until_names(&[]).await;
}

#[tokio::test]
async fn orphans_are_kept_without_reference() {
    let test = TestStore::new();
    let owner = test.create_gateway("edge").await;
    for index in 0..150 {
        test.create_owned(&format!("n{index:03}"), &[&owner]).await;
    }
    assert_eq!(test.delete(&owner, Propagation::Orphan).await, WriteEffect::Updated);
    test.until_removed(owner.key()).await;
    let names = test.names(&test.resources.config_maps);
    assert_eq!(names.len(), 150);
    for name in names {
        let object = test.store.get(&test.config_map_key(&name)).unwrap().to_value();
        assert_eq!(object["metadata"].get("ownerReferences"), None);
    }
}

#[tokio::test]
async fn foreground_deletion_waits_for_blocking_dependents() {
    let test = TestStore::new();
    let owner = test.create_gateway("edge").await;
    let object = owned(finalized(config_map("blocking")), &owner, true);
    let maps = &test.resources.config_maps;
    let blocking = test.created(Write::create(maps, Some("default"), object)).await;
    let object = owned(config_map("free"), &owner, false);
    test.created(Write::create(maps, Some("default"), object)).await;

    assert_eq!(test.delete(&owner, Propagation::Foreground).await, WriteEffect::Updated);
    test.until_names(&["blocking"]).await;
    test.until("the dependent is being deleted", |store| {
        store.get(blocking.key()).unwrap().is_being_deleted()
    })
    .await;
    let waiting = test.store.get(owner.key()).unwrap();
    assert_eq!(waiting.finalizers(), ["foregroundDeletion"]);

    let object = owned(config_map("blocking"), &owner, true);
    test.write(Write::replace(blocking.key().clone(), object)).await;
    test.until_removed(owner.key()).await;
    test.until_names(&[]).await;
}

#[tokio::test]
async fn foreground_deletion_reaches_all_levels() {
    let test = TestStore::new();
    let owner = test.create_gateway("edge").await;
    let child = test.create_owned("child", &[&owner]).await;
    test.create_owned("grandchild", &[&child]).await;
    test.delete(&owner, Propagation::Foreground).await;
    test.until_removed(owner.key()).await;
    test.until_names(&[]).await;
}

#[tokio::test]
async fn cycle_of_owners_is_deleted() {
    let test = TestStore::new();
    let first = test.create_config_map("a").await;
    let second = test.create_owned("b", &[&first]).await;
    let object = owned(config_map("a"), &second, true);
    test.write(Write::replace(first.key().clone(), object)).await;
    test.delete(&first, Propagation::Foreground).await;
    test.until_names(&[]).await;
}

#[tokio::test]
async fn dependent_of_missing_owner_is_deleted() {
    let test = TestStore::new();
    let owner = test.create_gateway("edge").await;
    test.write(Write::delete(owner.key().clone())).await;
    test.create_owned("late", &[&owner]).await;
    test.until_names(&[]).await;
}

#[tokio::test]
async fn dependent_of_unknown_kind_is_kept() {
    let test = TestStore::new();
    let mut object = config_map("a");
    object["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": "not-ours"},
    ]);
    test.created(Write::create(&test.resources.config_maps, Some("default"), object)).await;
    // The collector checks objects in order, so the first one was checked when this one is removed.
    let owner = test.create_gateway("edge").await;
    test.create_owned("b", &[&owner]).await;
    test.write(Write::delete(owner.key().clone())).await;
    test.until_names(&["a"]).await;
}

#[tokio::test]
async fn owner_in_another_namespace_does_not_count() {
    let test = TestStore::new();
    let owner = test.create_gateway("edge").await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b"}});
    test.created(Write::create(test.resources.catalog.namespaces(), None, namespace)).await;
    let object = owned(config_map("a"), &owner, true);
    test.created(Write::create(&test.resources.config_maps, Some("b"), object)).await;
    test.until_names(&[]).await;
}

#[tokio::test]
async fn cluster_scoped_owner_owns_in_every_namespace() {
    let test = TestStore::new();
    let mut class = gateway("edge");
    class["kind"] = json!("GatewayClass");
    let class = test.created(Write::create(&test.resources.classes, None, class)).await;
    test.create_owned("a", &[&class]).await;
    let gateway = test.create_gateway("edge").await;
    test.create_owned("b", &[&gateway]).await;
    test.write(Write::delete(gateway.key().clone())).await;
    test.until_names(&["a"]).await;
    test.delete(&class, Propagation::Background).await;
    test.until_names(&[]).await;
}
