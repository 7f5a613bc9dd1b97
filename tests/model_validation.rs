//! What an API server would refuse is refused here too, at the same field: the limits and CEL rules
//! of the CRDs, as far as they bear on TCP.
//!
//! Each rule has what just passes beside what just fails.
#![cfg(feature = "yaml")]

use sluicegate::model::manifest::{Content, read};

/// What is wrong with a manifest of one object, as fields and messages.
fn faults(manifest: &str) -> Vec<(String, String)> {
    let entries = read(manifest);
    assert_eq!(entries.len(), 1, "{manifest}");
    match &entries[0].content {
        Content::Object(_) => Vec::new(),
        Content::Faulty(faults) => {
            faults.iter().map(|fault| (fault.field.clone(), fault.message.clone())).collect()
        }
        content => panic!("{content:?}:\n{manifest}"),
    }
}

#[track_caller]
fn accepted(manifest: impl AsRef<str>) {
    let manifest = manifest.as_ref();
    assert_eq!(faults(manifest), [], "{manifest}");
}

/// There must be one fault, at `field`, whose message has `message` in it.
#[track_caller]
fn refused(manifest: impl AsRef<str>, field: &str, message: &str) {
    let manifest = manifest.as_ref();
    match &faults(manifest)[..] {
        [(at, what)] => {
            assert_eq!(at, field, "{what}:\n{manifest}");
            assert!(what.contains(message), "{what}:\n{manifest}");
        }
        faults => panic!("{faults:#?}:\n{manifest}"),
    }
}

fn object(api_version: &str, kind: &str, rest: &str) -> String {
    format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x}}\n{rest}")
}

fn class(spec: &str) -> String {
    object("gateway.networking.k8s.io/v1", "GatewayClass", &format!("spec: {{{spec}}}"))
}

fn gateway(spec: &str) -> String {
    let spec = format!("spec: {{gatewayClassName: c, {spec}}}");
    object("gateway.networking.k8s.io/v1", "Gateway", &spec)
}

/// A Gateway with these listeners, in YAML's flow style.
fn listeners(listeners: &str) -> String {
    gateway(&format!("listeners: [{listeners}]"))
}

/// A Gateway with a valid listener and something else.
fn beside_listener(spec: &str) -> String {
    gateway(&format!("listeners: [{{name: l, protocol: TCP, port: 1}}], {spec}"))
}

/// A Gateway with a TCP listener that has these fields too.
fn listener(fields: &str) -> String {
    listeners(&format!("{{name: l, protocol: TCP, port: 1, {fields}}}"))
}

fn route_in(version: &str, spec: &str) -> String {
    let spec = format!("spec: {{{spec}}}");
    object(&format!("gateway.networking.k8s.io/{version}"), "TCPRoute", &spec)
}

fn route(spec: &str) -> String {
    route_in("v1", spec)
}

fn parents(parents: &str) -> String {
    route(&format!("parentRefs: [{parents}], rules: [{{backendRefs: [{{name: s, port: 1}}]}}]"))
}

fn backends(backends: &str) -> String {
    route(&format!("rules: [{{backendRefs: [{backends}]}}]"))
}

fn grant(from: &str, to: &str) -> String {
    let spec = format!("spec: {{from: [{from}], to: [{to}]}}");
    object("gateway.networking.k8s.io/v1", "ReferenceGrant", &spec)
}

/// So many entries, each told its number.
fn many(count: usize, entry: impl Fn(usize) -> String) -> String {
    (0..count).map(entry).collect::<Vec<_>>().join(", ")
}

#[test]
fn names_of_objects_are_dns_subdomains() {
    let named =
        |name: &str| class("controllerName: a.b/c").replace("name: x", &format!("name: {name}"));
    accepted(named("a.b-c.0"));
    accepted(named(&"a".repeat(253)));
    for name in ["A", "a_b", "-a", "a..b", "a."] {
        refused(named(name), "metadata.name", "must consist of a-z, 0-9");
    }
    refused(named(&"a".repeat(254)), "metadata.name", "1 to 253 characters");
    refused(named("\"\""), "metadata.name", "1 to 253 characters");
    let namespace =
        |name: &str| object("v1", "Namespace", "").replace("name: x", &format!("name: {name}"));
    accepted(namespace(&"a".repeat(63)));
    refused(namespace(&"a".repeat(64)), "metadata.name", "1 to 63");
    refused(namespace("a.b"), "metadata.name", "1 to 63");
}

