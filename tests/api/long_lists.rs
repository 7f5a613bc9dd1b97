//! Lists that are written when the client reads them.

use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Bytes;
use serde_json::{Value, json};
use sluicegate::api::{ResponseBody, Settings};
use sluicegate::store::{self, Key, Write};

use crate::support::{Answer, Api, PARTIAL_LIST, TABLE};

const PATH: &str = "/api/v1/namespaces/default/configmaps";

/// Number of the objects that [`create_large`] creates. Their text has 4 MB.
const COUNT: usize = 40;

fn config_map(number: usize, data: &str) -> Value {
    let metadata = json!({"name": format!("a{number:02}")});
    let data = json!({"text": data.repeat(100_000)});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
}

async fn create_large(api: &Api) {
    let config_maps = api.store.catalog().get("", "configmaps").unwrap();
    for number in 0..COUNT {
        let write = Write::create(config_maps, Some("default"), config_map(number, "x"));
        api.store.write(write).await.unwrap();
    }
}

fn key(api: &Api, number: usize) -> Key {
    let config_maps = api.store.catalog().get("", "configmaps").unwrap();
    Key::namespaced(config_maps, "default", &format!("a{number:02}"))
}

async fn chunk(body: &mut ResponseBody) -> Bytes {
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

#[tokio::test]
async fn long_list_is_sent_in_chunks_in_each_form() {
    let api = Api::new();
    create_large(&api).await;
    let list = api.get(PATH).await;
    assert_eq!((list.names().len(), list.body.len() > 4_000_000), (COUNT, true));
    let list = list.json();
    assert_eq!(list["kind"], "ConfigMapList");
    let path = format!("{PATH}?includeObject=Object");
    for (accept, elements) in [
        ("application/json", "items"),
        ("application/yaml", "items"),
        (PARTIAL_LIST, "items"),
        (TABLE, "rows"),
    ] {
        let mut body = api.response("GET", &path, &[("accept", accept)]).await.into_body();
        let first = chunk(&mut body).await;
        // Objects of 256 KiB are read for a chunk.
        let is_whole = accept != PARTIAL_LIST;
        let lengths = if is_whole { 200_000..500_000 } else { 100..2_000 };
        assert!(lengths.contains(&first.len()), "{accept}: {}", first.len());
        let rest = body.collect().await.unwrap().to_bytes();
        let value: Value = serde_yaml::from_slice(&[first, rest].concat()).unwrap();
        assert_eq!(value["metadata"], list["metadata"], "{accept}");
        let found = value[elements].as_array().unwrap();
        let metadata = |value: &Value| value.get("object").unwrap_or(value)["metadata"].clone();
        let found: Vec<_> = found.iter().map(metadata).collect();
        let expected: Vec<_> = list["items"].as_array().unwrap().iter().map(metadata).collect();
        assert!(found == expected, "{accept}: {found:?}");
    }
}

#[tokio::test]
async fn empty_list_has_elements_in_each_form() {
    let api = Api::new();
    for (accept, elements) in [
        ("application/json", "items"),
        ("application/yaml", "items"),
        (PARTIAL_LIST, "items"),
        (TABLE, "rows"),
    ] {
        let answer = api.get_as(PATH, accept).await;
        let value: Value = serde_yaml::from_slice(&answer.body).unwrap();
        assert_eq!(value[elements], json!([]), "{accept}");
        assert_eq!(value["metadata"]["resourceVersion"], api.store.revision().to_string());
    }
}

#[tokio::test]
async fn list_has_the_revision_at_which_it_began() {
    let api = Api::new();
    create_large(&api).await;
    let expected = api.get(PATH).await.body;
    let mut response = api.response("GET", PATH, &[]).await;
    let first = chunk(response.body_mut()).await;
    api.store.write(Write::delete(key(&api, COUNT - 1))).await.unwrap();
    api.store.write(Write::replace(key(&api, 20), config_map(20, "y"))).await.unwrap();
    let rest = Answer::read(response).await.body;
    assert!([first, rest].concat() == expected);
}

/// Parts of 1 MiB without an object that matches are between the objects.
#[tokio::test]
async fn long_list_with_a_selector_is_complete() {
    let api = Api::new();
    let config_maps = api.store.catalog().get("", "configmaps").unwrap();
    let selected: Vec<_> = (0..20).chain([COUNT - 1]).collect();
    for number in 0..COUNT {
        let mut object = config_map(number, "x");
        object["metadata"]["labels"] = json!({"a": selected.contains(&number).to_string()});
        api.store.write(Write::create(config_maps, Some("default"), object)).await.unwrap();
    }
    let list = api.get(&format!("{PATH}?labelSelector=a%3Dtrue")).await;
    let expected: Vec<_> = selected.iter().map(|number| format!("a{number:02}")).collect();
    assert_eq!(list.names(), expected);
}

/// Clients that read slowly could otherwise hold a copy of all objects each.
#[tokio::test]
async fn list_of_a_slow_client_holds_no_old_objects() {
    let api = Api::with_settings(Settings::new(), store::Settings::new().with_history(2, 1 << 20));
    create_large(&api).await;
    let mut body = api.response("GET", PATH, &[]).await.into_body();
    chunk(&mut body).await;
    let old = Arc::downgrade(&api.store.get(&key(&api, COUNT - 1)).unwrap());
    assert!(old.upgrade().is_some());
    for data in ["a", "b", "c", "d"] {
        let write = Write::replace(key(&api, COUNT - 1), config_map(COUNT - 1, data));
        api.store.write(write).await.unwrap();
    }
    assert!(old.upgrade().is_none());
    // The rest of the list is not known any more.
    let error = body.collect().await.unwrap_err();
    assert!(error.to_string().contains("too slowly"), "{error}");
}
