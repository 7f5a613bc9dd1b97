//! Metadata and status: the store sets some fields, and refuses others.

use serde_json::{Value, json};
use sluicegate::store::{Write, WriteEffect, WriteError};

use crate::support::{TestStore, config_map, finalized, gateway};

#[tokio::test]
async fn metadata_is_set_on_create() {
    let test = TestStore::new();
    let mut object = gateway("edge");
    object["metadata"] = json!({
        "name": "edge", "uid": "mine", "generation": 7, "creationTimestamp": "2020-01-01T00:00:00Z",
        "deletionTimestamp": null, "labels": {"a": "b"},
    });
    object["status"] = json!({"a": 1});
    let create = Write::create(&test.resources.gateways, Some("default"), object);
    let created = test.created(create).await;
    let mut value = created.to_value();
    let uid = value["metadata"]["uid"].take();
    assert_eq!(uid.as_str().unwrap().len(), 36);
    assert_eq!(uid, created.uid());
    assert_eq!(
        value,
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {
                "name": "edge", "namespace": "default", "uid": null, "generation": 1,
                "creationTimestamp": "2026-11-28T12:00:00Z", "labels": {"a": "b"},
                "resourceVersion": created.revision().to_string(),
            },
            "spec": {"gatewayClassName": "edge", "listeners": []},
        })
    );
    let mut json = Vec::new();
    created.write_json(&mut json);
    assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), created.to_value());
    assert_eq!(created.labels()["a"], "b");
    assert_eq!(test.store.revision(), created.revision());
}

#[tokio::test]
async fn uid_of_a_second_object_of_the_name_differs() {
    let test = TestStore::new();
    let first = test.create_gateway("edge").await;
    let removed = test.write(Write::delete(test.gateway_key("edge"))).await;
    assert_eq!(removed.effect, WriteEffect::Removed);
    assert_eq!(removed.object.uid(), first.uid());
    assert!(removed.object.revision() > first.revision());
    let second = test.create_gateway("edge").await;
    assert_ne!(first.uid(), second.uid());
    assert!(second.revision() > removed.object.revision());
}

#[tokio::test]
async fn name_is_generated() {
    let test = TestStore::new();
    let mut object = config_map("");
    object["metadata"] = json!({"generateName": "web-"});
    let create = Write::create(&test.resources.config_maps, Some("default"), object);
    let names = [test.created(create.clone()).await, test.created(create).await];
    let names = names.map(|object| object.key().name().to_owned());
    assert_ne!(names[0], names[1]);
    assert!(names.iter().all(|name| name.starts_with("web-") && name.len() == 9), "{names:?}");
}

#[tokio::test]
async fn generation_follows_spec_only() {
    let test = TestStore::new();
    let key = test.gateway_key("edge");
    let mut object = test.create_gateway("edge").await.to_value();

    object["metadata"]["labels"] = json!({"a": "b"});
    let labelled = test.write(Write::replace(key.clone(), object)).await.object;
    assert_eq!(labelled.generation(), Some(1));

    let mut object = labelled.to_value();
    object["status"] = json!({"addresses": []});
    let with_status = test.write(Write::replace_status(key.clone(), object)).await.object;
    assert_eq!(with_status.generation(), Some(1));
    assert_eq!(with_status.to_value()["status"], json!({"addresses": []}));

    let mut object = with_status.to_value();
    object["spec"]["gatewayClassName"] = json!("other");
    object["metadata"]["generation"] = json!(40);
    let changed = test.write(Write::replace(key.clone(), finalized(object))).await.object;
    assert_eq!(changed.generation(), Some(2));

    let deleted = test.write(Write::delete(key)).await;
    assert_eq!((deleted.effect, deleted.object.generation()), (WriteEffect::Updated, Some(3)));

    assert_eq!(test.create_config_map("a").await.generation(), None);
}

#[tokio::test]
async fn status_is_changed_by_its_subresource_only() {
    let test = TestStore::new();
    let key = test.gateway_key("edge");
    let created = test.create_gateway("edge").await;
    let mut object = created.to_value();
    object["status"] = json!({"a": 1});
    object["spec"]["gatewayClassName"] = json!("other");
    object["metadata"]["labels"] = json!({"a": "b"});

    let replaced = test.write(Write::replace_status(key.clone(), object.clone())).await.object;
    let mut expected = created.to_value();
    expected["status"] = json!({"a": 1});
    expected["metadata"]["resourceVersion"] = json!(replaced.revision().to_string());
    assert_eq!(replaced.to_value(), expected);

    object["status"] = json!({"a": 2});
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    let replaced = test.write(Write::replace(key, object)).await.object;
    assert_eq!(replaced.to_value()["status"], json!({"a": 1}));
    assert_eq!(replaced.to_value()["spec"]["gatewayClassName"], "other");

    let config_map = test.create_config_map("a").await;
    let write = Write::replace_status(config_map.key().clone(), config_map.to_value());
    let error = test.error(write).await;
    assert!(matches!(error, WriteError::Invalid { field: "status", .. }), "{error}");
}

#[tokio::test]
async fn initial_status_is_kept_on_request_only() {
    let test = TestStore::new();
    let create = |name: &str| {
        let mut object = gateway(name);
        object["status"] = json!({"a": 1});
        Write::create(&test.resources.gateways, Some("default"), object)
    };
    let kept = test.created(create("kept").with_initial_status()).await;
    assert_eq!(kept.to_value()["status"], json!({"a": 1}));
    let dropped = test.created(create("dropped")).await;
    assert_eq!(dropped.to_value().get("status"), None);
}

#[tokio::test]
async fn invalid_metadata_is_refused_with_its_field() {
    let test = TestStore::new();
    let maps = &test.resources.config_maps;
    let key = test.create_config_map("a").await.key().clone();
    let with = |metadata: Value| {
        let mut object = config_map("a");
        object["metadata"] = metadata;
        object
    };
    let create = |metadata| Write::create(maps, Some("default"), with(metadata));
    let replace = |metadata| Write::replace(key.clone(), with(metadata));
    let class = Write::create(&test.resources.classes, Some("default"), config_map("a"));
    let cases = [
        (create(json!({})), "metadata.name"),
        (create(json!({"name": "a/b"})), "metadata.name"),
        (create(json!({"name": 1})), "metadata.name"),
        (create(json!({"name": "b", "namespace": "other"})), "metadata.namespace"),
        (create(json!({"name": "b", "resourceVersion": "1"})), "metadata.resourceVersion"),
        (create(json!({"name": "b", "labels": []})), "metadata"),
        (create(json!([])), "metadata"),
        (Write::create(maps, None, config_map("b")), "metadata.namespace"),
        (class, "metadata.namespace"),
        (replace(json!({"name": "b"})), "metadata.name"),
        (replace(json!({"name": "a", "resourceVersion": "01"})), "metadata.resourceVersion"),
        (Write::create(maps, Some("default"), json!({"kind": "ConfigMap"})), "apiVersion"),
    ];
    for (write, expected) in cases {
        let text = format!("{write:?}");
        match test.error(write).await {
            WriteError::Invalid { field, .. } => assert_eq!(field, expected, "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
}
