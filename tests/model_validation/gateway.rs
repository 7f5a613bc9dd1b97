//! GatewayClass and Gateway.

use super::{accepted, beside_listener, class, gateway, listeners, many, object, refused};

#[test]
fn class_controller_name_is_a_domain_and_a_path() {
    accepted(class("controllerName: example.com/a/b~c"));
    accepted(class(&format!("controllerName: a.b/{}", "x".repeat(249))));
    refused(class("description: none"), "spec.controllerName", "is missing");
    for bad in ["example.com", "example.com/", "/x", "Example.com/x", "a.b/x y"] {
        refused(
            class(&format!("controllerName: {bad}")),
            "spec.controllerName",
            "a controller name",
        );
    }
    let long = format!("controllerName: a.b/{}", "x".repeat(250));
    refused(class(&long), "spec.controllerName", "a controller name");
}

#[test]
fn class_description_is_short_and_parameters_are_complete() {
    let described = |length| format!("controllerName: a.b/c, description: {}", "ä".repeat(length));
    accepted(class(&described(64)));
    refused(class(&described(65)), "spec.description", "65 characters long; at most 64");
    accepted(class(
        "controllerName: a.b/c, parametersRef: {group: a.b, kind: K, name: ns, namespace: s}",
    ));
    refused(
        class("controllerName: a.b/c, parametersRef: {group: a.b, kind: K}"),
        "spec.parametersRef.name",
        "is missing",
    );
}

#[test]
fn gateway_has_1_to_64_listeners() {
    let some = |count| {
        listeners(&many(count, |n| format!("{{name: l{n}, protocol: TCP, port: {}}}", n + 1)))
    };
    accepted(some(64));
    refused(some(65), "spec.listeners", "has 65 entries; 1 to 64 allowed");
    refused(some(0), "spec.listeners", "has 0 entries; 1 to 64 allowed");
    refused(gateway(""), "spec.listeners", "is missing");
}

#[test]
fn gateway_class_name_is_required() {
    let manifest = object("gateway.networking.k8s.io/v1", "Gateway", "spec: {listeners: []}");
    refused(manifest, "spec.gatewayClassName", "is missing");
}

#[test]
fn addresses_are_at_most_16_and_match_their_type() {
    let some = |count| {
        beside_listener(&format!(
            "addresses: [{}]",
            many(count, |n| format!("{{value: 10.0.0.{n}}}"))
        ))
    };
    accepted(some(16));
    refused(some(17), "spec.addresses", "has 17 entries; 0 to 16 allowed");
    let one = |address: &str| beside_listener(&format!("addresses: [{{{address}}}]"));
    for good in [
        "value: 10.0.0.1",
        "type: IPAddress, value: \"2001:db8::1\"",
        "type: IPAddress",
        "type: ~",
        "type: Hostname",
        "type: Hostname, value: \"\"",
        "type: Hostname, value: \"*.example.com\"",
        "type: example.com/pool, value: Any Thing",
        "type: NamedAddress, value: x",
        // The CRD's pattern is not anchored at the start of its last alternative.
        "type: /a/b, value: x",
        "type: X Y/a.b/c",
    ] {
        accepted(one(good));
    }
    let field = "spec.addresses[0].value";
    for bad in ["", "10.0.0", "10.0.0.1:80", "db.example.com", "fe80::1%eth0", "10.0.0.01"] {
        refused(one(&format!("value: \"{bad}\"")), field, "must be an IPv4 or IPv6 address");
    }
    refused(one("type: Hostname, value: a b"), field, "must be a hostname");
    refused(one(&format!("type: a.b/c, value: {}", "x".repeat(254))), field, "at most 253 allowed");
    for bad in ["Pool", "a/", "\"\"", "/", &format!("a/{}", "b".repeat(252))] {
        refused(
            one(&format!("type: {bad}")),
            "spec.addresses[0].type",
            "IPAddress, Hostname, or a domain-prefixed",
        );
    }
}

#[test]
fn addresses_are_unique() {
    let two =
        |one: &str, other: &str| beside_listener(&format!("addresses: [{{{one}}}, {{{other}}}]"));
    let field = "spec.addresses[1].value";
    refused(two("value: 10.0.0.1", "type: IPAddress, value: 10.0.0.1"), field, "listed twice");
    refused(two("type: Hostname, value: a", "type: Hostname, value: a"), field, "listed twice");
    let empty = "type: Hostname, value: \"\"";
    refused(two(empty, empty), field, "listed twice");
    accepted(two(empty, "type: Hostname"));
    accepted(two("type: IPAddress", "type: IPAddress"));
    accepted(two("type: a.b/c, value: x", "type: a.b/c, value: x"));
    accepted(two("type: Hostname, value: x", "type: a.b/c, value: x"));
}

