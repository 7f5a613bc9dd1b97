//! Services whose pod ports are edited by a user, and reports that arrive late.

use std::time::Duration;

use serde_json::{Value, json};

use super::{SERVICE, api, ports, settled, written};
use crate::api::Api;
use crate::objects::{gateway, with};

/// The time that the gateway takes for a snapshot.
const SLOW: Duration = Duration::from_secs(10);

fn edit_pod_port(api: &Api, pod_port: u64) {
    api.apply(with("/spec/ports/0/targetPort", json!(pod_port), api.get(SERVICE)));
}

/// A replica that has just started knows only the Services. So the port of an existing Service takes
/// precedence over a port that this replica remembers for a Gateway without a Service.
#[tokio::test(start_paused = true)]
async fn pod_port_of_an_existing_service_takes_precedence_over_a_remembered_one() {
    let api = api();
    api.apply(gateway("h", 6000));
    let harness = settled(&api).await;
    let other = "services/system/default-h-164a4571";
    let [(_, remembered)] = ports(&api.get(other))[..] else { panic!("{:#}", api.get(other)) };
    api.forget();
    api.delete(other);
    edit_pod_port(&api, remembered);
    harness.settle().await;
    assert_eq!(ports(&api.get(SERVICE)), [(5000, remembered)]);
    assert_ne!(ports(&api.get(other)), [(6000, remembered)]);
    let services: Vec<_> =
        written(&api).into_iter().filter(|write| write.contains("services/")).collect();
    assert_eq!(services, [format!("create {other}")]);
}

#[tokio::test(start_paused = true)]
async fn edited_service_is_not_rewritten_before_the_report_of_the_edit() {
    let api = api();
    let harness = settled(&api).await;
    let [(_, before)] = ports(&api.get(SERVICE))[..] else { panic!("{:#}", api.get(SERVICE)) };
    // A free pod port is taken over from the Service.
    let edited = if before == 20_007 { 20_008 } else { 20_007 };
    harness.slow_down(SLOW);
    api.forget();
    edit_pod_port(&api, edited);
    harness.settle().await;
    assert_eq!(ports(&api.get(SERVICE)), [(5000, edited)]);
    let services: Vec<_> =
        written(&api).into_iter().filter(|write| write.contains("services/")).collect();
    assert_eq!(services, [] as [String; 0]);
}

#[tokio::test(start_paused = true)]
async fn edited_service_is_corrected_after_the_report_of_the_edit() {
    let api = api();
    let harness = settled(&api).await;
    let before: Value = api.get(SERVICE)["spec"]["ports"].clone();
    harness.slow_down(SLOW);
    api.forget();
    // Port 80 is not a pod port.
    edit_pod_port(&api, 80);
    harness.settle().await;
    assert_eq!(api.get(SERVICE)["spec"]["ports"], before);
    assert_eq!(written(&api), [format!("update {SERVICE}")]);
}
