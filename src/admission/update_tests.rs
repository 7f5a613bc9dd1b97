//! Updates of objects that earlier rules allowed.

use serde_json::{Value, json};

use super::requests_in_tests::{assert_causes, create, document, target, update, with};
use super::{Admission, Settings};
use crate::schema::FieldValidation;

/// Returns stored objects that today's rules refuse, with a field of each that can be changed.
fn invalid_objects() -> Vec<(&'static str, Value, &'static str)> {
    let listener = json!({"name": "a", "protocol": "TCP", "port": 80});
    let gateway = json!({"spec": {"gatewayClassName": "c", "listeners": [listener]}});
    let slice = slice(&["10.0.0.1"]);
    let service = json!({"spec": {"ports": [{"port": 80}]}});
    let secret = json!({"type": "kubernetes.io/basic-auth", "data": {"username": "YQ=="}});
    let route = json!({"spec": {"rules": [{"backendRefs": [{"name": "s", "port": 1}]}]}});
    let no_spec = json!({"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "a", "image": "a"}]},
    }}});
    [
        // The schema, a rule of the schema, rules of built-in kinds, and rules of the model.
        ("Gateway", gateway.clone(), "/spec/listeners/0/port", json!(0)),
        ("Gateway", gateway, "/spec/listeners/0/tls", json!({"mode": "Passthrough"})),
        ("EndpointSlice", slice.clone(), "/endpoints/0/addresses/0", json!("127.0.0.1")),
        ("EndpointSlice", slice, "/addressType", json!("IPv6")),
        ("Service", service, "/spec/ports/0/port", json!(0)),
        ("Secret", secret, "/data", json!({})),
        ("Deployment", no_spec, "/spec/selector/matchLabels/a", json!("c")),
        ("TCPRoute", route, "/spec/rules/0/backendRefs/0/port", json!(70_000)),
    ]
    .into_iter()
    .map(|(kind, object, pointer, value)| {
        let stored = create(kind, object).unwrap().object;
        (kind, with(&stored, pointer, value), pointer)
    })
    .collect()
}

fn slice(addresses: &[&str]) -> Value {
    json!({
        "addressType": "IPv4", "ports": [{"port": 1}], "endpoints": [{"addresses": addresses}],
    })
}

#[test]
fn metadata_of_an_object_that_became_invalid_can_change() {
    for (kind, mut old, pointer) in invalid_objects() {
        assert!(create(kind, old.clone()).is_err(), "{kind} {pointer} is valid");
        old["metadata"]["finalizers"] = json!(["a.b/c"]);
        let mut object = old.clone();
        object["metadata"]["finalizers"] = json!([]);
        object["metadata"]["labels"] = json!({"a": "b"});
        let stored = update(kind, object.clone(), &old);
        let stored = stored.unwrap_or_else(|error| panic!("{kind} {pointer}: {error}")).object;
        assert_eq!(stored["metadata"]["labels"], json!({"a": "b"}));
        object["metadata"]["labels"] = json!({"a b": "c"});
        assert_causes(update(kind, object, &old), &["metadata.labels: Invalid value: \"a b\""]);
    }
}

#[test]
fn changed_content_of_an_invalid_object_is_checked() {
    for (kind, old, pointer, value) in [
        ("EndpointSlice", slice(&["10.0.0.1"]), "/addressType", json!("x")),
        ("Service", json!({"spec": {"ports": [{"port": 80}]}}), "/spec/ports/0/port", json!(0)),
    ] {
        let stored = create(kind, old).unwrap().object;
        let object = with(&stored, pointer, value);
        assert!(update(kind, object, &stored).is_err(), "{kind} {pointer}");
    }
}

#[test]
fn status_of_an_object_that_became_invalid_can_change() {
    let listener = json!({"name": "a", "protocol": "TCP", "port": 80});
    let gateway = json!({"spec": {"gatewayClassName": "c", "listeners": [listener]}});
    let stored = create("Gateway", gateway).unwrap().object;
    let mut old = with(&stored, "/spec/listeners/0/port", json!(0));
    old["metadata"]["resourceVersion"] = "1".into();
    let mut object = old.clone();
    object["status"] = json!({"addresses": [{"type": "IPAddress", "value": "10.0.0.1"}]});
    let update_status = |object: &Value| {
        let target = target("Gateway", Some("a"));
        let admission = Admission::new(Settings::new());
        admission.update_status(&target, document(object), FieldValidation::Strict, &old)
    };
    assert_causes(update_status(&object), &[]);
    object["status"]["addresses"] = json!([{"type": "IPAddress", "value": "x"}]);
    assert!(update_status(&object).is_err());
}

