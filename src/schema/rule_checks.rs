//! Conditions of the rules of Gateway API. Each has the meaning of its expression in `rules.rs`.
//!
//! The conditions read values that passed the schema. A field of another type counts as absent.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static HOSTNAME: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
});

static LABEL_KEY: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$",
    )
});

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is valid")
}

pub(super) fn names_are_unique(list: &Value) -> bool {
    are_distinct(list, |a, b| a["name"] == b["name"])
}

pub(super) fn optional_names_are_unique(list: &Value) -> bool {
    are_distinct(list, |a, b| has(a, "name") && a["name"] == b["name"])
}

pub(super) fn ports_are_unique(list: &Value) -> bool {
    are_distinct(list, |a, b| a["port"] == b["port"])
}

pub(super) fn listeners_are_distinct(list: &Value) -> bool {
    are_distinct(list, |a, b| {
        a["port"] == b["port"]
            && a["protocol"] == b["protocol"]
            && a.get("hostname") == b.get("hostname")
    })
}

pub(super) fn plain_protocols_have_no_tls(list: &Value) -> bool {
    items(list)
        .all(|one| !["HTTP", "TCP", "UDP"].contains(&text(one, "protocol")) || !has(one, "tls"))
}

pub(super) fn https_terminates_tls(list: &Value) -> bool {
    items(list).all(|one| {
        text(one, "protocol") != "HTTPS"
            || !has(one, "tls")
            || ["", "Terminate"].contains(&text(&one["tls"], "mode"))
    })
}

pub(super) fn tls_has_mode(list: &Value) -> bool {
    items(list).all(|one| text(one, "protocol") != "TLS" || !text(&one["tls"], "mode").is_empty())
}

pub(super) fn tcp_has_no_hostname(list: &Value) -> bool {
    items(list).all(|one| {
        !["TCP", "UDP"].contains(&text(one, "protocol")) || text(one, "hostname").is_empty()
    })
}

pub(super) fn terminated_tls_has_certificate(tls: &Value) -> bool {
    let is_set = |field: &str| match &tls[field] {
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    };
    text(tls, "mode") != "Terminate" || is_set("certificateRefs") || is_set("options")
}

pub(super) fn addresses_are_unique(list: &Value, address_type: &str) -> bool {
    are_distinct(list, |a, b| {
        text(a, "type") == address_type
            && text(b, "type") == address_type
            && has(a, "value")
            && a["value"] == b["value"]
    })
}

pub(super) fn hostname_is_valid(address: &Value) -> bool {
    text(address, "type") != "Hostname"
        || address["value"].as_str().is_none_or(|value| HOSTNAME.is_match(value))
}

pub(super) fn keys_are_label_keys(map: &Value) -> bool {
    keys(map).all(|key| LABEL_KEY.is_match(key))
}

pub(super) fn prefixes_are_short(map: &Value) -> bool {
    keys(map).all(|key| key.split('/').next().unwrap_or_default().chars().count() < 253)
}

pub(super) fn service_reference_has_port(reference: &Value) -> bool {
    !text(reference, "group").is_empty()
        || text(reference, "kind") != "Service"
        || has(reference, "port")
}

pub(super) fn parents_set_the_same_fields(list: &Value) -> bool {
    items(list).all(|a| {
        items(list).filter(|b| is_same_parent(a, b)).all(|b| {
            text(a, "sectionName").is_empty() == text(b, "sectionName").is_empty()
                && (number(a, "port") == 0) == (number(b, "port") == 0)
        })
    })
}

pub(super) fn parents_are_distinct(list: &Value) -> bool {
    are_distinct(list, |a, b| {
        is_same_parent(a, b)
            && text(a, "sectionName") == text(b, "sectionName")
            && number(a, "port") == number(b, "port")
    })
}

/// Returns `true` if two parentRefs refer to one object. An empty namespace is the route's.
fn is_same_parent(a: &Value, b: &Value) -> bool {
    ["group", "kind", "name"].iter().all(|field| a[field] == b[field])
        && text(a, "namespace") == text(b, "namespace")
}

