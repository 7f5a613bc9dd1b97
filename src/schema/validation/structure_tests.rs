use serde_json::json;

use super::*;
use crate::schema::apply_defaults;
use crate::schema::find_kind;
use crate::schema::{validate, validate_update};

/// Returns the causes of an object with its defaults.
fn causes(group: &str, kind: &str, mut object: Value) -> Vec<String> {
    let (resource, version) = find_kind(group, "v1", kind).unwrap();
    apply_defaults(&mut object, resource, version);
    validate(&object, version).iter().map(Cause::to_string).collect()
}

fn gateway(spec: Value) -> Vec<String> {
    causes("gateway.networking.k8s.io", "Gateway", json!({"spec": spec}))
}

fn with_listener(listener: Value) -> Vec<String> {
    gateway(json!({"gatewayClassName": "c", "listeners": [listener]}))
}

const SKIPPED: &str = "<nil>: Invalid value: null: some validation rules were not checked because \
    the object was invalid; correct the existing errors to complete validation";

#[test]
fn valid_objects_have_no_causes() {
    assert_eq!(with_listener(json!({"name": "a", "port": 80, "protocol": "TCP"})), [""; 0]);
    let service = json!({"spec": {"ports": [{"port": 80, "targetPort": "http"}]}});
    assert_eq!(causes("", "Service", service), [""; 0]);
}

#[test]
fn messages_are_those_of_the_api_server() {
    let path = "spec.listeners[0]";
    for (listener, expected) in [
        (
            json!({"name": "a", "port": 0, "protocol": "TCP"}),
            format!(
                "{path}.port: Invalid value: 0: {path}.port in body should be greater than or equal to 1"
            ),
        ),
        (
            json!({"name": "a", "port": 65536, "protocol": "TCP"}),
            format!(
                "{path}.port: Invalid value: 65536: {path}.port in body should be less than or equal to 65535"
            ),
        ),
        (
            json!({"name": "", "port": 1, "protocol": "TCP"}),
            format!(
                "{path}.name: Invalid value: \"\": {path}.name in body should be at least 1 chars long"
            ),
        ),
    ] {
        assert_eq!(with_listener(listener)[0], expected);
    }
    for (listener, expected) in [
        (json!({"port": 1, "protocol": "TCP"}), format!("{path}.name: Required value")),
        (
            json!({"name": "a".repeat(254), "port": 1, "protocol": "TCP"}),
            format!("{path}.name: Too long: may not be more than 253 bytes"),
        ),
        (
            json!({"name": "a", "port": "x", "protocol": "TCP"}),
            format!(
                "{path}.port: Invalid value: \"string\": {path}.port in body must be of type integer: \"string\""
            ),
        ),
        (
            json!({"name": "a", "port": 1, "protocol": "TCP", "allowedRoutes": {"namespaces": {"from": "Al"}}}),
            format!(
                "{path}.allowedRoutes.namespaces.from: Unsupported value: \"Al\": supported values: \"All\", \"Selector\", \"Same\""
            ),
        ),
    ] {
        let found = with_listener(listener);
        assert_eq!(found[0].replace(", \"None\"", ""), expected);
        assert_eq!(found.last().unwrap(), SKIPPED);
    }
}

#[test]
fn lists_have_bounds() {
    let listeners = vec![json!({"name": "a", "port": 80, "protocol": "TCP"}); 65];
    let found = gateway(json!({"gatewayClassName": "c", "listeners": listeners}));
    assert_eq!(found[0], "spec.listeners: Too many: 65: must have at most 64 items");
    let found = gateway(json!({"gatewayClassName": "c", "listeners": []}));
    let expected =
        "spec.listeners: Invalid value: 0: spec.listeners in body should have at least 1 items";
    assert_eq!(found[0], expected);
}

