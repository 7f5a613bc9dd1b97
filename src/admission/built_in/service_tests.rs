//! Each rule of Services, allowed and refused.

use serde_json::{Value, json};

use crate::admission::requests_in_tests::{assert_causes, create, update, with};

fn service() -> Value {
    json!({"spec": {"ports": [{"port": 80}]}})
}

#[track_caller]
fn assert_field(pointer: &str, value: Value, expected: &[&str]) {
    assert_causes(create("Service", with(&service(), pointer, value)), expected);
}

#[test]
fn ports_have_names_and_numbers() {
    assert_field("/spec/ports", json!([{"port": 1}]), &[]);
    assert_field("/spec/ports", json!([{"port": 65535, "name": "a"}]), &[]);
    assert_field(
        "/spec/ports",
        json!([{"port": 0, "targetPort": 1}]),
        &["spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"],
    );
    assert_field(
        "/spec/ports",
        json!([{"port": 65536, "targetPort": 1}]),
        &["spec.ports[0].port: Invalid value: 65536: must be between 1 and 65535, inclusive"],
    );
    assert_field(
        "/spec/ports",
        json!([{"port": 1, "name": "A"}]),
        &["spec.ports[0].name: Invalid value: \"A\": a lowercase RFC 1123 label"],
    );
    assert_field("/spec/ports", json!([{"port": 1, "targetPort": "http"}]), &[]);
    assert_field(
        "/spec/ports",
        json!([{"port": 1, "targetPort": "Http"}]),
        &["spec.ports[0].targetPort: Invalid value: \"Http\": must contain only alpha-numeric"],
    );
    assert_field(
        "/spec/ports",
        json!([{"port": 1, "targetPort": 70000}]),
        &["spec.ports[0].targetPort: Invalid value: 70000: must be between"],
    );
    assert_field("/spec/ports", json!([{"port": 1, "protocol": "SCTP"}]), &[]);
    assert_field(
        "/spec/ports",
        json!([{"port": 1, "protocol": "tcp"}]),
        &[
            "spec.ports[0].protocol: Unsupported value: \"tcp\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
        ],
    );
    assert_field("/spec/ports", json!([{"port": 1, "appProtocol": "example.com/a"}]), &[]);
    assert_field(
        "/spec/ports",
        json!([{"port": 1, "appProtocol": "a b"}]),
        &["spec.ports[0].appProtocol: Invalid value: \"a b\""],
    );
    assert_field(
        "/spec/ports",
        json!([{"port": "80"}]),
        &["spec.ports[0].port: Invalid value: \"string\": spec.ports[0].port in body must be"],
    );
}