#[test]
fn names_in_references_have_a_length_but_no_pattern() {
    accepted(parents("{name: Any_Name}"));
    accepted(parents(&format!("{{name: {}}}", "a".repeat(253))));
    refused(parents("{name: \"\"}"), "spec.parentRefs[0].name", "1 to 253");
    refused(
        parents(&format!("{{name: {}}}", "a".repeat(254))),
        "spec.parentRefs[0].name",
        "1 to 253",
    );
}

#[test]
fn groups_kinds_namespaces_and_sections_keep_to_their_patterns() {
    for (field, good, bad, expected) in [
        ("group", "a.example.com", "Example.com", "an API group"),
        ("group", "\"\"", "-a", "an API group"),
        ("kind", "Gateway-2", "2Gateway", "a kind"),
        ("kind", &"K".repeat(63), &"K".repeat(64), "a kind"),
        ("kind", "g", "\"\"", "a kind"),
        ("namespace", &"n".repeat(63), &"n".repeat(64), "a namespace"),
        ("namespace", "a-b", "a.b", "a namespace"),
        ("namespace", "a", "\"\"", "a namespace"),
        ("sectionName", "a.b-c", "A", "a section name"),
        ("sectionName", &"s".repeat(253), &"s".repeat(254), "a section name"),
        ("sectionName", "a", "\"\"", "a section name"),
    ] {
        accepted(parents(&format!("{{name: g, {field}: {good}}}")));
        refused(
            parents(&format!("{{name: g, {field}: {bad}}}")),
            &format!("spec.parentRefs[0].{field}"),
            expected,
        );
    }
}

#[test]
fn ports_and_weights_keep_to_their_ranges() {
    for good in ["1", "65535"] {
        accepted(backends(&format!("{{name: s, port: {good}}}")));
    }
    for bad in ["0", "65536", "-1", "\"80\"", "8.5", "http"] {
        let field = "spec.rules[0].backendRefs[0].port";
        refused(backends(&format!("{{name: s, port: {bad}}}")), field, "a port from 1 to 65535");
    }
    for good in ["0", "1000000"] {
        accepted(backends(&format!("{{name: s, port: 1, weight: {good}}}")));
    }
    for bad in ["1000001", "-1", "\"1\"", "0.5"] {
        let field = "spec.rules[0].backendRefs[0].weight";
        let manifest = backends(&format!("{{name: s, port: 1, weight: {bad}}}"));
        refused(manifest, field, "a weight from 0 to 1000000");
    }
}

#[test]
fn a_class_names_its_controller() {
    accepted(class("controllerName: example.com/a/b~c"));
    accepted(class(&format!("controllerName: a.b/{}", "x".repeat(249))));
    refused(class("description: none"), "spec", "missing field `controllerName`");
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
fn a_class_has_a_short_description_and_whole_parameters() {
    let described = |length| format!("controllerName: a.b/c, description: {}", "ä".repeat(length));
    accepted(class(&described(64)));
    refused(class(&described(65)), "spec.description", "65 characters long; at most 64");
    accepted(class(
        "controllerName: a.b/c, parametersRef: {group: a.b, kind: K, name: n, namespace: s}",
    ));
    refused(
        class("controllerName: a.b/c, parametersRef: {group: a.b, kind: K}"),
        "spec.parametersRef",
        "missing field `name`",
    );
}

#[test]
fn a_gateway_has_1_to_64_listeners() {
    let some = |count| {
        listeners(&many(count, |n| format!("{{name: l{n}, protocol: TCP, port: {}}}", n + 1)))
    };
    accepted(some(64));
    refused(some(65), "spec.listeners", "has 65 entries; 1 to 64 allowed");
    refused(some(0), "spec.listeners", "has 0 entries; 1 to 64 allowed");
    refused(gateway(""), "spec", "missing field `listeners`");
}

#[test]
fn a_gateway_names_its_class() {
    let manifest = object("gateway.networking.k8s.io/v1", "Gateway", "spec: {listeners: []}");
    refused(manifest, "spec", "missing field `gatewayClassName`");
}

#[test]
fn addresses_are_few_and_of_their_type() {
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
        "type: Hostname",
        "type: Hostname, value: \"*.example.com\"",
        "type: example.com/pool, value: Any Thing",
        "type: NamedAddress, value: x",
    ] {
        accepted(one(good));
    }
    let field = "spec.addresses[0].value";
    for bad in ["10.0.0", "10.0.0.1:80", "db.example.com", "fe80::1%eth0", "10.0.0.01"] {
        refused(one(&format!("value: \"{bad}\"")), field, "must be an IPv4 or IPv6 address");
    }
    refused(one("type: Hostname, value: a b"), field, "must be a hostname");
    refused(one(&format!("type: a.b/c, value: {}", "x".repeat(254))), field, "at most 253 allowed");
    refused(
        one("type: Pool"),
        "spec.addresses[0].type",
        "IPAddress, Hostname, or a domain-prefixed",
    );
}

