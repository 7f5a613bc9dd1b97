//! ReferenceGrant.

use super::{accepted, grant, many, refused};

#[test]
fn grant_has_1_to_16_from_and_to() {
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
fn grant_requires_group_kind_and_namespace() {
    let (from, to) = ("{group: a.b, kind: K, namespace: ns}", "{group: \"\", kind: Service}");
    accepted(grant(from, to));
    for (bad, missing) in [
        ("{kind: K, namespace: ns}", "group"),
        ("{group: a.b, namespace: ns}", "kind"),
        ("{group: a.b, kind: K}", "namespace"),
    ] {
        refused(grant(bad, to), &format!("spec.from[0].{missing}"), "is missing");
    }
    for (bad, missing) in [("{kind: K}", "group"), ("{group: a.b}", "kind")] {
        refused(grant(from, bad), &format!("spec.to[0].{missing}"), "is missing");
    }
    refused(grant(from, "{group: \"\", kind: S, name: \"\"}"), "spec.to[0].name", "1 to 253");
    refused(
        grant("{group: a.b, kind: K, namespace: \"*\"}", to),
        "spec.from[0].namespace",
        "a namespace",
    );
}
