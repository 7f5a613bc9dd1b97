//! Requests that create and replace objects.

use serde_json::{Value, json};
use sluicegate::api::Settings;
use sluicegate::store;

use crate::support::{Answer, Api, PROTOBUF};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const GATEWAYS: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/default/gateways";

fn gateway(name: &str) -> Value {
    let listener = json!({"name": "a", "protocol": "TCP", "port": 8080});
    json!({
        "metadata": {"name": name},
        "spec": {"gatewayClassName": "c", "listeners": [listener]},
    })
}

fn config_map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": value}})
}

async fn post(api: &Api, path: &str, object: &Value) -> Answer {
    api.write("POST", path, "application/json", object.to_string()).await
}

async fn put(api: &Api, path: &str, object: &Value) -> Answer {
    api.write("PUT", path, "application/json", object.to_string()).await
}

/// Creates an object and returns it.
async fn created(api: &Api, path: &str, object: &Value) -> Value {
    let answer = post(api, path, object).await;
    assert_eq!(answer.code, 201, "{}", answer.json());
    answer.json()
}

#[tokio::test]
async fn create_answers_the_stored_object() {
    let api = Api::new();
    let object = created(&api, GATEWAYS, &gateway("a")).await;
    assert_eq!(object["apiVersion"], "gateway.networking.k8s.io/v1");
    assert_eq!(
        (&object["kind"], &object["metadata"]["namespace"]),
        (&json!("Gateway"), &json!("default"))
    );
    assert_eq!(object["metadata"]["generation"], 1);
    let conditions = &object["status"]["conditions"];
    assert_eq!(conditions[0]["message"], "Waiting for controller");
    assert_eq!(api.get(&format!("{GATEWAYS}/a")).await.json(), object);
    let again = post(&api, GATEWAYS, &gateway("a")).await.failure(409, "AlreadyExists");
    assert_eq!(again["message"], "gateways.gateway.networking.k8s.io \"a\" already exists");
}

#[tokio::test]
async fn name_is_generated_from_its_prefix() {
    let api = Api::new();
    let object = json!({"metadata": {"generateName": "a-"}});
    let names = [created(&api, MAPS, &object).await, created(&api, MAPS, &object).await]
        .map(|object| object["metadata"]["name"].as_str().unwrap().to_owned());
    assert_ne!(names[0], names[1]);
    assert!(names.iter().all(|name| name.starts_with("a-") && name.len() == 7), "{names:?}");
}

#[tokio::test]
async fn yaml_is_read_as_kubectl_reads_it() {
    let api = Api::new();
    let yaml = "metadata:\n  name: a\n  annotations: {a: \"yes\"}\nimmutable: yes\ndata:\n  a: |\n    text\n";
    let answer = api.write("POST", MAPS, "application/yaml; charset=utf-8", yaml).await;
    assert_eq!(answer.code, 201);
    let object = answer.json();
    assert_eq!((&object["immutable"], &object["data"]["a"]), (&json!(true), &json!("text\n")));
    let twice = api.write("POST", MAPS, "application/yaml", "data: {}\ndata: {}\n").await;
    let message = twice.failure(400, "BadRequest")["message"].to_string();
    assert!(message.contains("2:1: data: is already set in line 1"), "{message}");
}

#[tokio::test]
async fn other_media_types_are_refused() {
    let api = Api::new();
    for content_type in ["application/cbor", "text/plain", "x"] {
        let answer = api.write("POST", MAPS, content_type, "{}").await;
        let message = answer.failure(415, "UnsupportedMediaType")["message"].to_string();
        assert!(message.contains("application/json, application/yaml"), "{message}");
    }
}

/// `kubectl create namespace` and similar commands send protobuf, and print the message.
#[tokio::test]
async fn protobuf_is_refused_with_a_remedy() {
    let answer = Api::new().write("POST", MAPS, PROTOBUF, "k8s\0").await;
    let message = "protobuf is not supported; write the object with --dry-run=client -o yaml and \
                   pipe it to kubectl apply -f -";
    assert_eq!(answer.failure(415, "UnsupportedMediaType")["message"], message);
}

