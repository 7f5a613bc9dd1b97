//! The entries of `status.parents`, of this controller and of others.

use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::Harness;
use crate::objects::{OURS, THEIRS, class, gateway, parent, parent_status, route, usual, with};

const ROUTE: &str = "tcproutes/default/r";

fn entry(gateway: &str, controller: &str) -> Value {
    json!({
        "parentRef": parent(gateway),
        "controllerName": controller,
        "conditions": [{
            "type": "Accepted", "status": "False", "reason": "Theirs", "message": "",
            "observedGeneration": 1, "lastTransitionTime": "2020-01-01T00:00:00Z", "extra": { "z": 1, "a": [null] },
        }],
        "unknown": [{ "deep": 1.5 }],
    })
}

fn parents(api: &Api) -> Vec<Value> {
    api.get(ROUTE)["status"]["parents"].as_array().cloned().unwrap_or_default()
}

/// The entries have fields of a newer definition.
#[tokio::test(start_paused = true)]
async fn parents_of_others_keep_content_and_position() {
    let api = Api::with(usual());
    api.loosen("tcproutes");
    let theirs = [entry("g", THEIRS), entry("elsewhere", THEIRS)];
    api.set_status(ROUTE, json!({ "parents": [theirs[0], entry("gone", OURS), theirs[1]] }));
    let harness = Harness::settled(&api).await;
    let found = parents(&api);
    assert_eq!(found[..2], theirs);
    assert_eq!(found[2]["parentRef"], parent("g"));
    assert_eq!(found[2]["controllerName"], OURS);
    assert_eq!(found.len(), 3);

    // And when there is nothing left of ours.
    api.apply(with("/spec/parentRefs", json!([parent("elsewhere")]), route("r", "s")));
    harness.settle().await;
    assert_eq!(parents(&api), theirs);
}

/// Something that ends a parent's say in a route.
type End = fn(&Api);

#[tokio::test(start_paused = true)]
async fn parents_are_removed_even_the_last_one() {
    let ends: [(&str, End); 4] = [
        ("the reference goes", |api| {
            api.apply(with("/spec/parentRefs", json!([]), route("r", "s")));
        }),
        ("the Gateway goes", |api| api.delete("gateways/default/g")),
        ("the Gateway changes its class", |api| {
            api.apply(with("/spec/gatewayClassName", json!("another"), gateway("g", 5000)));
        }),
        ("the class changes its controller", |api| {
            api.recreate(class("c", THEIRS));
        }),
    ];
    for (what, end) in ends {
        let api = Api::with(usual());
        let harness = Harness::settled(&api).await;
        assert_eq!(parents(&api).len(), 1);
        api.forget();
        end(&api);
        harness.settle().await;
        assert_eq!(api.get(ROUTE)["status"], json!({ "parents": [] }), "{what}");
        let count = api.read(|state| state.count("update", "tcproutes"));
        assert_eq!(count, 1, "{what}");
    }
}

/// It is known by what stands there, not by what was once seen.
#[tokio::test(start_paused = true)]
async fn parents_that_are_stale_are_removed_after_a_restart() {
    let api = Api::with(usual());
    drop(Harness::settled(&api).await);
    api.delete("gateways/default/g");
    let _harness = Harness::settled(&api).await;
    assert_eq!(api.get(ROUTE)["status"], json!({ "parents": [] }));
}

#[tokio::test(start_paused = true)]
async fn parents_have_one_entry_for_each_reference() {
    let api = Api::with(usual());
    api.apply(gateway("h", 6000));
    let by_port = json!({
        "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "h", "namespace": "default", "port": 6000,
    });
    let refs = json!([parent("missing"), by_port, parent("g")]);
    api.apply(with("/spec/parentRefs", refs, route("r", "s")));
    let harness = Harness::settled(&api).await;
    let refs = |api: &Api| -> Vec<Value> {
        parents(api).iter().map(|parent| parent["parentRef"].clone()).collect()
    };
    assert_eq!(refs(&api), [by_port, parent("g")], "as the route spells them");
    api.apply(route("r", "s"));
    harness.settle().await;
    assert_eq!(refs(&api), [parent("g")]);
}

/// Others write as they like; it is no reason to write.
#[tokio::test(start_paused = true)]
async fn parents_written_by_others_cause_no_write() {
    let api = Api::with(usual());
    let harness = Harness::settled(&api).await;
    api.forget();
    let mut status = api.get(ROUTE)["status"].clone();
    status["parents"].as_array_mut().unwrap().insert(0, entry("elsewhere", THEIRS));
    api.set_status(ROUTE, status.clone());
    harness.settle().await;
    assert_eq!(api.writes().len(), 0);
    // What is ours is put right, though.
    api.set_status(ROUTE, json!({ "parents": [entry("elsewhere", THEIRS)] }));
    harness.settle().await;
    assert_eq!(api.writes().len(), 1);
    assert_eq!(parents(&api).len(), 2);
}

/// The API server would refuse a status with more entries, again and again.
#[tokio::test(start_paused = true)]
async fn status_without_room_is_not_written_and_reported_once() {
    let api = Api::with(usual());
    let theirs: Vec<_> =
        (0..32).map(|number| parent_status(&format!("g{number}"), THEIRS)).collect();
    api.set_status(ROUTE, json!({ "parents": theirs }));
    let harness = Harness::settled(&api).await;
    assert_eq!(api.get(ROUTE)["status"]["parents"], json!(theirs));
    assert_eq!(api.read(|state| state.count("update", "tcproutes")), 0);
    assert_eq!(harness.warnings("TCPRoute default/r"), 1, "{}", harness.log());

    api.apply(route("r", "missing"));
    harness.settle().await;
    assert_eq!(harness.warnings("TCPRoute default/r"), 1, "{}", harness.log());
    api.set_status(ROUTE, json!({ "parents": theirs[1..] }));
    harness.settle().await;
    let parents = api.get(ROUTE)["status"]["parents"].clone();
    assert_eq!(parents[31]["controllerName"], OURS);
    assert!(harness.log().contains("the status is complete again"), "{}", harness.log());
}
