//! Gateways that are deleted, and created again.

use serde_json::json;

use super::{SERVICE, api, balance, says, settled, template, written};
use crate::api::Effect;
use crate::harness::Harness;
use crate::objects::{OURS, gateway, within};

#[tokio::test(start_paused = true)]
async fn service_is_deleted_with_its_gateway() {
    let api = api();
    let harness = settled(&api).await;
    api.forget();
    api.delete("gateways/default/g");
    harness.settle().await;
    assert_eq!(written(&api), [format!("delete {SERVICE}")]);
}

/// The Gateway is deleted while no replica runs.
#[tokio::test(start_paused = true)]
async fn service_of_a_gateway_that_is_gone_is_deleted_at_start() {
    let api = api();
    drop(settled(&api).await);
    api.delete("gateways/default/g");
    let _harness = settled(&api).await;
    assert!(api.get(SERVICE).is_null());
}

#[tokio::test(start_paused = true)]
async fn service_of_a_recreated_gateway_is_new() {
    let api = api();
    let harness = settled(&api).await;
    balance(&api, SERVICE, "203.0.113.7");
    let before = api.get(SERVICE)["metadata"]["uid"].clone();
    api.delete("gateways/default/g");
    api.apply(gateway("g", 5000));
    harness.settle().await;
    let service = api.get(SERVICE);
    assert_ne!(service["metadata"]["uid"], before);
    let uid = &api.get("gateways/default/g")["metadata"]["uid"];
    assert_eq!(service["metadata"]["labels"]["sluicegate.dev/gateway-uid"], *uid);
}

/// A load balancer must be removed first, which takes a while.
#[tokio::test(start_paused = true)]
async fn gateway_waits_for_the_deletion_of_the_previous_service() {
    let api = api();
    let harness = settled(&api).await;
    api.spoil("delete", "services", Effect::Refuse(500));
    api.delete("gateways/default/g");
    api.apply(gateway("g", 5000));
    harness.settle().await;
    let programmed = says(&api, "g", "Programmed");
    assert_eq!(
        (&programmed["status"], &programmed["reason"]),
        (&json!("False"), &json!("Pending"))
    );
    api.heal();
    let uid = api.get("gateways/default/g")["metadata"]["uid"].clone();
    api.until_object(SERVICE, |service| {
        service["metadata"]["labels"]["sluicegate.dev/gateway-uid"] == uid
    })
    .await;
}

/// A missing permission must not look like a deletion.
#[tokio::test(start_paused = true)]
async fn service_is_kept_while_its_gateway_is_not_watched() {
    let api = api();
    drop(settled(&api).await);
    let harness = Harness::reached_through_services(&api, |source| {
        source.services(template()).namespaces(["other".parse().unwrap()])
    });
    harness.settle().await;
    assert!(!api.get(SERVICE).is_null());
}

#[tokio::test(start_paused = true)]
async fn service_is_deleted_after_a_change_of_the_address_mode() {
    let api = api();
    drop(settled(&api).await);
    let selector = template().selector;
    // Services of other releases, and of other programs, stay.
    let mut other = api.get(SERVICE);
    other["metadata"]["name"] = json!("other");
    other["metadata"].as_object_mut().unwrap().remove("uid");
    other["spec"]["selector"] = json!({ "app": "other" });
    api.apply(other.clone());
    other["metadata"]["name"] = json!("controller");
    other["metadata"]["annotations"]["sluicegate.dev/controller"] = json!("example.com/other");
    other["spec"]["selector"] = json!(selector);
    api.apply(other.clone());
    api.apply(within("system", crate::objects::service("theirs")));
    let harness = Harness::with(&api, OURS, |source| {
        source.delete_services("system".parse().unwrap(), selector)
    });
    api.forget();
    harness.settle().await;
    assert_eq!(written(&api), [format!("delete {SERVICE}")]);
}
