//! Names, ports, weights and unknown fields, in any kind.

use super::{accepted, backends, class, listener, object, parents, refused};

#[test]
fn object_names_are_dns_subdomains() {
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
fn reference_names_have_a_length_but_no_pattern() {
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
fn groups_kinds_namespaces_and_sections_match_their_patterns() {
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
fn ports_and_weights_are_in_their_ranges() {
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
fn unknown_fields_are_refused_in_kinds_of_gateway_api() {
    refused(
        listener("allowdRoutes: {}"),
        "spec.listeners[0].allowdRoutes",
        "did you mean allowedRoutes?",
    );
    refused(
        backends("{name: s, port: 1, filters: []}"),
        "spec.rules[0].backendRefs[0].filters",
        "correct or remove it",
    );
    accepted(object("v1", "Service", "spec: {ports: [{port: 1}], internalTrafficPolicy: Local}"));
}