#[tokio::test]
async fn invalid_object_has_the_causes_of_kubernetes() {
    let api = Api::new();
    let path = "/api/v1/namespaces/default/services";
    let service =
        json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 0, "targetPort": 1}]}});
    let status = post(&api, path, &service).await.failure(422, "Invalid");
    let message = "Service \"a\" is invalid: spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive";
    assert_eq!(status["message"], message);
    let cause = json!({
        "reason": "FieldValueInvalid",
        "message": "Invalid value: 0: must be between 1 and 65535, inclusive",
        "field": "spec.ports[0].port",
    });
    assert_eq!(status["details"]["causes"], json!([cause]));
    assert_eq!(
        (&status["details"]["kind"], &status["details"]["name"]),
        (&json!("Service"), &json!("a"))
    );
}

#[tokio::test]
async fn unknown_fields_are_warnings_or_errors() {
    let api = Api::new();
    let object = json!({"metadata": {"name": "a"}, "foo": 1});
    let answer = post(&api, MAPS, &object).await;
    assert_eq!(
        (answer.code, answer.header("warning")),
        (201, "299 - \"unknown field \\\"foo\\\"\"")
    );
    let strict = format!("{MAPS}?fieldValidation=Strict");
    let message = post(&api, &strict, &object).await.failure(400, "BadRequest")["message"].clone();
    assert_eq!(
        message,
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"foo\""
    );
    let ignored = format!("{MAPS}/a?fieldValidation=Ignore");
    let answer = put(&api, &ignored, &object).await;
    assert_eq!((answer.code, answer.header("warning")), (200, ""));
    let message = post(&api, &format!("{MAPS}?fieldValidation=x"), &object).await;
    message.failure(422, "Invalid");
}

#[tokio::test]
async fn object_that_contradicts_its_path_is_refused() {
    let api = Api::new();
    created(&api, MAPS, &config_map("a", "1")).await;
    let mut kind = config_map("b", "1");
    kind["kind"] = "Secret".into();
    post(&api, MAPS, &kind).await.failure(400, "BadRequest");
    let mut namespace = config_map("b", "1");
    namespace["metadata"]["namespace"] = "other".into();
    post(&api, MAPS, &namespace).await.failure(400, "BadRequest");
    let name = put(&api, &format!("{MAPS}/a"), &config_map("b", "1")).await;
    let message = name.failure(400, "BadRequest")["message"].clone();
    assert_eq!(message, "the name of the object (b) does not match the name on the URL (a)");
}

#[tokio::test]
async fn update_does_not_create() {
    let api = Api::new();
    let status = put(&api, &format!("{MAPS}/a"), &config_map("a", "1")).await;
    assert_eq!(status.failure(404, "NotFound")["message"], "configmaps \"a\" not found");
    let other = "/api/v1/namespaces/other/configmaps";
    let status = post(&api, other, &config_map("a", "1")).await.failure(404, "NotFound");
    assert_eq!(status["message"], "namespaces \"other\" not found");
}

#[tokio::test]
async fn update_with_an_old_revision_conflicts() {
    let api = Api::new();
    let path = format!("{MAPS}/a");
    let first = created(&api, MAPS, &config_map("a", "1")).await;
    let mut changed = first.clone();
    changed["data"]["a"] = "2".into();
    let second = put(&api, &path, &changed).await.json();
    assert_eq!(second["data"]["a"], "2");
    let status = put(&api, &path, &changed).await.failure(409, "Conflict");
    assert_eq!(
        status["message"],
        "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again"
    );
    // Without a revision, an update is unconditional.
    assert_eq!(put(&api, &path, &config_map("a", "3")).await.code, 200);
    let mut other = config_map("a", "4");
    other["metadata"]["uid"] = "other".into();
    put(&api, &path, &other).await.failure(409, "Conflict");
    other["metadata"] = json!({"name": "a", "resourceVersion": "x"});
    put(&api, &path, &other).await.failure(400, "BadRequest");
    assert_eq!(api.get(&path).await.json()["data"]["a"], "3");
    created(&api, GATEWAYS, &gateway("g")).await;
    let status = put(&api, &format!("{GATEWAYS}/g"), &gateway("g")).await.failure(422, "Invalid");
    assert_eq!(status["details"]["causes"][0]["field"], "metadata.resourceVersion");
}