#[test]
fn stored_object_of_another_version_of_the_program_is_compared_with_its_defaults() {
    let listener = json!({"name": "a", "protocol": "TCP", "port": 80});
    let gateway = json!({"spec": {"gatewayClassName": "c", "listeners": [listener]}});
    let stored = create("Gateway", gateway).unwrap().object;
    let invalid = with(&stored, "/spec/listeners/0/port", json!(0));
    let without_default = with(&invalid, "/spec/listeners/0/allowedRoutes", Value::Null);
    let with_unknown_field = with(&invalid, "/spec/newer", json!(1));
    for old in [without_default, with_unknown_field] {
        assert_causes(update("Gateway", invalid.clone(), &old), &[]);
    }
}

#[test]
fn addresses_of_endpoints_are_checked_if_they_change() {
    let stored = create("EndpointSlice", slice(&["10.0.0.1"])).unwrap().object;
    let old = with(&stored, "/endpoints/0/addresses/0", json!("127.0.0.1"));
    let local = json!({"addresses": ["127.0.0.1"], "conditions": {"ready": false}});
    let other = json!({"addresses": ["10.0.0.2"]});
    let kept = with(&old, "/endpoints", json!([other, local]));
    assert_causes(update("EndpointSlice", kept, &old), &[]);
    let expected = "endpoints[0].addresses[0]: Invalid value: \"127.0.0.2\"";
    let changed = with(&old, "/endpoints/0/addresses/0", json!("127.0.0.2"));
    assert_causes(update("EndpointSlice", changed, &old), &[expected]);
    let expected = "endpoints[0].addresses[0]: Invalid value: \"127.0.0.1\"";
    let other_port = with(&old, "/ports/0/port", json!(22));
    assert_causes(update("EndpointSlice", other_port, &old), &[expected]);
}

#[test]
fn unchanged_metadata_may_be_invalid() {
    let mut old = create("ConfigMap", json!({})).unwrap().object;
    old["metadata"]["labels"] = json!({"a b": "c"});
    let mut object = old.clone();
    object["metadata"]["annotations"] = json!({"a": "b"});
    assert_causes(update("ConfigMap", object.clone(), &old), &[]);
    object["metadata"]["labels"] = json!({"a b": "d"});
    assert_causes(update("ConfigMap", object, &old), &["metadata.labels: Invalid value: \"a b\""]);
}

#[test]
fn metadata_of_a_backup_is_ignored() {
    let mut old = create("ConfigMap", json!({})).unwrap().object;
    old["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
    let mut object = old.clone();
    object["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z".into();
    object["metadata"]["generation"] = 7.into();
    object["metadata"]["selfLink"] = "x".into();
    object["metadata"]["managedFields"] = json!([{"manager": "m"}]);
    let stored = update("ConfigMap", object, &old).unwrap().object;
    assert_eq!(stored["metadata"]["creationTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(stored["metadata"].get("selfLink"), None);
    assert_eq!(stored["metadata"].get("managedFields"), None);
}

#[test]
fn deletion_cannot_be_set_or_changed() {
    let stored = create("ConfigMap", json!({})).unwrap().object;
    let time = "2026-01-01T00:00:00Z";
    let with_deletion = |time: &str, seconds: Value| {
        let object = with(&stored, "/metadata/deletionTimestamp", time.into());
        with(&object, "/metadata/deletionGracePeriodSeconds", seconds)
    };
    let refused = |field: &str| format!("metadata.{field}: Invalid value: ");
    assert_causes(
        update("ConfigMap", with_deletion(time, json!(0)), &stored),
        &[&refused("deletionTimestamp"), &refused("deletionGracePeriodSeconds")],
    );
    let old = with_deletion(time, json!(0));
    let kept = update("ConfigMap", with_deletion("2026-01-02T00:00:00Z", Value::Null), &old);
    let kept = kept.unwrap().object;
    assert_eq!(kept["metadata"]["deletionTimestamp"], time);
    assert_eq!(kept["metadata"]["deletionGracePeriodSeconds"], 0);
    assert_causes(
        update("ConfigMap", with_deletion(time, json!(5)), &old),
        &[&refused("deletionGracePeriodSeconds")],
    );
}
