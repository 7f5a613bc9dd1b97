//! Each rule of EndpointSlices, Events, Leases and Namespaces, allowed and refused.

use serde_json::{Value, json};

use crate::admission::requests_in_tests::{assert_causes, create, document, target, update, with};
use crate::admission::{Admission, Settings};
use crate::schema::{FieldValidation, find_kind};

fn slice(address_type: &str, addresses: Value) -> Value {
    json!({"addressType": address_type, "endpoints": [{"addresses": addresses}], "ports": []})
}

#[track_caller]
fn assert_slice(slice: Value, expected: &[&str]) {
    assert_causes(create("EndpointSlice", slice), expected);
}

#[test]
fn addresses_have_the_type_of_their_slice() {
    assert_slice(slice("IPv4", json!(["10.0.0.1"])), &[]);
    assert_slice(slice("IPv6", json!(["2001:db8::1"])), &[]);
    assert_slice(slice("FQDN", json!(["a.example.com"])), &[]);
    let address = "endpoints[0].addresses[0]: Invalid value: ";
    assert_slice(slice("IPv4", json!(["2001:db8::1"])), &[address]);
    assert_slice(slice("IPv6", json!(["10.0.0.1"])), &[address]);
    assert_slice(slice("IPv4", json!(["a.example.com"])), &[address]);
    assert_slice(slice("FQDN", json!(["a"])), &[address]);
    assert_slice(slice("FQDN", json!(["A.b"])), &[address]);
    assert_slice(slice("IPv4", json!(["169.254.169.254"])), &[address]);
    assert_slice(slice("x", json!([])), &["addressType: Unsupported value: \"x\""]);
    assert_slice(json!({}), &["addressType: Required value"]);
    let no_address = "endpoints[0].addresses: Required value: has 0 entries";
    assert_slice(slice("IPv4", json!([])), &[no_address]);
}

#[test]
fn local_endpoints_need_the_setting() {
    for text in ["127.0.0.1", "::1"] {
        let address_type = if text.contains(':') { "IPv6" } else { "IPv4" };
        let mut slice = slice(address_type, json!([text]));
        assert_slice(
            slice.clone(),
            &["endpoints[0].addresses[0]: Invalid value: \"127.0.0.1\": may not be in the loopback"
                .replace("127.0.0.1", text)
                .as_str()],
        );
        slice["metadata"] = json!({"name": "a"});
        let admission = Admission::new(Settings::new().with_local_endpoints(true));
        let target = target("EndpointSlice", None);
        let admitted = admission.create(&target, document(&slice), FieldValidation::Strict);
        assert_causes(admitted, &[]);
    }
}

#[test]
fn slices_are_bounded() {
    let endpoints = |count| {
        let endpoint = json!({"addresses": ["10.0.0.1"]});
        json!({"addressType": "IPv4", "ports": [], "endpoints": vec![endpoint; count]})
    };
    assert_slice(endpoints(1000), &[]);
    assert_slice(endpoints(1001), &["endpoints: Too many: has 1001 entries"]);
    let ports = |count: u16| {
        let list: Vec<_> =
            (1..=count).map(|n| json!({"name": format!("p{n}"), "port": n})).collect();
        json!({"addressType": "IPv4", "endpoints": [], "ports": list})
    };
    assert_slice(ports(100), &[]);
    assert_slice(ports(101), &["ports: Too many: has 101 entries"]);
}

#[test]
fn slice_ports_and_hostnames_are_checked() {
    let with_port = |port: Value| json!({"addressType": "IPv4", "endpoints": [], "ports": [port]});
    assert_slice(with_port(json!({"name": "a", "port": 1})), &[]);
    assert_slice(with_port(json!({})), &[]);
    assert_slice(with_port(json!({"name": "A"})), &["ports[0].name: Invalid value: \"A\""]);
    assert_slice(with_port(json!({"port": 0})), &["ports[0].port: Invalid value: 0"]);
    assert_slice(with_port(json!({"protocol": "x"})), &["ports[0].protocol: Unsupported value"]);
    assert_slice(with_port(json!({"appProtocol": "a b"})), &["ports[0].appProtocol: Invalid"]);
    let twice = json!({"addressType": "IPv4", "endpoints": [], "ports": [{}, {}]});
    assert_slice(twice, &["ports[1].name: Duplicate value: is the name"]);
    let mut slice = slice("IPv4", json!(["10.0.0.1"]));
    slice["endpoints"][0]["hostname"] = "A".into();
    assert_slice(slice, &["endpoints[0].hostname: Invalid value: \"A\""]);
}

#[test]
fn address_type_is_immutable() {
    let old = create("EndpointSlice", slice("IPv4", json!(["10.0.0.1"]))).unwrap().object;
    let found = update("EndpointSlice", slice("IPv4", json!(["10.0.0.2"])), &old);
    assert_causes(found, &[]);
    let found = update("EndpointSlice", slice("IPv6", json!(["2001:db8::1"])), &old);
    assert_causes(found, &["addressType: Invalid value: \"IPv6\": field is immutable"]);
}