#[test]
fn infrastructure_labels_are_at_most_8_and_well_formed() {
    let labels =
        |labels: &str| beside_listener(&format!("infrastructure: {{labels: {{{labels}}}}}"));
    accepted(labels(&many(8, |n| format!("k{n}: v"))));
    refused(
        labels(&many(9, |n| format!("k{n}: v"))),
        "spec.infrastructure.labels",
        "has 9 entries; 0 to 8",
    );
    accepted(labels("example.com/Key_1.x: \"\", short: Value-1_2.x"));
    accepted(labels(&format!("{}/k: {}", "a".repeat(252), "v".repeat(63))));
    for bad in [
        "-k",
        "k-",
        "Example.com/k",
        "a/b/c",
        "a.b/",
        "/k",
        &format!("{}/k", "a".repeat(253)),
        &"k".repeat(64),
    ] {
        refused(
            labels(&format!("{bad}: v")),
            "spec.infrastructure.labels",
            "must be a name of at most 63",
        );
    }
    for bad in ["-v", "v-", "a b", &"v".repeat(64)] {
        refused(labels(&format!("k: {bad}")), "spec.infrastructure.labels.k", "must be at most 63");
    }
}

#[test]
fn infrastructure_annotations_are_at_most_16_and_short() {
    let annotations = |annotations: &str| {
        beside_listener(&format!("infrastructure: {{annotations: {{{annotations}}}}}"))
    };
    accepted(annotations(&many(16, |n| format!("k{n}: any thing"))));
    let field = "spec.infrastructure.annotations";
    refused(annotations(&many(17, |n| format!("k{n}: v"))), field, "has 17 entries; 0 to 16");
    refused(annotations("k-: v"), field, "must be a name of at most 63");
    accepted(annotations(&format!("k: {}", "v".repeat(4096))));
    refused(
        annotations(&format!("k: {}", "v".repeat(4097))),
        &format!("{field}.k"),
        "at most 4096",
    );
}

#[test]
fn allowed_listeners_and_default_scope_are_enums() {
    let from = |namespaces: &str| {
        beside_listener(&format!("allowedListeners: {{namespaces: {{{namespaces}}}}}"))
    };
    for good in ["from: All", "from: Same", "from: Selector, selector: {}", "from: None", "from: ~"]
    {
        accepted(from(good));
    }
    let path = "spec.allowedListeners.namespaces";
    refused(from("from: Foo"), &format!("{path}.from"), "must be one of All, Selector, Same, None");
    refused(
        from("selector: {matchExpressions: [{key: k, operator: Near}]}"),
        &format!("{path}.selector.matchExpressions[0].operator"),
        "`Near` must be In, NotIn",
    );
    for good in ["All", "None"] {
        accepted(beside_listener(&format!("defaultScope: {good}")));
    }
    refused(beside_listener("defaultScope: Foo"), "spec.defaultScope", "must be one of All, None");
}

#[test]
fn frontend_tls_is_checked() {
    let frontend = |fields: &str| beside_listener(&format!("tls: {{frontend: {{{fields}}}}}"));
    let validation = |fields: &str| frontend(&format!("default: {{validation: {{{fields}}}}}"));
    let reference = "{group: \"\", kind: ConfigMap, name: c}";
    accepted(validation(&format!("caCertificateRefs: [{reference}]")));
    accepted(validation(&format!("caCertificateRefs: [{reference}], mode: AllowInsecureFallback")));
    let path = "spec.tls.frontend";
    let field = format!("{path}.default.validation");
    refused(
        validation("caCertificateRefs: [{name: c}]"),
        &format!("{field}.caCertificateRefs[0].group"),
        "is missing",
    );
    let some = |count| {
        validation(&format!("caCertificateRefs: [{}]", many(count, |_| reference.to_owned())))
    };
    accepted(some(16));
    for count in [0, 17] {
        refused(some(count), &format!("{field}.caCertificateRefs"), "1 to 16 allowed");
    }
    refused(
        validation(&format!("caCertificateRefs: [{reference}], mode: Foo")),
        &format!("{field}.mode"),
        "`Foo` must be one of AllowValidOnly, AllowInsecureFallback",
    );
    let ports = |ports: &str| frontend(&format!("default: {{}}, perPort: [{ports}]"));
    accepted(ports("{port: 1, tls: {}}, {port: 2, tls: {}}"));
    refused(
        ports("{port: 1, tls: {}}, {port: 1, tls: {}}"),
        &format!("{path}.perPort[1].port"),
        "must be unique",
    );
    refused(
        ports("{port: 1, tls: {validation: {caCertificateRefs: []}}}"),
        &format!("{path}.perPort[0].tls.validation.caCertificateRefs"),
        "has 0 entries",
    );
    refused(
        ports(&many(65, |n| format!("{{port: {}, tls: {{}}}}", n + 1))),
        &format!("{path}.perPort"),
        "has 65 entries; 0 to 64",
    );
}

#[test]
fn infrastructure_parameters_are_complete_and_local() {
    let parameters =
        |fields: &str| beside_listener(&format!("infrastructure: {{parametersRef: {{{fields}}}}}"));
    accepted(parameters("group: a.b, kind: K, name: ns"));
    let field = "spec.infrastructure.parametersRef";
    refused(parameters("group: a.b, kind: K"), &format!("{field}.name"), "is missing");
    refused(
        parameters("group: a.b, kind: K, name: ns, namespace: s"),
        &format!("{field}.namespace"),
        "is not a field of Gateway; correct or remove it",
    );
}
