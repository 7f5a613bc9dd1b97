//! The forms of objects and lists.

use serde_json::{Value, json};

use crate::support::{Api, PARTIAL, PARTIAL_LIST, PROTOBUF, TABLE};

const GATEWAYS: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways";

#[tokio::test]
async fn json_answers_clients_that_prefer_protobuf() {
    let api = Api::new();
    for accept in [format!("{PROTOBUF}, */*"), format!("{PROTOBUF},application/json")] {
        assert_eq!(api.get_as(GATEWAYS, &accept).await.json()["kind"], "GatewayList");
    }
    for path in [GATEWAYS, "/api/v1/namespaces/default", "/api/v1/services?watch=1"] {
        let status = api.get_as(path, PROTOBUF).await.failure(406, "NotAcceptable");
        let message = status["message"].as_str().unwrap();
        assert!(message.starts_with("only the following media types are accepted: "), "{message}");
    }
    api.get_as("/api/v1/services?watch=1", "application/yaml").await.failure(406, "NotAcceptable");
}

#[tokio::test]
async fn yaml_has_the_contents_of_json() {
    let api = Api::new();
    api.create_gateway("a").await;
    for path in [GATEWAYS, &format!("{GATEWAYS}/a"), &format!("{GATEWAYS}/missing")] {
        let yaml = api.get_as(path, "application/yaml").await;
        assert_eq!(yaml.header("content-type"), "application/yaml");
        let read: Value = serde_yaml::from_slice(&yaml.body).unwrap();
        assert_eq!(read, api.get(path).await.json(), "{path}");
    }
}

#[tokio::test]
async fn tables_have_the_columns_of_kubectl() {
    let api = Api::new();
    let revision = api.create_gateway("a").await;
    let accept = format!("{TABLE}, application/json");
    let list = api.get_as(GATEWAYS, &accept).await.json();
    assert_eq!((&list["kind"], &list["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    let names: Vec<_> =
        list["columnDefinitions"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["Name", "Class", "Address", "Programmed", "Age"]);
    assert_eq!(list["rows"][0]["cells"][0], "a");
    assert_eq!(list["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(list["metadata"]["resourceVersion"], revision);
    let one = api.get_as(&format!("{GATEWAYS}/a"), &accept).await.json();
    assert_eq!((&one["kind"], one["rows"].as_array().unwrap().len()), (&json!("Table"), 1));
    let object = |query: &str| {
        let (api, path) = (api.clone(), format!("{GATEWAYS}?includeObject={query}"));
        async move { api.get_as(&path, TABLE).await }
    };
    assert_eq!(object("Object").await.json()["rows"][0]["object"]["kind"], "Gateway");
    assert_eq!(object("None").await.json()["rows"][0]["object"], Value::Null);
    object("All").await.failure(400, "BadRequest");
    // A failure is a Status, not a table.
    api.get_as(&format!("{GATEWAYS}/missing"), &accept).await.failure(404, "NotFound");
    api.get_as(GATEWAYS, "application/json;as=Table;v=v9;g=meta.k8s.io")
        .await
        .failure(406, "NotAcceptable");
}

#[tokio::test]
async fn partial_objects_have_metadata_only() {
    let api = Api::new();
    api.create_gateway("a").await;
    let one = api.get_as(&format!("{GATEWAYS}/a"), PARTIAL).await.json();
    assert_eq!(
        (&one["kind"], &one["metadata"]["name"]),
        (&json!("PartialObjectMetadata"), &json!("a"))
    );
    assert_eq!(one.get("spec"), None);
    let list = api.get_as(GATEWAYS, &format!("{PARTIAL_LIST},application/json;q=0.9")).await.json();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"], json!([one]));
    assert!(list["metadata"]["resourceVersion"].is_string());
    api.get_as(GATEWAYS, PARTIAL).await.failure(406, "NotAcceptable");
    api.get_as(&format!("{GATEWAYS}/a"), PARTIAL_LIST).await.failure(406, "NotAcceptable");
}

#[tokio::test]
async fn request_is_not_carried_out_if_its_answer_has_no_form() {
    let api = Api::new();
    api.create_gateway("a").await;
    let gateway = format!("{GATEWAYS}/a");
    let table = format!("{gateway}?includeObject=x");
    for (path, accept, code, reason) in [
        (GATEWAYS, PARTIAL, 406, "NotAcceptable"),
        (&gateway, PARTIAL_LIST, 406, "NotAcceptable"),
        (&table, TABLE, 400, "BadRequest"),
    ] {
        api.send("DELETE", path, &[("accept", accept)]).await.failure(code, reason);
        assert_eq!(api.get(GATEWAYS).await.names(), ["a"], "{path}");
    }
}