/// Returns `true` if no two items of a list are the same.
fn are_distinct(list: &Value, is_same: impl Fn(&Value, &Value) -> bool) -> bool {
    let is_unique = |(index, a)| !items(list).skip(index + 1).any(|b| is_same(a, b));
    items(list).enumerate().all(is_unique)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn keys(map: &Value) -> impl Iterator<Item = &String> {
    map.as_object().into_iter().flat_map(|map| map.keys())
}

fn has(object: &Value, field: &str) -> bool {
    object.get(field).is_some()
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn number(object: &Value, field: &str) -> i64 {
    object[field].as_i64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_have_distinct_items() {
        let listener = |name: &str, port: u16, protocol: &str| json!({"name": name, "port": port, "protocol": protocol});
        let with_hostname = |name: &str| {
            let mut listener = listener("a", 443, "HTTPS");
            listener["hostname"] = name.into();
            listener
        };
        assert!(names_are_unique(&json!([{"name": "a"}, {"name": "b"}])));
        assert!(!names_are_unique(&json!([{"name": "a"}, {"name": "b"}, {"name": "a"}])));
        assert!(optional_names_are_unique(&json!([{}, {}, {"name": "a"}])));
        assert!(!optional_names_are_unique(&json!([{"name": "a"}, {}, {"name": "a"}])));
        assert!(ports_are_unique(&json!([{"port": 1}, {"port": 2}])));
        assert!(!ports_are_unique(&json!([{"port": 1}, {"port": 1}])));
        for (one, other, expected) in [
            (listener("a", 1, "TCP"), listener("b", 1, "TCP"), false),
            (listener("a", 1, "TCP"), listener("b", 1, "UDP"), true),
            (listener("a", 443, "HTTPS"), with_hostname("a"), true),
            (with_hostname("a"), with_hostname("b"), true),
            (with_hostname("a"), with_hostname("a"), false),
        ] {
            assert_eq!(listeners_are_distinct(&json!([one, other])), expected, "{one} {other}");
        }
    }

    #[test]
    fn tls_fits_the_protocol() {
        let check = |condition: fn(&Value) -> bool, listener: Value| condition(&json!([listener]));
        for (condition, listener, expected) in [
            (plain_protocols_have_no_tls as fn(&Value) -> bool, json!({"protocol": "TCP"}), true),
            (plain_protocols_have_no_tls, json!({"protocol": "TCP", "tls": {}}), false),
            (plain_protocols_have_no_tls, json!({"protocol": "TLS", "tls": {}}), true),
            (https_terminates_tls, json!({"protocol": "HTTPS"}), true),
            (
                https_terminates_tls,
                json!({"protocol": "HTTPS", "tls": {"mode": "Terminate"}}),
                true,
            ),
            (
                https_terminates_tls,
                json!({"protocol": "HTTPS", "tls": {"mode": "Passthrough"}}),
                false,
            ),
            (tls_has_mode, json!({"protocol": "TLS", "tls": {"mode": "Passthrough"}}), true),
            (tls_has_mode, json!({"protocol": "TLS", "tls": {}}), false),
            (tls_has_mode, json!({"protocol": "TLS"}), false),
            (tcp_has_no_hostname, json!({"protocol": "TCP", "hostname": ""}), true),
            (tcp_has_no_hostname, json!({"protocol": "UDP", "hostname": "a"}), false),
            (tcp_has_no_hostname, json!({"protocol": "TLS", "hostname": "a"}), true),
        ] {
            assert_eq!(check(condition, listener.clone()), expected, "{listener}");
        }
        assert!(terminated_tls_has_certificate(&json!({"mode": "Passthrough"})));
        assert!(!terminated_tls_has_certificate(&json!({"mode": "Terminate", "options": {}})));
        assert!(terminated_tls_has_certificate(
            &json!({"mode": "Terminate", "options": {"a": "b"}})
        ));
        let reference = json!({"mode": "Terminate", "certificateRefs": [{"name": "a"}]});
        assert!(terminated_tls_has_certificate(&reference));
    }

    #[test]
    fn addresses_are_unique_by_type() {
        let list = json!([{"type": "IPAddress", "value": "10.0.0.1"}, {"type": "Hostname", "value": "a"}, {"type": "IPAddress", "value": "10.0.0.1"}]);
        assert!(!addresses_are_unique(&list, "IPAddress"));
        assert!(addresses_are_unique(&list, "Hostname"));
        assert!(addresses_are_unique(
            &json!([{"type": "Hostname"}, {"type": "Hostname"}]),
            "Hostname"
        ));
        for (value, expected) in
            [("*.a.b", true), ("a-b.c", true), ("A", false), ("-a", false), ("", false)]
        {
            let address = json!({"type": "Hostname", "value": value});
            assert_eq!(hostname_is_valid(&address), expected, "{value}");
        }
        assert!(hostname_is_valid(&json!({"type": "Hostname"})));
        assert!(hostname_is_valid(&json!({"type": "IPAddress", "value": "A"})));
    }

    #[test]
    fn keys_have_the_syntax_of_labels() {
        let map = |key: &str| json!({key: "x"});
        for (key, expected) in
            [("a", true), ("a.b/C_d", true), ("/a", false), ("a/", false), ("a b", false)]
        {
            assert_eq!(keys_are_label_keys(&map(key)), expected, "{key}");
        }
        assert!(prefixes_are_short(&map(&format!("{}/a", "a".repeat(252)))));
        assert!(!prefixes_are_short(&map(&format!("{}/a", "a".repeat(253)))));
    }

    #[test]
    fn references_to_services_have_a_port() {
        assert!(!service_reference_has_port(&json!({"group": "", "kind": "Service"})));
        assert!(service_reference_has_port(&json!({"group": "", "kind": "Service", "port": 1})));
        assert!(service_reference_has_port(&json!({"group": "a", "kind": "Service"})));
        assert!(service_reference_has_port(&json!({"group": "", "kind": "Other"})));
    }

    #[test]
    fn parents_of_one_object_differ_in_the_same_fields() {
        let parent = |extra: Value| {
            let mut parent = json!({"group": "g", "kind": "Gateway", "name": "a"});
            parent.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            parent
        };
        for (one, other, same_fields, distinct) in [
            (json!({}), json!({}), true, false),
            (json!({}), json!({"namespace": ""}), true, false),
            (json!({}), json!({"namespace": "b"}), true, true),
            (json!({"sectionName": "a"}), json!({}), false, true),
            (json!({"sectionName": "a"}), json!({"sectionName": "b"}), true, true),
            (json!({"sectionName": "a"}), json!({"sectionName": "a"}), true, false),
            (json!({"sectionName": "a"}), json!({"sectionName": "a", "port": 1}), false, true),
            (json!({"port": 1}), json!({"port": 2}), true, true),
            (json!({"port": 0}), json!({}), true, false),
        ] {
            let list = json!([parent(one), parent(other)]);
            assert_eq!(parents_set_the_same_fields(&list), same_fields, "{list}");
            assert_eq!(parents_are_distinct(&list), distinct, "{list}");
        }
    }
}
