//! Definitions of GatewayClass that do not contain `status.supportedFeatures` as it is written.

use serde_json::Value;

use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{condition, usual};

const CLASS: &str = "gatewayclasses/c";
const WARNING: &str = "of GatewayClasses is written without it";

fn count(api: &Api) -> usize {
    api.read(|state| state.count("update", "gatewayclasses"))
}

/// Like the standard definitions of Gateway API 1.2 and 1.3.
fn drop_features(class: &mut Value) {
    class["status"].as_object_mut().map(|status| status.remove("supportedFeatures"));
}

#[tokio::test(start_paused = true)]
async fn features_that_the_definition_drops_are_left_out() {
    let api = Api::with(usual());
    api.bundle(Some("v1.3.0"));
    api.mutate("gatewayclasses", drop_features);
    let harness = Harness::settled(&api).await;
    assert_eq!(count(&api), 1, "it is left out without a further write");
    assert_eq!(condition(&api.get(CLASS)["status"], "Accepted")["status"], "True");
    assert_eq!(harness.warnings(WARNING), 1, "{}", harness.log());

    api.keep_as_written();
    api.bundle(Some("v1.6.3"));
    harness.settle().await;
    assert!(api.get(CLASS)["status"]["supportedFeatures"].is_array(), "after an upgrade");
    assert_eq!(harness.warnings(WARNING), 1, "{}", harness.log());
}

/// Like the experimental definitions of Gateway API 1.1, which contain a list of strings.
#[tokio::test(start_paused = true)]
async fn features_that_the_definition_refuses_are_left_out() {
    let api = Api::with(usual());
    api.bundle(Some("v1.1.0"));
    api.refuse_invalid("gatewayclasses", |class| {
        class["status"]["supportedFeatures"][0].is_object()
    });
    let harness = Harness::settled(&api).await;
    assert_eq!(count(&api), 2);
    let status = api.get(CLASS)["status"].clone();
    assert_eq!(condition(&status, "Accepted")["status"], "True");
    assert_eq!(condition(&status, "SupportedVersion")["status"], "False");
    assert_eq!(harness.warnings(WARNING), 1, "{}", harness.log());
    assert_eq!(harness.warnings("cannot write"), 0, "{}", harness.log());
}