#[test]
fn lease_has_a_positive_duration() {
    let lease = |spec: Value| create("Lease", json!({"spec": spec}));
    assert_causes(lease(json!({"leaseDurationSeconds": 1, "leaseTransitions": 0})), &[]);
    let expected = "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0";
    assert_causes(lease(json!({"leaseDurationSeconds": 0})), &[expected]);
    let expected = "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0";
    assert_causes(lease(json!({"leaseTransitions": -1})), &[expected]);
    let strategy = "OldestEmulationVersion";
    assert_causes(lease(json!({"strategy": strategy, "preferredHolder": "b"})), &[]);
    assert_causes(lease(json!({"strategy": "example.com/a"})), &[]);
    assert_causes(lease(json!({"strategy": "x"})), &["spec.strategy: Unsupported value"]);
    assert_causes(lease(json!({"strategy": "a/b c"})), &["spec.strategy: Invalid value"]);
    assert_causes(lease(json!({"preferredHolder": "b"})), &["spec.preferredHolder: Forbidden"]);
}

#[test]
fn namespace_has_known_finalizers() {
    let namespace = |names: Value| create("Namespace", json!({"spec": {"finalizers": names}}));
    assert_causes(namespace(json!(["kubernetes", "example.com/a"])), &[]);
    assert_causes(namespace(json!(["a"])), &["spec.finalizers[0]: Invalid value: \"a\": name is"]);
}

#[test]
fn phase_of_a_namespace_follows_its_deletion() {
    let mut old = create("Namespace", json!({})).unwrap().object;
    let status = |phase: &str, old: &Value| {
        let request = json!({"metadata": {"name": "a"}, "status": {"phase": phase}});
        let target = target("Namespace", Some("a"));
        let admission = Admission::new(Settings::new());
        admission.update_status(&target, document(&request), FieldValidation::Strict, old)
    };
    assert_causes(status("Active", &old), &[]);
    assert_causes(status("Terminating", &old), &["status.phase: Invalid value: \"Terminating\""]);
    old["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    old["status"]["phase"] = "Terminating".into();
    assert_causes(status("Active", &old), &["status.phase: Invalid value: \"Active\": may only"]);
    // A writer may leave out the deletionTimestamp.
    assert_causes(update("Namespace", json!({}), &old), &[]);
}

fn core_event() -> Value {
    json!({"involvedObject": {"kind": "Gateway", "name": "a", "namespace": "n"}, "reason": "R"})
}

#[test]
fn core_event_is_in_the_namespace_of_its_object() {
    assert_causes(create("Event", core_event()), &[]);
    let elsewhere = with(&core_event(), "/involvedObject/namespace", "m".into());
    let expected =
        ["involvedObject.namespace: Invalid value: \"m\": does not match event.namespace"];
    assert_causes(create("Event", elsewhere), &expected);
    let cluster = with(&core_event(), "/involvedObject/namespace", Value::Null);
    let expected = ["involvedObject.namespace: Invalid value: \"\": does not match"];
    assert_causes(create("Event", cluster), &expected);
}

#[test]
fn events_of_the_other_group_are_strict() {
    let (resource, version) = find_kind("events.k8s.io", "v1", "Event").unwrap();
    let admission = Admission::new(Settings::new());
    let mut target = target("Event", None);
    (target.resource, target.version) = (resource, version);
    let event = json!({
        "metadata": {"name": "a"}, "eventTime": "2026-01-01T00:00:00.000000Z",
        "regarding": {"kind": "Gateway", "name": "a", "namespace": "n"}, "reason": "R",
        "action": "A", "type": "Normal", "reportingController": "example.com/a",
        "reportingInstance": "b", "note": "text",
    });
    let create =
        |event: Value| admission.create(&target, document(&event), FieldValidation::Strict);
    let stored = create(event.clone()).unwrap().object;
    assert_eq!((&stored["apiVersion"], &stored["message"]), (&json!("v1"), &json!("text")));
    for (pointer, value, expected) in [
        ("/type", json!("x"), "type: Invalid value: \"\": has invalid value: x"),
        ("/deprecatedCount", json!(1), "count: Invalid value: \"\": needs to be unset"),
        ("/deprecatedSource", json!({"host": "h"}), "source: Invalid value: \"\": needs"),
        ("/reportingController", Value::Null, "reportingController: Required value"),
        (
            "/reportingInstance",
            json!("x".repeat(129)),
            "reportingInstance: Invalid value: \"\": can",
        ),
        ("/action", Value::Null, "action: Required value"),
        ("/note", json!("x".repeat(1025)), "message: Invalid value: \"\": can have at most 1024"),
        (
            "/series",
            json!({"count": 1, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}),
            "series.count: Invalid value: \"\": should be at least 2",
        ),
    ] {
        assert_causes(create(with(&event, pointer, value)), &[expected]);
    }
    target.name = Some("a");
    let update = |event: Value| {
        admission.update(&target, document(&event), FieldValidation::Strict, &stored)
    };
    let series = json!({"count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z"});
    assert_causes(update(with(&event, "/series", series)), &[]);
    let changed = update(with(&event, "/note", "other".into()));
    assert_causes(changed, &["message: Invalid value: \"other\": field is immutable"]);
}
