//! Services of Gateways whose class changes.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::{SERVICE, SLICE, api, balance, ports, says, settled, written};
use crate::api::Effect;
use crate::objects::{OURS, THEIRS, class, gateway, with};

const ANOTHER: &str = "services/default/g-d";

#[tokio::test(start_paused = true)]
async fn service_is_kept_while_the_class_is_not_accepted() {
    let api = api();
    let harness = settled(&api).await;
    balance(&api, SERVICE, "203.0.113.7");
    harness.settle().await;
    let before = [SERVICE, SLICE].map(|name| api.get(name));
    api.forget();
    let parameters = json!({ "group": "example.com", "kind": "Parameters", "name": "p" });
    let spec = json!({ "controllerName": OURS, "parametersRef": parameters });
    api.apply(with("/spec", spec, class("c", OURS)));
    harness.settle().await;
    assert_eq!(written(&api), [] as [&str; 0]);
    api.apply(class("c", OURS));
    harness.settle().await;
    assert_eq!([SERVICE, SLICE].map(|name| api.get(name)), before);
    assert_eq!(says(&api, "g", "Programmed")["status"], "True");
}

#[tokio::test(start_paused = true)]
async fn service_of_the_old_class_is_deleted_after_a_change() {
    let api = api();
    api.apply(class("d", OURS));
    let harness = settled(&api).await;
    let before = ports(&api.get(SERVICE));
    api.forget();
    api.apply(with("/spec/gatewayClassName", json!("d"), gateway("g", 5000)));
    harness.settle().await;
    assert_eq!(ports(&api.get(ANOTHER))[0].0, before[0].0);
    assert!(!api.get("endpointslices/default/g-d-ipv4").is_null());
    assert!(api.get(SERVICE).is_null() && api.get(SLICE).is_null());
    let mut written = written(&api);
    written.sort();
    assert_eq!(
        written,
        [
            "create endpointslices/default/g-d-ipv4".to_owned(),
            format!("create {ANOTHER}"),
            format!("delete {SLICE}"),
            format!("delete {SERVICE}"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn service_of_the_old_class_is_kept_until_the_new_one_exists() {
    let api = api();
    api.apply(class("d", OURS));
    let harness = settled(&api).await;
    api.spoil("create", "services", Effect::Refuse(500));
    api.apply(with("/spec/gatewayClassName", json!("d"), gateway("g", 5000)));
    sleep(Duration::from_secs(300)).await;
    assert!(!api.get(SERVICE).is_null() && !api.get(SLICE).is_null());
    api.heal();
    harness.settle().await;
    assert!(!api.get(ANOTHER).is_null());
    assert!(api.get(SERVICE).is_null() && api.get(SLICE).is_null());
}

#[tokio::test(start_paused = true)]
async fn service_is_deleted_when_the_class_is_foreign() {
    let api = api();
    api.apply(class("theirs", THEIRS));
    let harness = settled(&api).await;
    api.apply(with("/spec/gatewayClassName", json!("theirs"), gateway("g", 5000)));
    harness.settle().await;
    assert!(api.get(SERVICE).is_null() && api.get(SLICE).is_null());
}

/// Of another controller, or of this program where it runs a second time.
#[tokio::test(start_paused = true)]
async fn service_of_a_foreign_gateway_is_unchanged() {
    let api = api();
    api.apply(class("theirs", THEIRS));
    api.apply(with("/spec/gatewayClassName", json!("theirs"), gateway("h", 5000)));
    let uid = api.get("gateways/default/h")["metadata"]["uid"].clone();
    api.apply(json!({
        "kind": "Service",
        "metadata": {
            "name": "h-theirs",
            "namespace": "default",
            "labels": {
                "app.kubernetes.io/managed-by": "sluicegate",
                "gateway.networking.k8s.io/gateway-name": "h",
                "gateway.networking.k8s.io/gateway-class-name": "theirs",
            },
            "ownerReferences": [{ "kind": "Gateway", "name": "h", "uid": uid }],
        },
        "spec": { "ports": [{ "port": 5000, "targetPort": 20_000 }] },
    }));
    let before = api.get("services/default/h-theirs");
    let _harness = settled(&api).await;
    assert_eq!(api.get("services/default/h-theirs"), before);
    assert_eq!(written(&api).len(), 2, "those of g: {:?}", written(&api));
}
