//! Objects that the definitions of Gateway API allow although they make little sense: each gets a
//! status, and a status that another controller wrote has no effect.

use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{OURS, THEIRS, condition, gateway, parent, usual, with};

const GATEWAY: &str = "gateways/default/g";
const ROUTE: &str = "tcproutes/default/r";

/// The usual objects, with a Gateway that has this value at a place of its spec. An API server of a
/// cluster has only the rules of the definition; ours also has those of the model.
async fn settled_with(place: &str, field: &str, value: Value) -> (Api, Harness) {
    let api = Api::with(usual());
    api.loosen("gateways");
    let mut gateway = gateway("g", 5000);
    gateway.pointer_mut(place).unwrap()[field] = value;
    api.apply(gateway);
    let harness = Harness::settled(&api).await;
    (api, harness)
}

#[tokio::test(start_paused = true)]
async fn invalid_selector_allows_no_routes_and_is_reported() {
    for (expression, error) in [
        (json!({ "key": "k", "operator": "Near" }), "operator `Near` must be"),
        (json!({ "key": "k", "operator": "In" }), "operator In for label `k` requires"),
        (json!({ "key": "k", "operator": "NotIn", "values": [] }), "requires at least one value"),
        (json!({ "key": "-", "operator": "Exists" }), "`-` is not a valid label key"),
    ] {
        let allowed = json!({
            "namespaces": { "from": "Selector", "selector": { "matchExpressions": [expression] } },
        });
        let (api, harness) = settled_with("/spec/listeners/0", "allowedRoutes", allowed).await;
        let gateway = api.get(GATEWAY);
        assert_eq!(condition(&gateway["status"], "Accepted")["status"], "True", "{expression}");
        let listener = &gateway["status"]["listeners"][0];
        let accepted = condition(listener, "Accepted");
        assert_eq!(accepted["status"], "True");
        assert!(accepted["message"].as_str().unwrap().contains(error), "{accepted}");
        assert_eq!(listener["attachedRoutes"], 0);
        let route = api.get(ROUTE);
        let accepted = condition(&route["status"]["parents"][0], "Accepted");
        assert_eq!(accepted["reason"], "NotAllowedByListeners");
        assert!(accepted["message"].as_str().unwrap().contains(error), "{accepted}");
        assert_eq!(harness.warnings(""), 0, "{}", harness.log());
    }
}

#[tokio::test(start_paused = true)]
async fn address_of_an_unusual_type_is_unsupported() {
    for address_type in ["/a/b", "X Y/a.b/c", "my IPAddress!"] {
        let addresses = json!([{ "type": address_type, "value": "x" }]);
        let (api, _harness) = settled_with("/spec", "addresses", addresses).await;
        let gateway = api.get(GATEWAY);
        let accepted = condition(&gateway["status"], "Accepted");
        assert_eq!(accepted["status"], "False");
        assert_eq!(accepted["reason"], "UnsupportedAddress", "{address_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn slice_port_that_is_no_port_is_ignored() {
    let api = Api::with(usual());
    api.loosen("endpointslices");
    api.apply(with("/ports/0/port", json!(70_000), api.get("endpointslices/default/s")));
    let harness = Harness::settled(&api).await;
    let route = api.get(ROUTE);
    let resolved = condition(&route["status"]["parents"][0], "ResolvedRefs");
    assert_eq!(resolved["status"], "True");
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}

#[tokio::test(start_paused = true)]
async fn unusual_status_has_no_effect_and_is_kept() {
    let api = Api::with(usual());
    api.loosen("tcproutes");
    api.loosen("gateways");
    let theirs = json!({
        "parentRef": parent("elsewhere"), "controllerName": "BadController",
        "conditions": [{ "type": "Accepted", "status": "True" }],
    });
    api.set_status(ROUTE, json!({ "parents": [theirs, 1, { "controllerName": THEIRS }] }));
    let condition_of_theirs = json!({ "type": "Theirs", "status": "yes" });
    api.set_status(
        GATEWAY,
        json!({
            "addresses": "none",
            "conditions": [condition_of_theirs],
            "listeners": [{ "name": "L", "attachedRoutes": null }],
        }),
    );
    let harness = Harness::settled(&api).await;
    let gateway = api.get(GATEWAY);
    assert_eq!(gateway["status"]["conditions"][0], condition_of_theirs);
    assert_eq!(condition(&gateway["status"], "Programmed")["status"], "True");
    let route = api.get(ROUTE);
    let parents = route["status"]["parents"].as_array().unwrap();
    assert_eq!(parents[..3], [theirs, json!(1), json!({ "controllerName": THEIRS })]);
    assert_eq!(parents[3]["controllerName"], OURS);
    assert_eq!(condition(&parents[3], "Accepted")["status"], "True");
    assert_eq!(harness.warnings(""), 0, "{}", harness.log());
}
