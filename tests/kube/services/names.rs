//! Gateways whose Services have the same name.

use serde_json::{Value, json};

use super::{api, ports, says, settled, written};
use crate::api::Api;
use crate::objects::{OURS, class, gateway, with};

/// What the Services of both would be called.
const SERVICE: &str = "services/default/a-b-c";
const SLICE: &str = "endpointslices/default/a-b-c-ipv4";

/// A Gateway and its class.
type Named = (&'static str, &'static str);

const ONE: Named = ("a", "b-c");
const OTHER: Named = ("a-b", "c");

fn of((name, class): Named, port: u16) -> Value {
    with("/spec/gatewayClassName", json!(class), gateway(name, port))
}

fn api_with_classes() -> Api {
    let api = api();
    api.apply(class("b-c", OURS));
    api.delete("gateways/default/g");
    api
}

fn owner(api: &Api, name: &str) -> String {
    let owner = &api.get(name)["metadata"]["ownerReferences"][0]["name"];
    owner.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn service_name_stays_with_the_first_gateway() {
    for (first, second) in [(ONE, OTHER), (OTHER, ONE)] {
        let api = api_with_classes();
        api.apply(of(first, 5000));
        let harness = settled(&api).await;
        api.apply(of(second, 6000));
        harness.settle().await;
        assert_eq!(owner(&api, SERVICE), first.0);
        let programmed = says(&api, second.0, "Programmed");
        assert_eq!(programmed["reason"], "AddressNotAssigned");
        let message = programmed["message"].as_str().unwrap();
        assert!(message.contains("Service default/a-b-c"), "{message}");

        api.apply(of(first, 7000));
        harness.settle().await;
        let found = ports(&api.get(SERVICE));
        assert!(found.len() == 1 && found[0].0 == 7000, "{first:?} has {found:?}");
        assert_eq!(api.get(SLICE)["ports"][0]["port"], found[0].1);
        assert_eq!(owner(&api, SLICE), first.0);
    }
}

#[tokio::test(start_paused = true)]
async fn service_name_goes_to_the_second_gateway_after_deletion() {
    let api = api_with_classes();
    api.apply(of(ONE, 5000));
    api.apply(of(OTHER, 6000));
    let harness = settled(&api).await;
    let first = owner(&api, SERVICE);
    assert_eq!(owner(&api, SLICE), first);
    let second = if first == ONE.0 { OTHER.0 } else { ONE.0 };
    api.delete(&format!("gateways/default/{first}"));
    harness.settle().await;
    // What it owned is collected.
    [SERVICE, SLICE].iter().for_each(|name| api.delete(name));
    harness.settle().await;
    assert_eq!([SERVICE, SLICE].map(|name| owner(&api, name)), [second, second]);
}

#[tokio::test(start_paused = true)]
async fn service_name_clash_at_creation_is_decided_once() {
    let api = api_with_classes();
    api.apply(of(ONE, 5000));
    api.apply(of(OTHER, 6000));
    let harness = settled(&api).await;
    assert_eq!(written(&api).len(), 2, "{:?}", written(&api));
    assert_eq!(owner(&api, SERVICE), owner(&api, SLICE));
    assert_eq!(harness.warnings("cannot"), 0, "{}", harness.log());
}

/// Until what the one before owned is collected, it is neither ours nor anybody's whom a person
/// should ask.
#[tokio::test(start_paused = true)]
async fn service_of_a_recreated_gateway_is_created_after_garbage_collection() {
    let api = api();
    let harness = settled(&api).await;
    let [service, slice] = [super::SERVICE, super::SLICE];
    api.delete("gateways/default/g");
    api.apply(gateway("g", 5000));
    harness.settle().await;
    let programmed = says(&api, "g", "Programmed");
    assert_eq!(
        (&programmed["status"], &programmed["reason"]),
        (&json!("False"), &json!("Pending"))
    );
    api.forget();
    [service, slice].iter().for_each(|name| api.delete(name));
    harness.settle().await;
    let uid = &api.get("gateways/default/g")["metadata"]["uid"];
    for name in [service, slice] {
        assert_eq!(api.get(name)["metadata"]["ownerReferences"][0]["uid"], *uid);
    }
    assert_eq!(written(&api).len(), 2, "{:?}", written(&api));
}
