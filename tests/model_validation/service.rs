//! Service.

use super::{accepted, object, refused};

#[test]
fn service_ports_are_unique_and_named() {
    let service = |ports: &str| object("v1", "Service", &format!("spec: {{ports: [{ports}]}}"));
    accepted(service("{port: 1}"));
    accepted(service("{name: a, port: 1}, {name: b, port: 1, protocol: UDP}"));
    accepted(object("v1", "Service", "spec: {type: ExternalName, externalName: x.y}"));
    refused(service(""), "spec.ports", "at least one port is required");
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
    for good in ["1", "65535", "http", "\"80\""] {
        accepted(service(good));
    }
    for bad in ["0", "65536", "70000", "-1", "8.5", "[]"] {
        let message = "a port from 1 to 65535, or the name of a port";
        refused(service(bad), "spec.ports[0].targetPort", message);
    }
}