#[test]
fn rules_of_the_model_have_titles_of_kubernetes() {
    assert_field("/spec/ports", Value::Null, &["spec.ports: Required value: has no entries"]);
    let ports = json!([{"port": 1, "name": "a"}, {"port": 1, "name": "b", "protocol": "UDP"}]);
    assert_field("/spec/ports", ports, &[]);
    let ports = json!([{"port": 1}, {"port": 2, "name": "b"}]);
    assert_field("/spec/ports", ports, &["spec.ports[0].name: Required value: is missing"]);
    let ports = json!([{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]);
    assert_field("/spec/ports", ports, &["spec.ports[1]: Duplicate value: repeats port 1 TCP"]);
    let ports = json!([{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]);
    assert_field("/spec/ports", ports, &["spec.ports[1].name: Duplicate value: is the name"]);
}

#[test]
fn node_ports_depend_on_the_type() {
    let spec = |service_type: &str, ports: Value| json!({"type": service_type, "ports": ports});
    let port = json!({"port": 1, "nodePort": 30000});
    assert_field("/spec", spec("NodePort", json!([port])), &[]);
    assert_field("/spec", spec("LoadBalancer", json!([port])), &[]);
    assert_field(
        "/spec",
        spec("ClusterIP", json!([port])),
        &["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    );
    let ports = json!([
        {"name": "a", "port": 1, "nodePort": 30000},
        {"name": "b", "port": 2, "nodePort": 30000},
    ]);
    assert_field(
        "/spec",
        spec("NodePort", ports),
        &["spec.ports[1].nodePort: Duplicate value: 30000"],
    );
    assert_field(
        "/spec",
        spec("NodePort", json!([{"port": 1, "nodePort": -1}])),
        &["spec.ports[0].nodePort: Invalid value: -1: must be between"],
    );
}

#[test]
fn enumerations_are_those_of_kubernetes() {
    for (field, allowed) in [
        ("type", "NodePort"),
        ("sessionAffinity", "ClientIP"),
        ("internalTrafficPolicy", "Local"),
        ("ipFamilyPolicy", "SingleStack"),
        ("trafficDistribution", "PreferClose"),
    ] {
        let pointer = format!("/spec/{field}");
        assert_field(&pointer, allowed.into(), &[]);
        let expected = format!("spec.{field}: Unsupported value: \"x\": supported values: ");
        let found = create("Service", with(&service(), &pointer, "x".into()));
        assert_causes(found, &[&expected]);
    }
    assert_field(
        "/spec",
        json!({"type": "NodePort", "externalTrafficPolicy": "x", "ports": [{"port": 1}]}),
        &["spec.externalTrafficPolicy: Unsupported value: \"x\""],
    );
    assert_field(
        "/spec/externalTrafficPolicy",
        "Local".into(),
        &["spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally"],
    );
}

#[test]
fn cluster_ips_are_consistent() {
    let spec = |extra: Value| {
        let mut spec = json!({"ports": [{"port": 1}]});
        spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        spec
    };
    let created = create("Service", json!({"spec": {"clusterIP": "None"}})).unwrap().object;
    assert_eq!(created["spec"]["clusterIPs"], json!(["None"]));
    let created = create("Service", json!({"spec": spec(json!({"clusterIPs": ["10.0.0.1"]}))}));
    assert_eq!(created.unwrap().object["spec"]["clusterIP"], "10.0.0.1");
    assert_field("/spec", spec(json!({"clusterIPs": ["10.0.0.1", "2001:db8::1"]})), &[]);
    for (extra, expected) in [
        (
            json!({"clusterIP": "x"}),
            "spec.clusterIPs[0]: Invalid value: \"x\": must be a valid IP address",
        ),
        (
            json!({"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.2"]}),
            "spec.clusterIPs[0]: Invalid value: \"10.0.0.2\": first value must match `clusterIP`",
        ),
        (
            json!({"clusterIPs": ["10.0.0.1", "10.0.0.2"]}),
            "spec.clusterIPs: Invalid value: [\"10.0.0.1\",\"10.0.0.2\"]: may specify no more than",
        ),
        (
            json!({"clusterIPs": ["10.0.0.1", "None"]}),
            "spec.clusterIPs[1]: Invalid value: \"None\": 'None' must be the first and only value",
        ),
        (
            json!({"clusterIP": "None", "type": "NodePort"}),
            "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort",
        ),
    ] {
        assert_field("/spec", spec(extra), &[expected]);
    }
    let three = json!({"clusterIPs": ["10.0.0.1", "2001:db8::1", "10.0.0.2"]});
    assert_field("/spec", spec(three), &["spec.clusterIPs: Invalid value: "]);
}

#[test]
fn cluster_ip_is_set_once() {
    let with_ip = |ip: &str| json!({"spec": {"clusterIP": ip, "ports": [{"port": 1}]}});
    let old = create("Service", with_ip("10.0.0.1")).unwrap().object;
    let kept = update("Service", service(), &old).unwrap().object;
    assert_eq!(kept["spec"]["clusterIP"], "10.0.0.1");
    assert_eq!(kept["spec"]["clusterIPs"], json!(["10.0.0.1"]));
    assert_causes(update("Service", with_ip("10.0.0.1"), &old), &[]);
    let changed = ["spec.clusterIPs[0]: Invalid value: [\"10.0.0.2\"]: may not change once set"];
    assert_causes(update("Service", with_ip("10.0.0.2"), &old), &changed);
    let mut patched = with_ip("10.0.0.2");
    patched["spec"]["clusterIPs"] = json!(["10.0.0.1"]);
    assert_causes(update("Service", patched, &old), &changed);
    let none = create("Service", service()).unwrap().object;
    assert_causes(update("Service", with_ip("10.0.0.2"), &none), &[]);
    let external = json!({"spec": {"type": "ExternalName", "externalName": "a.b", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"]}});
    let external = update("Service", external, &old).unwrap().object;
    assert_eq!(external["spec"].get("clusterIP"), None);
    assert_causes(update("Service", with_ip("10.0.0.2"), &external), &[]);
}

#[test]
fn external_name_is_a_domain() {
    let spec = |extra: Value| {
        let mut spec = json!({"type": "ExternalName"});
        spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"spec": spec})
    };
    assert_causes(create("Service", spec(json!({"externalName": "a.b."}))), &[]);
    assert_causes(create("Service", spec(json!({}))), &["spec.externalName: Required value"]);
    let found = create("Service", spec(json!({"externalName": "A"})));
    assert_causes(found, &["spec.externalName: Invalid value: \"A\": a lowercase RFC 1123 subd"]);
    let found = create("Service", spec(json!({"externalName": "a", "clusterIP": "None"})));
    assert_causes(found, &["spec.clusterIPs: Forbidden: may not be set for ExternalName services"]);
}

#[test]
fn further_fields_are_checked() {
    assert_field("/spec/selector", json!({"a": "b"}), &[]);
    assert_field("/spec/selector", json!({"a b": "c"}), &["spec.selector: Invalid value: \"a b\""]);
    assert_field("/spec/externalIPs", json!(["10.0.0.1"]), &[]);
    assert_field(
        "/spec/externalIPs",
        json!(["127.0.0.1"]),
        &["spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range"],
    );
    let affinity = |seconds: i64| {
        json!({
            "ports": [{"port": 1}],
            "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": seconds}},
        })
    };
    assert_field("/spec", affinity(86_400), &[]);
    let path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: ";
    assert_field("/spec", affinity(0), &[path]);
    assert_field("/spec", affinity(86_401), &[path]);
    assert_field("/spec/ipFamilies", json!(["IPv6", "IPv4"]), &[]);
    assert_field(
        "/spec/ipFamilies",
        json!(["IPv4", "IPv4"]),
        &["spec.ipFamilies[1]: Duplicate value: \"IPv4\""],
    );
    assert_field("/spec/ipFamilies", json!(["x"]), &["spec.ipFamilies[0]: Unsupported value"]);
    let too_many = "spec.ipFamilies: Invalid value: [\"IPv4\",\"IPv4\",\"x\"]: may only hold up to";
    assert_field("/spec/ipFamilies", json!(["IPv4", "IPv4", "x"]), &[too_many]);
    let only = "Forbidden: may only be used when `type` is 'LoadBalancer'";
    let ranges = "/spec/loadBalancerSourceRanges";
    let expected = format!("spec.loadBalancerSourceRanges: {only}");
    assert_field(ranges, json!(["10.0.0.0/8"]), &[&expected]);
    let balancer = |ranges: Value| json!({"type": "LoadBalancer", "ports": [{"port": 1}], "loadBalancerSourceRanges": ranges});
    assert_field("/spec", balancer(json!(["10.0.0.0/8", "2001:db8::/32"])), &[]);
    for bad in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/+8", "x/8"] {
        let expected = ["spec.loadBalancerSourceRanges[0]: Invalid value"];
        assert_field("/spec", balancer(json!([bad])), &expected);
    }
    assert_field(
        "/spec/healthCheckNodePort",
        1.into(),
        &["spec.healthCheckNodePort: Invalid value: 1: may only be set when"],
    );
}
