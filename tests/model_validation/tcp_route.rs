//! TCPRoute.

use super::{accepted, backends, list_errors, many, parents, refused, route, route_in};

#[test]
fn route_has_at_most_32_parents() {
    let some = |count| parents(&many(count, |n| format!("{{name: g{n}}}")));
    accepted(some(0));
    accepted(some(32));
    refused(some(33), "spec.parentRefs", "has 33 entries; 0 to 32");
}

#[test]
fn parent_refs_to_one_parent_differ_in_section_or_port() {
    for good in [
        "{name: g, sectionName: a}, {name: g, sectionName: b}",
        // Accepted by the experimental channel.
        "{name: g, port: 1}, {name: g, port: 2}",
        "{name: g, sectionName: a, port: 1}, {name: g, sectionName: a, port: 2}",
        // Accepted by the standard channel.
        "{name: g, sectionName: a}, {name: g, sectionName: b, port: 1}",
        "{name: g}, {name: h}",
        "{name: g}, {name: g, kind: ListenerSet}",
        "{name: g}, {name: g, group: a.b}",
        // An explicit namespace and an absent one are different, as in the CEL rule.
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
        "{name: g, port: 1}, {name: g, sectionName: a, port: 1}",
    ] {
        refused(
            parents(uneven),
            field,
            "must set sectionName and port exactly if the other references to",
        );
    }
}

/// The standard channel refuses the first two references, the experimental one the last two.
#[test]
fn parent_refs_are_refused_if_each_channel_refuses_some() {
    let manifest = parents(
        "{name: g, port: 1}, {name: g, port: 2}, {name: h, sectionName: a}, {name: h, sectionName: b, port: 1}",
    );
    let fields: Vec<_> = list_errors(&manifest).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["spec.parentRefs[1]", "spec.parentRefs[3]"]);
}

#[test]
fn use_default_gateways_is_all_or_none() {
    let scoped = |scope: &str| {
        route(&format!(
            "useDefaultGateways: {scope}, rules: [{{backendRefs: [{{name: s, port: 1}}]}}]"
        ))
    };
    for good in ["All", "None", "~"] {
        accepted(scoped(good));
    }
    refused(scoped("Some"), "spec.useDefaultGateways", "`Some` must be one of All, None");
}

#[test]
fn null_is_the_default() {
    accepted(parents("{name: g, group: ~, kind: ~, namespace: ~, sectionName: ~, port: ~}"));
    accepted(backends("{name: s, port: 1, group: ~, kind: ~, weight: ~, namespace: ~}"));
    accepted(route("parentRefs: ~, rules: [{name: ~, backendRefs: [{name: s, port: 1}]}]"));
}

#[test]
fn route_has_one_rule_or_up_to_16_in_v1alpha2() {
    let rules = |count| {
        format!("rules: [{}]", many(count, |_| "{backendRefs: [{name: s, port: 1}]}".to_owned()))
    };
    accepted(route(&rules(1)));
    refused(route(&rules(0)), "spec.rules", "has 0 entries; 1 allowed");
    refused(route(&rules(2)), "spec.rules", "has 2 entries; 1 allowed");
    refused(route("parentRefs: []"), "spec.rules", "is missing");
    accepted(route_in("v1alpha2", &rules(16)));
    refused(route_in("v1alpha2", &rules(17)), "spec.rules", "has 17 entries; 1 to 16 allowed");
    refused(route_in("v1alpha2", &rules(0)), "spec.rules", "has 0 entries; 1 to 16 allowed");
}

#[test]
fn rule_names_are_unique() {
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
fn rule_has_1_to_16_backends() {
    let some = |count| backends(&many(count, |n| format!("{{name: s{n}, port: 1}}")));
    accepted(some(16));
    refused(some(17), "spec.rules[0].backendRefs", "has 17 entries; 1 to 16");
    refused(some(0), "spec.rules[0].backendRefs", "has 0 entries; 1 to 16");
    refused(route("rules: [{name: r}]"), "spec.rules[0].backendRefs", "is missing");
}

#[test]
fn service_reference_requires_a_port() {
    let field = "spec.rules[0].backendRefs[0].port";
    refused(backends("{name: s}"), field, "must specify a port of `s`");
    refused(backends("{name: s, group: \"\", kind: Service}"), field, "must specify a port of `s`");
    accepted(backends("{name: s, group: a.b, kind: Service}"));
    accepted(backends("{name: s, kind: Pod}"));
}
