//! Limits on the size of an object, and of all objects.

use serde_json::json;
use sluicegate::store::{Write, WriteEffect, WriteError};

use crate::support::{TestStore, config_map, finalized};

#[tokio::test]
async fn object_limit_is_exact() {
    let text = |len: usize| {
        let mut object = config_map("a");
        object["data"]["a"] = json!("x".repeat(len));
        object
    };
    let test = TestStore::with(|settings| settings.with_max_object_bytes(4096));
    let maps = &test.resources.config_maps;
    let created = test.created(Write::create(maps, Some("default"), text(100))).await;
    let largest = 4096 - created.json_len() + 100;
    let key = created.key().clone();
    let replaced = test.write(Write::replace(key.clone(), text(largest))).await.object;
    assert_eq!(replaced.json_len(), 4096);
    match test.error(Write::replace(key.clone(), text(largest + 1))).await {
        WriteError::TooLarge { len, limit } => assert_eq!((len, limit), (4097, 4096)),
        other => panic!("{other}"),
    }
    assert_eq!(test.store.get(&key).unwrap().to_value(), replaced.to_value());
}

#[tokio::test]
async fn limit_of_all_objects_prevents_growth_only() {
    let test = TestStore::with(|settings| settings.with_max_bytes(16 * 1024));
    let maps = &test.resources.config_maps;
    let mut count = 0;
    let error = loop {
        let object = finalized(config_map(&format!("n{count:03}")));
        match test.store.write(Write::create(maps, Some("default"), object)).await {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, WriteError::LimitReached { limit: 16384, .. }), "{error}");
    assert!((10..32).contains(&count), "{count}");
    // The deletion timestamp makes the object larger, but the limits do not prevent a deletion.
    for index in 0..count {
        test.write(Write::delete(test.config_map_key(&format!("n{index:03}")))).await;
    }
    for index in 0..count {
        let name = format!("n{index:03}");
        let removed =
            test.write(Write::replace(test.config_map_key(&name), config_map(&name))).await;
        assert_eq!(removed.effect, WriteEffect::Removed);
    }
    test.create_config_map("new").await;
}
