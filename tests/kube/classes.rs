//! GatewayClasses: their status and their finalizer.

use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{OURS, class, condition, gateway, usual, with};

const CLASS: &str = "gatewayclasses/c";
const FINALIZER: &str = "gateway-exists-finalizer.gateway.networking.k8s.io";

#[tokio::test(start_paused = true)]
async fn class_is_accepted_and_lists_its_features() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    let status = api.get(CLASS)["status"].clone();
    for (condition_type, reason) in
        [("Accepted", "Accepted"), ("SupportedVersion", "SupportedVersion")]
    {
        let condition = condition(&status, condition_type);
        assert_eq!((&condition["status"], &condition["reason"]), (&json!("True"), &json!(reason)));
        assert_eq!(condition["observedGeneration"], 1);
    }
    let features = status["supportedFeatures"].as_array().unwrap();
    let names: Vec<_> = features.iter().map(|feature| feature["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"TCPRoute"), "{names:?}");

    let parameters = json!({ "group": "example.com", "kind": "Parameters", "name": "p" });
    let spec = json!({ "controllerName": OURS, "parametersRef": parameters });
    api.apply(with("/spec", spec, class("c", OURS)));
    harness.settle().await;
    let status = api.get(CLASS)["status"].clone();
    let accepted = condition(&status, "Accepted");
    assert_eq!(accepted["reason"], "InvalidParameters");
    let conditions = status["conditions"].as_array().unwrap();
    assert!(conditions.iter().all(|condition| condition["observedGeneration"] == 2), "{status:#}");
}

#[tokio::test(start_paused = true)]
async fn class_reports_an_unsupported_version() {
    for (bundle, status) in [(Some("v1.6.0"), "True"), (Some("v1.7.0"), "False"), (None, "False")] {
        let api = Api::with(usual());
        api.bundle(bundle);
        let _harness = Harness::settled(&api).await;
        let supported = condition(&api.get(CLASS)["status"], "SupportedVersion").clone();
        assert_eq!(supported["status"], status, "{bundle:?}");
        assert_eq!(condition(&api.get(CLASS)["status"], "Accepted")["status"], "True");
    }
}

fn finalizers(class: &Value) -> Vec<&str> {
    let finalizers = class["metadata"]["finalizers"].as_array().into_iter().flatten();
    finalizers.filter_map(Value::as_str).collect()
}

#[tokio::test(start_paused = true)]
async fn class_has_a_finalizer_while_it_has_gateways() {
    let api = Api::with(usual());
    let mut another = class("unused", OURS);
    another["metadata"]["finalizers"] = json!(["example.com/theirs"]);
    api.apply(another);
    let harness = Harness::settled(&api).await;
    assert_eq!(finalizers(&api.get(CLASS)), [FINALIZER]);
    assert_eq!(finalizers(&api.get("gatewayclasses/unused")), ["example.com/theirs"]);

    // Another Gateway is no news.
    api.forget();
    api.apply(with("/spec/gatewayClassName", json!("c"), gateway("h", 6000)));
    harness.settle().await;
    assert_eq!(api.read(|state| state.count("patch", "gatewayclasses")), 0);
    api.delete("gateways/default/h");
    harness.settle().await;
    assert_eq!(finalizers(&api.get(CLASS)), [FINALIZER]);

    api.apply(with("/spec/gatewayClassName", json!("unused"), gateway("g", 5000)));
    harness.settle().await;
    assert_eq!(finalizers(&api.get(CLASS)), [] as [&str; 0]);
    assert_eq!(finalizers(&api.get("gatewayclasses/unused")), ["example.com/theirs", FINALIZER]);
}

#[tokio::test(start_paused = true)]
async fn class_being_deleted_is_removed_with_its_last_gateway() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.delete(CLASS);
    harness.settle().await;
    assert!(!api.get(CLASS).is_null(), "it has a Gateway");
    assert_eq!(finalizers(&api.get(CLASS)), [FINALIZER]);
    api.delete("gateways/default/g");
    harness.settle().await;
    assert!(api.get(CLASS).is_null());
    let patches = api.read(|state| state.count("patch", "gatewayclasses"));
    assert_eq!(patches, 2, "set once, taken once");
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

/// No finalizer may be added any more then; the server would refuse it.
#[tokio::test(start_paused = true)]
async fn class_being_deleted_gets_no_finalizer() {
    let api = Api::with([usual(), vec![]].concat());
    let mut held = class("c", OURS);
    held["metadata"]["finalizers"] = json!(["example.com/theirs"]);
    api.delete(CLASS);
    api.apply(held);
    api.delete(CLASS);
    let _harness = Harness::settled(&api).await;
    assert_eq!(finalizers(&api.get(CLASS)), ["example.com/theirs"]);
    assert_eq!(api.read(|state| state.count("patch", "gatewayclasses")), 0);
}
