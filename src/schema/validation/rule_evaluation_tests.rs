use serde_json::json;

use super::*;
use crate::schema::apply_defaults;
use crate::schema::find_kind;

fn causes(kind: &str, mut new: Value, old: Option<Value>) -> Vec<String> {
    let (resource, version) = find_kind("gateway.networking.k8s.io", "v1", kind).unwrap();
    let with_defaults = |mut object: Value| {
        apply_defaults(&mut object, resource, version);
        object
    };
    apply_defaults(&mut new, resource, version);
    let old = old.map(with_defaults);
    evaluate(&new, old.as_ref(), version.schema()).iter().map(Cause::to_string).collect()
}

fn gateway(listeners: Value) -> Value {
    json!({"spec": {"gatewayClassName": "c", "listeners": listeners}})
}

#[test]
fn broken_rule_has_its_path_and_message() {
    let listener = json!({"name": "a", "port": 80, "protocol": "TCP", "hostname": "a.b"});
    let found = causes("Gateway", gateway(json!([listener])), None);
    let expected = "spec.listeners: Invalid value: hostname must not be specified for protocols ['TCP', 'UDP']";
    assert_eq!(found, [expected]);
    let route = json!({"spec": {"rules": [{"backendRefs": [{"name": "s"}]}]}});
    let found = causes("TCPRoute", route, None);
    let path = "spec.rules[0].backendRefs[0]";
    assert_eq!(found, [format!("{path}: Invalid value: Must have port for Service reference")]);
}

#[test]
fn immutable_field_may_not_change() {
    let class = |name: &str| json!({"spec": {"controllerName": name}});
    assert_eq!(causes("GatewayClass", class("a/b"), None), [""; 0]);
    assert_eq!(causes("GatewayClass", class("a/b"), Some(class("a/b"))), [""; 0]);
    let found = causes("GatewayClass", class("a/b"), Some(class("a/c")));
    assert_eq!(found, ["spec.controllerName: Invalid value: \"a/b\": Value is immutable"]);
}

#[test]
fn unchanged_value_may_break_a_rule() {
    let listener =
        |hostname: &str| json!({"name": "a", "port": 80, "protocol": "TCP", "hostname": hostname});
    let old = gateway(json!([listener("a.b")]));
    assert_eq!(causes("Gateway", old.clone(), Some(old.clone())), [""; 0]);
    let mut changed = old.clone();
    changed["metadata"] = json!({"labels": {"a": "b"}});
    assert_eq!(causes("Gateway", changed, Some(old.clone())), [""; 0]);
    assert_eq!(causes("Gateway", gateway(json!([listener("a.c")])), Some(old)).len(), 1);
}

#[test]
fn schemas_without_rules_are_known() {
    for (group, kind, expected) in [
        ("gateway.networking.k8s.io", "Gateway", true),
        ("gateway.networking.k8s.io", "ReferenceGrant", false),
        ("", "Service", false),
    ] {
        let (_, version) = find_kind(group, "v1", kind).unwrap();
        assert_eq!(has_rules(version.schema()), expected, "{kind}");
    }
}
