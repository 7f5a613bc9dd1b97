//! Services that another client edits, deletes or creates.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SERVICE, api, ports, says, settled, written};
use crate::api::{Api, Effect};
use crate::harness::Harness;
use crate::objects::{gateway, service, within};

/// Something that somebody does to an object.
type Edit = fn(&mut Value);

/// Waits until everything of ours is as it was, and looks how that came about.
async fn is_put_right(api: &Api, harness: &Harness, name: &str, edit: Edit) {
    let before = api.get(name);
    api.forget();
    api.edit(name, edit);
    assert_ne!(rest(&api.get(name)), rest(&before));
    api.until_object(name, |now| rest(now) == rest(&before)).await;
    harness.settle().await;
    assert_eq!(rest(&api.get(name)), rest(&before));
    assert_eq!(written(api), [format!("update {name}")]);
}

/// What is not merely the server's count of changes.
fn rest(object: &Value) -> Value {
    let mut object = object.clone();
    for count in ["generation", "resourceVersion"] {
        object["metadata"][count].take();
    }
    object
}

#[tokio::test(start_paused = true)]
async fn service_edits_are_reverted() {
    let api = api();
    let harness = settled(&api).await;
    let edits: [Edit; 8] = [
        |service| service["spec"]["ports"] = json!([{ "name": "other", "port": 1 }]),
        // A free pod port would do as well: the Service itself is the record of it.
        |service| service["spec"]["ports"][0]["targetPort"] = json!(19_999),
        |service| service["spec"]["ports"][0]["targetPort"] = json!("name"),
        |service| service["spec"]["selector"] = json!({ "app": "theirs" }),
        |service| service["spec"]["externalTrafficPolicy"] = json!("Local"),
        |service| service["spec"]["loadBalancerIP"] = json!("192.0.2.9"),
        |service| {
            let labels = service["metadata"]["labels"].as_object_mut().unwrap();
            labels.retain(|key, _| key == "app.kubernetes.io/managed-by");
        },
        |service| service["metadata"]["annotations"] = json!({}),
    ];
    // A port that comes again has another one on the nodes.
    api.edit(SERVICE, |service| service["spec"]["allocateLoadBalancerNodePorts"] = json!(false));
    for edit in edits {
        is_put_right(&api, &harness, SERVICE, edit).await;
    }
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

#[tokio::test(start_paused = true)]
async fn service_keeps_foreign_fields() {
    let api = api();
    let harness = settled(&api).await;
    api.forget();
    api.edit(SERVICE, |service| {
        service["metadata"]["annotations"]["theirs"] = json!("x");
        service["metadata"]["finalizers"] = json!(["example.com/cleanup"]);
        service["spec"]["sessionAffinity"] = json!("ClientIP");
    });
    harness.settle().await;
    assert_eq!(written(&api), [] as [&str; 0]);
    api.edit(SERVICE, |service| service["spec"]["selector"] = json!({ "app": "theirs" }));
    api.until_object(SERVICE, |service| service["spec"]["selector"] == json!({ "app": "gate" }))
        .await;
    let service = api.get(SERVICE);
    assert_eq!(service["metadata"]["annotations"]["theirs"], "x");
    assert_eq!(service["spec"]["sessionAffinity"], "ClientIP");
}

#[tokio::test(start_paused = true)]
async fn service_that_is_foreign_is_unchanged() {
    for manager in ["Helm", "sluicegate.example.com"] {
        let api = api();
        let theirs = json!({
            "kind": "Service",
            "metadata": {
                "name": "default-g-164a398c",
                "namespace": "system",
                "labels": { "app.kubernetes.io/managed-by": manager },
            },
            "spec": { "ports": [{ "port": 80, "targetPort": 8080 }], "selector": { "app": "x" } },
        });
        api.apply(theirs);
        let harness = settled(&api).await;
        api.edit(SERVICE, |service| service["spec"]["selector"] = json!({ "app": "y" }));
        api.apply(gateway("g", 6000));
        harness.settle().await;
        let of_service: Vec<_> =
            written(&api).into_iter().filter(|write| write.ends_with(SERVICE)).collect();
        assert_eq!(of_service, [] as [&str; 0]);
        let programmed = says(&api, "g", "Programmed");
        assert_eq!(programmed["status"], "False");
        assert_eq!(programmed["reason"], "AddressNotAssigned");
        let message = programmed["message"].as_str().unwrap();
        assert!(message.contains("Service system/default-g-164a398c"), "{message}");

        api.delete(SERVICE);
        api.until_object(SERVICE, |service| ports(service)[0].0 == 6000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn service_deleted_is_recreated_with_its_pod_ports() {
    let api = api();
    let harness = settled(&api).await;
    let service = api.get(SERVICE);
    api.forget();
    api.delete(SERVICE);
    harness.settle().await;
    assert_eq!(written(&api), [format!("create {SERVICE}")]);
    assert_eq!(ports(&api.get(SERVICE)), ports(&service));
}

/// It goes by itself, slowly perhaps: a load balancer is to be taken down first.
#[tokio::test(start_paused = true)]
async fn service_being_deleted_is_waited_for() {
    let api = api();
    let harness = settled(&api).await;
    let kept = |service: &mut Value| {
        service["metadata"]["finalizers"] = json!(["example.com/cleanup"]);
    };
    let mut service = api.get(SERVICE);
    api.delete(SERVICE);
    kept(&mut service);
    api.apply(service);
    harness.settle().await;
    api.delete(SERVICE);
    api.forget();
    harness.settle().await;
    assert_eq!(written(&api), [] as [&str; 0]);
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

/// An earlier leader may have made it, or we ourselves, and the answer was lost.
#[tokio::test(start_paused = true)]
async fn service_that_exists_already_is_read_without_an_error() {
    let api = api();
    drop(settled(&api).await);
    let made = api.get(SERVICE);
    api.delete(SERVICE);
    api.spoil("create", "services", Effect::Hold);
    let harness = Harness::behind_services(&api, super::template());
    harness
        .asked("the Service is to be made", |state| state.count("create", "services") == 1)
        .await;
    api.spoil("watch,list", "services", Effect::Hold);
    api.close("services");
    let watches = |state: &crate::api::State| state.streams.contains(&"services/".to_owned());
    harness.asked("the watch ends", |state| !watches(state)).await;
    api.apply(made);
    api.forget();
    api.heal();
    harness.settle().await;
    assert_eq!(api.read(|state| state.count("create", "services")), 0);
    assert_eq!(written(&api), [] as [&str; 0]);
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

/// Somebody else may have it by now.
#[tokio::test(start_paused = true)]
async fn service_created_by_another_client_is_unchanged() {
    let api = api();
    api.spoil("create", "services", Effect::Hold);
    let harness = Harness::behind_services(&api, super::template());
    harness
        .asked("the Service is to be made", |state| state.count("create", "services") == 1)
        .await;
    let mut theirs = within("system", service("default-g-164a398c"));
    theirs["spec"]["selector"] = json!({ "app": "theirs" });
    api.apply(theirs);
    let before = api.get(SERVICE);
    api.forget();
    api.heal();
    harness.settle().await;
    assert_eq!(api.get(SERVICE), before);
    assert_eq!(api.read(|state| state.count("create", "services")), 0);
    assert_eq!(harness.warnings("cannot create"), 0, "{}", harness.log());
}

#[tokio::test(start_paused = true)]
async fn service_permission_missing_is_reported_and_the_rest_continues() {
    let api = api();
    api.spoil("create", "services", Effect::Refuse(403));
    let harness = settled(&api).await;
    assert_eq!(harness.warnings("cannot create Service objects: "), 1, "{}", harness.log());
    let tries = api.read(|state| state.count("create", "services"));
    assert!((2..40).contains(&tries), "{tries} in a quarter of an hour");
    assert_eq!(says(&api, "g", "Programmed")["reason"], "AddressNotAssigned");
    api.heal();
    api.until_object(SERVICE, |service| !ports(service).is_empty()).await;
}

/// Somebody who puts it back time and again is answered with measure.
#[tokio::test(start_paused = true)]
async fn service_edits_in_a_loop_are_reverted_with_backoff() {
    let api = api();
    let harness = settled(&api).await;
    let before = ports(&api.get(SERVICE));
    api.forget();
    for number in 0..100 {
        api.edit(SERVICE, |service| service["spec"]["ports"][0]["targetPort"] = json!(1 + number));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    harness.settle().await;
    let count = written(&api).len();
    assert!((4..=8).contains(&count), "{count} in ten seconds");
    assert_eq!(ports(&api.get(SERVICE)), before);
}
