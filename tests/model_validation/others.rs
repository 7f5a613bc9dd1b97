//! ReferenceGrant, Service and EndpointSlice.

use super::{accepted, grant, many, object, refused};

#[test]
fn a_grant_has_1_to_16_from_and_to() {
    let from = |count| many(count, |n| format!("{{group: a.b, kind: K, namespace: n{n}}}"));
    let to = |count| many(count, |n| format!("{{group: \"\", kind: Service, name: s{n}}}"));
    accepted(grant(&from(1), &to(1)));
    accepted(grant(&from(16), &to(16)));
    refused(grant(&from(17), &to(1)), "spec.from", "has 17 entries; 1 to 16");
    refused(grant(&from(1), &to(17)), "spec.to", "has 17 entries; 1 to 16");
    refused(grant(&from(0), &to(1)), "spec.from", "has 0 entries; 1 to 16");
    refused(grant(&from(1), &to(0)), "spec.to", "has 0 entries; 1 to 16");
}

#[test]
fn a_grant_says_whom_and_what() {
    let (from, to) = ("{group: a.b, kind: K, namespace: n}", "{group: \"\", kind: Service}");
    accepted(grant(from, to));
    for (bad, missing) in [
        ("{kind: K, namespace: n}", "group"),
        ("{group: a.b, namespace: n}", "kind"),
        ("{group: a.b, kind: K}", "namespace"),
    ] {
        refused(grant(bad, to), "spec.from[0]", &format!("missing field `{missing}`"));
    }
    for (bad, missing) in [("{kind: K}", "group"), ("{group: a.b}", "kind")] {
        refused(grant(from, bad), "spec.to[0]", &format!("missing field `{missing}`"));
    }
    refused(grant(from, "{group: \"\", kind: S, name: \"\"}"), "spec.to[0].name", "1 to 253");
    refused(
        grant("{group: a.b, kind: K, namespace: \"*\"}", to),
        "spec.from[0].namespace",
        "a namespace",
    );
}

#[test]
fn service_ports_can_be_told_apart() {
    let service = |ports: &str| object("v1", "Service", &format!("spec: {{ports: [{ports}]}}"));
    accepted(service("{port: 1}"));
    accepted(service("{name: a, port: 1}, {name: b, port: 1, protocol: UDP}"));
    accepted(object("v1", "Service", "spec: {type: ExternalName, externalName: x.y}"));
    refused(service(""), "spec.ports", "at least one port is needed");
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
    refused(service("{port: 1, protocol: tcp}"), "spec.ports[0].protocol", "unknown variant `tcp`");
}

#[test]
fn a_target_port_is_a_number_or_a_name() {
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

#[test]
fn a_slice_holds_addresses_of_its_type() {
    let slice = |family: &str, endpoints: &str| {
        object(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            &format!("addressType: {family}\nports: [{{port: 1}}]\nendpoints: [{endpoints}]"),
        )
    };
    accepted(slice("IPv4", "{addresses: [10.0.0.1]}"));
    accepted(slice("IPv6", "{addresses: [\"2001:db8::1\"]}"));
    accepted(slice("FQDN", "{addresses: [db.example.com]}"));
    let field = "endpoints[0].addresses[0]";
    refused(slice("IPv4", "{addresses: [\"2001:db8::1\"]}"), field, "addressType IPv4");
    refused(slice("IPv6", "{addresses: [10.0.0.1]}"), field, "addressType IPv6");
    refused(slice("IPv4", "{addresses: [db.example.com]}"), field, "addressType IPv4");
    refused(slice("IPv4", "{addresses: []}"), "endpoints[0].addresses", "has 0 entries; 1 to 100");
    refused(slice("IPv4", "{}"), "endpoints[0]", "missing field `addresses`");
    let full = |count| {
        slice("IPv4", &many(count, |n| format!("{{addresses: [10.0.{}.{}]}}", n / 250, n % 250)))
    };
    accepted(full(1000));
    refused(full(1001), "endpoints", "has 1001 entries; 0 to 1000");
    refused(slice("IPv5", ""), "addressType", "unknown variant `IPv5`");
}
