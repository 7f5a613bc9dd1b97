//! Service.

use super::{accepted, object, refused};

#[test]
fn service_ports_are_unique_and_named() {
    let service = |ports: &str| object("v1", "Service", &format!("spec: {{ports: [{ports}]}}"));
    accepted(service("{port: 1}"));
    accepted(service("{name: a, port: 1}, {name: b, port: 1, protocol: UDP}"));
    accepted(object("v1", "Service", "spec: {type: ExternalName, externalName: x.y}"));
    accepted(object("v1", "Service", "spec: {clusterIP: None, selector: {a: b}}"));
    accepted(object("v1", "Service", "spec: {clusterIPs: [None]}"));
    refused(service(""), "spec.ports", "requires at least one port, unless its clusterIP is None");
    refused(object("v1", "Service", "spec: ~"), "spec.ports", "requires at least one port");
    refused(
        object("v1", "Service", "spec: {clusterIP: \"\"}"),
        "spec.ports",
        "requires at least one port",
    );
    refused(service("{name: a, port: 1}, {port: 2}"), "spec.ports[1].name", "is missing");
    refused(
        service("{name: a, port: 1}, {name: a, port: 2}"),
        "spec.ports[1].name",
        "must be unique",
    );
    refused(
        service("{name: a, port: 1}, {name: b, port: 1}"),
        "spec.ports[1]",
        "repeats port 1 TCP",
    );
    refused(service("{port: 1, protocol: tcp}"), "spec.ports[0].protocol", "found the text `tcp`");
}

#[test]
fn target_port_is_a_number_or_a_name() {
    let service = |target: &str| {
        object("v1", "Service", &format!("spec: {{ports: [{{port: 1, targetPort: {target}}}]}}"))
    };
    for good in ["1", "65535", "http", "\"80\"", "0", "\"\"", "~", "80.0"] {
        accepted(service(good));
    }
    for bad in ["65536", "70000", "-1", "8.5", "[]"] {
        let message = "a port from 1 to 65535, or the name of a port";
        refused(service(bad), "spec.ports[0].targetPort", message);
    }
}

#[test]
fn empty_fields_of_a_service_are_unset() {
    let service = |fields: &str| object("v1", "Service", &format!("spec: {{{fields}}}"));
    for good in ["type: \"\"", "type: ~", "selector: {a: ~}", "ipFamilies: ~"] {
        accepted(service(&format!("ports: [{{port: 1}}], {good}")));
    }
    for good in ["protocol: \"\"", "protocol: ~", "nodePort: 0", "nodePort: ~", "name: \"\""] {
        accepted(service(&format!("ports: [{{port: 1, {good}}}]")));
    }
    refused(service("ports: [{port: 0}]"), "spec.ports[0].port", "a port from 1 to 65535");
    refused(
        service("ports: [{port: 1, nodePort: 65536}]"),
        "spec.ports[0].nodePort",
        "a port from 1 to 65535",
    );
    refused(service("ports: [{port: 1}], type: Foo"), "spec.type", "found the text `Foo`");
    refused(service("ports: [{port: 1, name: 80}]"), "spec.ports[0].name", "expected a text");
}

#[test]
fn service_name_is_a_dns_label() {
    let named = |name: &str| {
        object("v1", "Service", "spec: {ports: [{port: 1}]}")
            .replace("name: x", &format!("name: {name}"))
    };
    // Before Kubernetes 1.36, the first character must be a letter.
    for good in ["s", "1s", &"s".repeat(63)] {
        accepted(named(good));
    }
    for bad in ["1s.x", "a.b", &"s".repeat(64)] {
        refused(named(bad), "metadata.name", "must be 1 to 63 of a-z, 0-9 and '-'");
    }
}
