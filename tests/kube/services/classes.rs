//! Services of Gateways whose class changes.

use serde_json::json;

use super::{SERVICE, api, balance, ports, says, settled, template, written};
use crate::harness::Harness;
use crate::objects::{OURS, THEIRS, class, gateway, with};

#[tokio::test(start_paused = true)]
async fn service_is_kept_while_the_class_is_not_accepted() {
    let api = api();
    let harness = settled(&api).await;
    balance(&api, SERVICE, "203.0.113.7");
    harness.settle().await;
    let before = api.get(SERVICE);
    api.forget();
    let parameters = json!({ "group": "example.com", "kind": "Parameters", "name": "p" });
    let spec = json!({ "controllerName": OURS, "parametersRef": parameters });
    api.apply(with("/spec", spec, class("c", OURS)));
    harness.settle().await;
    assert_eq!(written(&api), [] as [&str; 0]);
    api.apply(class("c", OURS));
    harness.settle().await;
    assert_eq!(api.get(SERVICE), before);
    assert_eq!(says(&api, "g", "Programmed")["status"], "True");
}

#[tokio::test(start_paused = true)]
async fn service_is_kept_when_the_class_changes() {
    let api = api();
    api.apply(class("d", OURS));
    let harness = settled(&api).await;
    let before = ports(&api.get(SERVICE));
    api.forget();
    api.apply(with("/spec/gatewayClassName", json!("d"), gateway("g", 5000)));
    harness.settle().await;
    let service = api.get(SERVICE);
    assert_eq!(ports(&service), before);
    let label = "gateway.networking.k8s.io/gateway-class-name";
    assert_eq!(service["metadata"]["labels"][label], "d");
    assert_eq!(written(&api), [format!("update {SERVICE}")]);
}

#[tokio::test(start_paused = true)]
async fn service_is_deleted_when_the_class_is_foreign() {
    let api = api();
    api.apply(class("theirs", THEIRS));
    let harness = settled(&api).await;
    api.apply(with("/spec/gatewayClassName", json!("theirs"), gateway("g", 5000)));
    harness.settle().await;
    assert!(api.get(SERVICE).is_null());
}

/// A second release with another controller name may use the same namespace.
#[tokio::test(start_paused = true)]
async fn service_of_another_controller_is_unchanged() {
    let api = api();
    drop(settled(&api).await);
    api.recreate(class("c", THEIRS));
    let before = api.get(SERVICE);
    api.forget();
    let harness = Harness::reached_through_services(&api, |source| {
        source.controller_name(THEIRS.parse().unwrap()).services(template())
    });
    harness.settle().await;
    assert_eq!(api.get(SERVICE), before);
    assert_eq!(written(&api), [] as [&str; 0]);
}
