//! Services that the API server refuses: the status and the Events of their Gateways.

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{SERVICE, api, balance, says, settled};
use crate::api::{Api, Effect};
use crate::objects::{gateway, listener, with};

const QUOTA: &str = "services is forbidden: exceeded quota: q, used: 1, limited: 1";

/// The Events about Services, each with its action.
fn events(api: &Api) -> Vec<Value> {
    let events = api.events().into_iter();
    let is_refusal = |event: &Value| event["reason"] == "ServiceRefused";
    events.filter(is_refusal).map(|event| event["action"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn service_creation_error_is_in_status_and_event_until_it_succeeds() {
    for (effect, error) in [
        (Effect::ExceedQuota, QUOTA),
        (Effect::Refuse(403), "services is forbidden: User \"gate\" cannot create resource"),
        (Effect::Refuse(422), "services/system/ is invalid"),
    ] {
        let api = api();
        api.spoil("create", "services", effect);
        let harness = settled(&api).await;
        let programmed = says(&api, "g", "Programmed");
        assert_eq!(programmed["reason"], "AddressNotAssigned");
        let message = programmed["message"].as_str().unwrap();
        let start = format!("Service system/default-g-164a398c cannot be created: {error}");
        assert!(message.starts_with(&start), "{message}");
        assert_eq!(events(&api), ["WriteService"]);
        assert!(api.events()[0]["note"].as_str().unwrap().starts_with(&start));
        assert_eq!(harness.warnings("cannot create Service objects"), 1);

        // A new process reports it once more.
        drop(harness);
        let harness = settled(&api).await;
        assert_eq!(says(&api, "g", "Programmed"), programmed);
        assert_eq!(events(&api), ["WriteService"; 2]);

        api.heal();
        api.until_object(SERVICE, |service| service["spec"].is_object()).await;
        sleep(std::time::Duration::from_secs(2)).await;
        let message = says(&api, "g", "Programmed")["message"].to_string();
        assert!(!message.contains("cannot be created"), "{message}");
        balance(&api, SERVICE, "203.0.113.1");
        harness.settle().await;
        assert_eq!(says(&api, "g", "Programmed")["status"], "True");
    }
}

#[tokio::test(start_paused = true)]
async fn service_update_error_is_in_status_while_the_service_works() {
    let api = api();
    let harness = settled(&api).await;
    balance(&api, SERVICE, "203.0.113.1");
    harness.settle().await;
    api.spoil("update", "services", Effect::ExceedQuota);
    let listeners = json!([listener("l", 5000), listener("k", 5001)]);
    api.apply(with("/spec/listeners", listeners, gateway("g", 5000)));
    harness.settle().await;
    let programmed = says(&api, "g", "Programmed");
    assert_eq!(programmed["status"], "True");
    let message = programmed["message"].as_str().unwrap();
    assert!(message.contains(&format!("cannot be updated: {QUOTA}")), "{message}");
    assert_eq!(events(&api), ["WriteService"]);

    // The listener is not needed any longer.
    api.apply(gateway("g", 5000));
    harness.settle().await;
    let programmed = says(&api, "g", "Programmed");
    assert_eq!(programmed["message"], "All valid listeners are open.");
}

#[tokio::test(start_paused = true)]
async fn service_error_without_a_response_is_not_in_status() {
    let api = api();
    api.spoil("create", "services", Effect::Break);
    let harness = settled(&api).await;
    let message = says(&api, "g", "Programmed")["message"].to_string();
    assert!(!message.contains("cannot be created"), "{message}");
    assert_eq!(harness.warnings("cannot create Service objects"), 1);
    assert_eq!(events(&api), [] as [Value; 0]);
}