#[test]
fn addresses_are_unique() {
    let two =
        |one: &str, other: &str| beside_listener(&format!("addresses: [{{{one}}}, {{{other}}}]"));
    let field = "spec.addresses[1].value";
    refused(two("value: 10.0.0.1", "type: IPAddress, value: 10.0.0.1"), field, "given twice");
    refused(two("type: Hostname, value: a", "type: Hostname, value: a"), field, "given twice");
    accepted(two("type: IPAddress", "type: IPAddress"));
    accepted(two("type: a.b/c, value: x", "type: a.b/c, value: x"));
    accepted(two("type: Hostname, value: x", "type: a.b/c, value: x"));
}

#[test]
fn infrastructure_labels_are_few_and_well_formed() {
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
fn infrastructure_annotations_are_few_and_short() {
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
fn infrastructure_parameters_are_whole_and_local() {
    let parameters =
        |fields: &str| beside_listener(&format!("infrastructure: {{parametersRef: {{{fields}}}}}"));
    accepted(parameters("group: a.b, kind: K, name: n"));
    let field = "spec.infrastructure.parametersRef";
    refused(parameters("group: a.b, kind: K"), field, "missing field `name`");
    refused(
        parameters("group: a.b, kind: K, name: n, namespace: s"),
        &format!("{field}.namespace"),
        "is not a known field",
    );
}

#[test]
fn a_listener_has_name_port_and_protocol() {
    for (bad, missing) in [
        ("protocol: TCP, port: 1", "name"),
        ("name: l, protocol: TCP", "port"),
        ("name: l, port: 1", "protocol"),
    ] {
        refused(
            listeners(&format!("{{{bad}}}")),
            "spec.listeners[0]",
            &format!("missing field `{missing}`"),
        );
    }
    refused(
        listeners("{name: L, protocol: TCP, port: 1}"),
        "spec.listeners[0].name",
        "a section name",
    );
    refused(
        listeners("{name: l, protocol: TCP, port: 0}"),
        "spec.listeners[0].port",
        "a port from 1",
    );
}

#[test]
fn any_word_is_a_protocol() {
    let speaking =
        |protocol: &str| listeners(&format!("{{name: l, protocol: \"{protocol}\", port: 1}}"));
    // The CRD's pattern is not anchored at the start of its second alternative.
    for good in ["INVALID", "tcp", "a-b", "example.com/quic", "Example.com/QUIC", &"X".repeat(255)]
    {
        accepted(speaking(good));
    }
    for bad in ["", "-x", "x-", "a b", "example.com/", "example.com/q-c", "/x", &"X".repeat(256)] {
        refused(speaking(bad), "spec.listeners[0].protocol", "a protocol");
    }
}

#[test]
fn listeners_have_names_of_their_own() {
    refused(
        listeners("{name: l, protocol: TCP, port: 1}, {name: l, protocol: TCP, port: 2}"),
        "spec.listeners[1].name",
        "names must be unique",
    );
}

#[test]
fn port_protocol_and_hostname_together_are_unique() {
    let two =
        |one: &str, other: &str| listeners(&format!("{{name: a, {one}}}, {{name: b, {other}}}"));
    let field = "spec.listeners[1].port";
    refused(
        two("protocol: TCP, port: 1", "protocol: TCP, port: 1"),
        field,
        "TCP 1 is taken by listener `a`",
    );
    refused(two("protocol: HTTP, port: 1", "protocol: HTTP, port: 1"), field, "is taken by");
    refused(
        two("protocol: HTTP, port: 1, hostname: h", "protocol: HTTP, port: 1, hostname: h"),
        field,
        "is taken by",
    );
    accepted(two("protocol: HTTP, port: 1, hostname: h", "protocol: HTTP, port: 1"));
    accepted(two("protocol: TCP, port: 1", "protocol: UDP, port: 1"));
    accepted(two("protocol: TCP, port: 1", "protocol: HTTP, port: 1"));
    accepted(two("protocol: TCP, port: 1", "protocol: TCP, port: 2"));
}

#[test]
fn hostnames_are_not_for_tcp_and_udp() {
    let named = |protocol: &str, hostname: &str| {
        listeners(&format!("{{name: l, protocol: {protocol}, port: 1, hostname: \"{hostname}\"}}"))
    };
    for protocol in ["TCP", "UDP"] {
        refused(named(protocol, "h"), "spec.listeners[0].hostname", "must be absent");
    }
    for good in ["h", "*.example.com", &"h".repeat(253)] {
        accepted(named("HTTP", good));
    }
    for bad in ["", "*", "a.*.b", "H", "a_b", &"h".repeat(254)] {
        refused(named("HTTP", bad), "spec.listeners[0].hostname", "a hostname");
    }
}

#[test]
fn tls_settings_fit_the_protocol() {
    let secured = |protocol: &str, tls: &str| {
        listeners(&format!("{{name: l, protocol: {protocol}, port: 1, tls: {{{tls}}}}}"))
    };
    let certificate = "certificateRefs: [{name: c}]";
    for protocol in ["TCP", "UDP", "HTTP"] {
        refused(secured(protocol, certificate), "spec.listeners[0].tls", "must be absent");
    }
    accepted(secured("TLS", "mode: Passthrough"));
    accepted(secured("TLS", certificate));
    accepted(secured("HTTPS", certificate));
    accepted(secured("HTTPS", "options: {a: b}"));
    accepted(listeners("{name: l, protocol: HTTPS, port: 1}"));
    refused(
        listeners("{name: l, protocol: TLS, port: 1}"),
        "spec.listeners[0].tls",
        "protocol TLS needs it",
    );
    refused(
        secured("HTTPS", "mode: Passthrough"),
        "spec.listeners[0].tls.mode",
        "must be Terminate",
    );
    refused(
        secured("TLS", "mode: Terminate"),
        "spec.listeners[0].tls.certificateRefs",
        "mode Terminate needs",
    );
    refused(secured("TLS", "mode: Both"), "spec.listeners[0].tls.mode", "unknown variant `Both`");
    let certificates = |count| {
        secured(
            "TLS",
            &format!("certificateRefs: [{}]", many(count, |n| format!("{{name: c{n}}}"))),
        )
    };
    accepted(certificates(64));
    refused(certificates(65), "spec.listeners[0].tls.certificateRefs", "has 65 entries; 0 to 64");
    let options =
        |count| secured("TLS", &format!("options: {{{}}}", many(count, |n| format!("o{n}: v"))));
    accepted(options(16));
    refused(options(17), "spec.listeners[0].tls.options", "has 17 entries; 0 to 16");
}

#[test]
fn allowed_routes_come_from_somewhere() {
    let from =
        |namespaces: &str| listener(&format!("allowedRoutes: {{namespaces: {{{namespaces}}}}}"));
    for good in ["from: All", "from: Same", "from: Selector, selector: {}", "from: Selector", ""] {
        accepted(from(good));
    }
    let path = "spec.listeners[0].allowedRoutes.namespaces";
    refused(from("from: None"), &format!("{path}.from"), "unknown variant `None`");
    let expression = |operator: &str| {
        from(&format!(
            "from: Selector, selector: {{matchExpressions: [{{key: k, operator: {operator}}}]}}"
        ))
    };
    for good in ["In, values: [a]", "NotIn, values: [a, b]", "Exists", "DoesNotExist"] {
        accepted(expression(good));
    }
    let field = &format!("{path}.selector.matchExpressions[0].values");
    for bad in ["In", "NotIn, values: []"] {
        refused(expression(bad), field, "must hold at least one value");
    }
    for bad in ["Exists, values: [a]", "DoesNotExist, values: [a]"] {
        refused(expression(bad), field, "must be absent");
    }
    let operator = &format!("{path}.selector.matchExpressions[0].operator");
    refused(expression("Near"), operator, "unknown variant `Near`");
}

#[test]
fn allowed_kinds_are_at_most_8() {
    let kinds = |count| {
        listener(&format!(
            "allowedRoutes: {{kinds: [{}]}}",
            many(count, |n| format!("{{kind: K{n}}}"))
        ))
    };
    accepted(kinds(8));
    refused(kinds(9), "spec.listeners[0].allowedRoutes.kinds", "has 9 entries; 0 to 8");
    refused(
        listener("allowedRoutes: {kinds: [{group: a.b}]}"),
        "spec.listeners[0].allowedRoutes.kinds[0]",
        "missing field `kind`",
    );
}

#[test]
fn a_route_has_at_most_32_parents() {
    let some = |count| parents(&many(count, |n| format!("{{name: g{n}}}")));
    accepted(some(0));
    accepted(some(32));
    refused(some(33), "spec.parentRefs", "has 33 entries; 0 to 32");
}

#[test]
fn references_to_one_parent_differ_in_section_or_port() {
    for good in [
        "{name: g, sectionName: a}, {name: g, sectionName: b}",
        "{name: g, port: 1}, {name: g, port: 2}",
        "{name: g, sectionName: a, port: 1}, {name: g, sectionName: a, port: 2}",
        "{name: g}, {name: h}",
        "{name: g}, {name: g, kind: ListenerSet}",
        "{name: g}, {name: g, group: a.b}",
        // A namespace spelled out is not the same text as one left out.
        "{name: g}, {name: g, namespace: default}",
        "{name: g, namespace: a}, {name: g, namespace: b}",
    ] {
        accepted(parents(good));
    }
    let field = "spec.parentRefs[1]";
    for same in [
        "{name: g}, {name: g}",
        "{name: g, sectionName: a}, {name: g, sectionName: a}",
        "{name: g, port: 1}, {name: g, port: 1}",
        "{name: g, namespace: a, port: 1}, {name: g, namespace: a, port: 1}",
        "{name: g}, {name: g, group: gateway.networking.k8s.io, kind: Gateway}",
    ] {
        refused(
            parents(same),
            field,
            "must differ in sectionName or port from the other references to Gateway `g`",
        );
    }
    for uneven in [
        "{name: g}, {name: g, sectionName: a}",
        "{name: g, port: 1}, {name: g}",
        "{name: g, port: 1}, {name: g, sectionName: a}",
        "{name: g, sectionName: a}, {name: g, sectionName: a, port: 1}",
    ] {
        refused(parents(uneven), field, "must set the same of sectionName and port");
    }
}

#[test]
fn a_route_has_one_rule_or_in_v1alpha2_up_to_16() {
    let rules = |count| {
        format!("rules: [{}]", many(count, |_| "{backendRefs: [{name: s, port: 1}]}".to_owned()))
    };
    accepted(route(&rules(1)));
    refused(route(&rules(0)), "spec.rules", "has 0 entries; 1 allowed");
    refused(route(&rules(2)), "spec.rules", "has 2 entries; 1 allowed");
    refused(route("parentRefs: []"), "spec", "missing field `rules`");
    accepted(route_in("v1alpha2", &rules(16)));
    refused(route_in("v1alpha2", &rules(17)), "spec.rules", "has 17 entries; 1 to 16 allowed");
    refused(route_in("v1alpha2", &rules(0)), "spec.rules", "has 0 entries; 1 to 16 allowed");
}

#[test]
fn rules_have_names_of_their_own() {
    let named = |one: &str, other: &str| {
        let rule = |name: &str| format!("{{{name} backendRefs: [{{name: s, port: 1}}]}}");
        route_in("v1alpha2", &format!("rules: [{}, {}]", rule(one), rule(other)))
    };
    accepted(named("name: a,", "name: b,"));
    accepted(named("", ""));
    refused(named("name: a,", "name: a,"), "spec.rules[1].name", "names must be unique");
    refused(named("name: A,", ""), "spec.rules[0].name", "a section name");
}

#[test]
fn a_rule_has_1_to_16_backends() {
    let some = |count| backends(&many(count, |n| format!("{{name: s{n}, port: 1}}")));
    accepted(some(16));
    refused(some(17), "spec.rules[0].backendRefs", "has 17 entries; 1 to 16");
    refused(some(0), "spec.rules[0].backendRefs", "has 0 entries; 1 to 16");
    refused(route("rules: [{name: r}]"), "spec.rules[0]", "missing field `backendRefs`");
}

#[test]
fn a_reference_to_a_service_has_a_port() {
    let field = "spec.rules[0].backendRefs[0].port";
    refused(backends("{name: s}"), field, "which port of `s` is meant");
    refused(backends("{name: s, group: \"\", kind: Service}"), field, "which port of `s` is meant");
    accepted(backends("{name: s, group: a.b, kind: Service}"));
    accepted(backends("{name: s, kind: Pod}"));
}

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
fn fields_that_do_not_exist_are_refused_in_gateway_apis_own_kinds() {
    refused(listener("allowdRoutes: {}"), "spec.listeners[0].allowdRoutes", "is it misspelt?");
    refused(
        backends("{name: s, port: 1, filters: []}"),
        "spec.rules[0].backendRefs[0].filters",
        "is it misspelt?",
    );
    accepted(object("v1", "Service", "spec: {ports: [{port: 1}], internalTrafficPolicy: Local}"));
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