#[test]
fn alternatives_are_evaluated() {
    let address = |address: Value| {
        let listener = json!({"name": "a", "port": 80, "protocol": "TCP"});
        gateway(json!({"gatewayClassName": "c", "listeners": [listener], "addresses": [address]}))
    };
    assert_eq!(address(json!({"value": "10.0.0.1"})), [""; 0]);
    assert_eq!(address(json!({"value": "::1"})), [""; 0]);
    assert_eq!(address(json!({"type": "Hostname", "value": "a.b"})), [""; 0]);
    let path = "spec.addresses[0]";
    for (value, text) in [(json!("a.b"), "\"a.b\""), (json!(""), "\"\"")] {
        let expected = [
            format!(
                "<nil>: Invalid value: \"\": \"{path}\" must validate one and only one schema (oneOf). Found none valid"
            ),
            format!(
                "<nil>: Invalid value: \"\": \"{path}.value\" must validate at least one schema (anyOf)"
            ),
            format!(
                "{path}.value: Invalid value: {text}: {path}.value in body must be of type ipv4: {text}"
            ),
            SKIPPED.to_owned(),
        ];
        let found = address(json!({"value": value}));
        assert!(expected.iter().all(|one| found.contains(one)), "{found:#?}");
    }
    // The alternatives have no type, and restrict the fields of an object only.
    let expected = format!(
        "<nil>: Invalid value: \"\": \"{path}\" must validate one and only one schema (oneOf). Found 2 valid alternatives"
    );
    let found = address(json!("x"));
    assert!(found.contains(&expected), "{found:#?}");
}

#[test]
fn integers_fit_their_format() {
    for (value, is_valid) in [
        (json!(5), true),
        (json!(5.0), false),
        (json!(5.5), false),
        (json!(2_147_483_647_i64), true),
        (json!(2_147_483_648_i64), false),
        (json!(true), false),
    ] {
        let found = causes(
            "apps",
            "Deployment",
            json!({"spec": {"replicas": value, "selector": {}, "template": {"spec": {"containers": []}}}}),
        );
        assert_eq!(found.is_empty(), is_valid, "{value} {found:?}");
    }
}

#[test]
fn quantities_and_ports_have_two_types() {
    let container = |limit: Value, port: Value| {
        let container = json!({
            "name": "a",
            "resources": {"limits": {"cpu": limit}},
            "livenessProbe": {"httpGet": {"port": port}},
        });
        let template = json!({"spec": {"containers": [container]}});
        causes("apps", "Deployment", json!({"spec": {"selector": {}, "template": template}}))
    };
    assert_eq!(container(json!("500m"), json!("http")), [""; 0]);
    assert_eq!(container(json!(1.5), json!(80)), [""; 0]);
    assert_eq!(container(json!("5x"), json!(80)).len(), 1);
    assert_eq!(container(json!(1), json!(false)).len(), 1);
    assert_eq!(container(json!(1), json!(80.0)).len(), 1);
}

#[test]
fn formats_are_checked() {
    let found = causes("", "Secret", json!({"data": {"a": "%"}}));
    assert_eq!(found, ["data.a: Invalid value: \"%\": data.a in body must be of type byte: \"%\""]);
}

#[test]
fn unchanged_values_are_not_checked() {
    let (resource, version) = find_kind("gateway.networking.k8s.io", "v1", "Gateway").unwrap();
    let gateway = |listeners: [(&str, u32); 2]| {
        let listeners =
            listeners.map(|(name, port)| json!({"name": name, "port": port, "protocol": "TCP"}));
        let spec = json!({"gatewayClassName": "c", "listeners": listeners});
        let mut object = json!({"spec": spec});
        apply_defaults(&mut object, resource, version);
        object
    };
    let causes_of = |listeners, old| {
        let causes = validate_update(&gateway(listeners), &gateway(old), version);
        causes.into_list().into_iter().map(|cause| cause.field).collect::<Vec<_>>()
    };
    let old = [("a", 0), ("b", 1)];
    assert_eq!(causes_of([("a", 0), ("b", 2)], old), [""; 0]);
    assert_eq!(causes_of([("b", 2), ("a", 0)], old), [""; 0]);
    assert_eq!(causes_of([("a", 65536), ("b", 1)], old), ["spec.listeners[0].port"]);
    assert_eq!(causes_of([("c", 0), ("b", 1)], old), ["spec.listeners[0].port"]);
}
