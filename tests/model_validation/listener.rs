//! Listeners.

use super::{accepted, listener, listeners, many, refused};

#[test]
fn listener_requires_name_port_and_protocol() {
    for (bad, missing) in [
        ("protocol: TCP, port: 1", "name"),
        ("name: l, protocol: TCP", "port"),
        ("name: l, port: 1", "protocol"),
    ] {
        refused(
            listeners(&format!("{{{bad}}}")),
            &format!("spec.listeners[0].{missing}"),
            "is missing",
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
fn protocol_is_any_word_or_domain_prefixed_name() {
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
fn listener_names_are_unique() {
    refused(
        listeners("{name: l, protocol: TCP, port: 1}, {name: l, protocol: TCP, port: 2}"),
        "spec.listeners[1].name",
        "names must be unique",
    );
}

#[test]
fn listener_port_protocol_and_hostname_are_unique_together() {
    let two =
        |one: &str, other: &str| listeners(&format!("{{name: a, {one}}}, {{name: b, {other}}}"));
    let field = "spec.listeners[1].port";
    refused(
        two("protocol: TCP, port: 1", "protocol: TCP, port: 1"),
        field,
        "TCP 1 is already used by listener `a`",
    );
    refused(two("protocol: HTTP, port: 1", "protocol: HTTP, port: 1"), field, "is already used by");
    refused(
        two("protocol: HTTP, port: 1, hostname: h", "protocol: HTTP, port: 1, hostname: h"),
        field,
        "is already used by",
    );
    accepted(two("protocol: HTTP, port: 1, hostname: h", "protocol: HTTP, port: 1"));
    accepted(two("protocol: TCP, port: 1", "protocol: UDP, port: 1"));
    accepted(two("protocol: TCP, port: 1", "protocol: HTTP, port: 1"));
    accepted(two("protocol: TCP, port: 1", "protocol: TCP, port: 2"));
}

#[test]
fn hostname_is_refused_for_tcp_and_udp() {
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
        "protocol TLS requires it",
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
    accepted(secured("TLS", &format!("mode: ~, {certificate}")));
    refused(secured("TLS", "mode: Both"), "spec.listeners[0].tls.mode", "found the text `Both`");
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
    let option = |length| secured("TLS", &format!("options: {{o: {}}}", "v".repeat(length)));
    accepted(option(4096));
    refused(option(4097), "spec.listeners[0].tls.options.o", "at most 4096 allowed");
}

#[test]
fn allowed_route_namespaces_are_checked() {
    let from =
        |namespaces: &str| listener(&format!("allowedRoutes: {{namespaces: {{{namespaces}}}}}"));
    for good in ["from: All", "from: Same", "from: Selector, selector: {}", "from: Selector", ""] {
        accepted(from(good));
    }
    let path = "spec.listeners[0].allowedRoutes.namespaces";
    refused(from("from: None"), &format!("{path}.from"), "found the text `None`");
    let expression = |operator: &str| {
        from(&format!(
            "from: Selector, selector: {{matchExpressions: [{{key: k, operator: {operator}}}]}}"
        ))
    };
    for good in ["In, values: [a]", "NotIn, values: [a, b]", "Exists", "DoesNotExist"] {
        accepted(expression(good));
    }
    // An API server stores these too. Such a selector allows no routes, which the listener's
    // condition reports.
    for odd in ["In", "NotIn, values: []", "Exists, values: [a]", "In, values: [a b]"] {
        accepted(expression(odd));
    }
    let operator = &format!("{path}.selector.matchExpressions[0].operator");
    refused(expression("Near"), operator, "`Near` must be In, NotIn, Exists or DoesNotExist");
    refused(
        expression("In, values: [1]"),
        &format!("{path}.selector.matchExpressions[0].values[0]"),
        "expected a text",
    );
}

#[test]
fn allowed_route_kinds_are_at_most_8() {
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
        "spec.listeners[0].allowedRoutes.kinds[0].kind",
        "is missing",
    );
}