#[tokio::test]
async fn status_and_spec_are_written_apart() {
    let api = Api::new();
    let path = format!("{GATEWAYS}/a");
    let mut object = created(&api, GATEWAYS, &gateway("a")).await;
    object["status"]["addresses"] = json!([{"type": "IPAddress", "value": "10.0.0.1"}]);
    object["spec"]["gatewayClassName"] = "d".into();
    let written = put(&api, &format!("{path}/status"), &object).await.json();
    assert_eq!(written["status"]["addresses"][0]["value"], "10.0.0.1");
    assert_eq!(
        (&written["spec"]["gatewayClassName"], &written["metadata"]["generation"]),
        (&json!("c"), &json!(1))
    );
    put(&api, &format!("{path}/status"), &object).await.failure(409, "Conflict");
    object["metadata"]["resourceVersion"] = written["metadata"]["resourceVersion"].clone();
    object["status"] = json!({});
    let written = put(&api, &path, &object).await.json();
    assert_eq!(written["status"]["addresses"][0]["value"], "10.0.0.1");
    assert_eq!(
        (&written["spec"]["gatewayClassName"], &written["metadata"]["generation"]),
        (&json!("d"), &json!(2))
    );
}

#[tokio::test]
async fn dry_run_changes_nothing() {
    let api = Api::new();
    created(&api, MAPS, &config_map("a", "1")).await;
    let before = api.store.revision();
    let answer = post(&api, &format!("{MAPS}?dryRun=All"), &config_map("b", "1")).await;
    assert_eq!((answer.code, &answer.json()["metadata"]["name"]), (201, &json!("b")));
    let answer = put(&api, &format!("{MAPS}/a?dryRun=All"), &config_map("a", "2")).await;
    assert_eq!(answer.json()["data"]["a"], "2");
    post(&api, &format!("{MAPS}?dryRun=All"), &config_map("a", "1"))
        .await
        .failure(409, "AlreadyExists");
    let status = post(&api, &format!("{MAPS}?dryRun=Some"), &config_map("b", "1")).await;
    let message = status.failure(422, "Invalid")["message"].clone();
    assert_eq!(
        message,
        "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \"Some\": supported values: \"All\""
    );
    assert_eq!(api.store.revision(), before);
}

#[tokio::test]
async fn events_of_both_groups_are_the_same_objects() {
    let api = Api::new();
    let event = json!({
        "metadata": {"name": "a"}, "eventTime": "2026-01-01T00:00:00.000000Z",
        "regarding": {"kind": "Gateway", "name": "a", "namespace": "default"}, "reason": "R",
        "action": "A", "type": "Normal", "reportingController": "example.com/a",
        "reportingInstance": "b", "note": "text",
    });
    let path = "/apis/events.k8s.io/v1/namespaces/default/events";
    let object = created(&api, path, &event).await;
    assert_eq!(
        (&object["apiVersion"], &object["note"]),
        (&json!("events.k8s.io/v1"), &json!("text"))
    );
    let core = api.get("/api/v1/namespaces/default/events/a").await.json();
    assert_eq!((&core["apiVersion"], &core["message"]), (&json!("v1"), &json!("text")));
    let patch = r#"{"message": "other"}"#;
    let path = "/api/v1/namespaces/default/events/a";
    let answer = api.write("PATCH", path, "application/merge-patch+json", patch).await;
    assert_eq!(answer.json()["message"], "other");
}

#[tokio::test]
async fn large_objects_are_refused() {
    let api = Api::new();
    let before = api.store.revision();
    let annotations: Value = json!({"a": "x".repeat(200 * 1024)});
    let mut large = json!({"metadata": {"name": "a", "annotations": annotations}, "data": {}});
    large["data"]["a"] = "x".repeat(1024 * 1024).into();
    // Data and annotations are within their limits. Together, with the escapes of the data, they
    // exceed the limit of an object.
    large["data"]["a"] = "\u{1}".repeat(300 * 1024).into();
    post(&api, MAPS, &large).await.failure(413, "RequestEntityTooLarge");
    assert_eq!(api.store.revision(), before);
}

#[tokio::test]
async fn deployment_without_pods_has_a_warning() {
    let labels = json!({"app": "a"});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "a", "image": "a"}]},
            },
        },
    });
    for are_run in [false, true] {
        let settings = Settings::new().with_deployments(are_run);
        let api = Api::with_settings(settings, store::Settings::new());
        let path = "/apis/apps/v1/namespaces/default/deployments";
        let answer = post(&api, path, &deployment).await;
        assert_eq!(answer.code, 201, "{}", answer.json());
        assert_eq!(answer.header("warning").contains("no effect"), !are_run);
    }
}
