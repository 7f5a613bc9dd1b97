//! Tests of misspelt headers, and of objects of kinds that are not served.

use super::tests::{list_errors, read_error};
use super::*;

const GATEWAY: &str = "gateway.networking.k8s.io/v1";

/// Returns the references of the only object as text.
fn references(text: &str) -> Option<(String, Vec<String>)> {
    let entries = read(text);
    assert_eq!(entries.len(), 1, "{entries:?}");
    match &entries[0].content {
        Content::Unserved(key, object) => {
            let references = object.references.iter().map(ToString::to_string);
            Some((format!("{}/{key}", key.group), references.collect()))
        }
        Content::Unsupported(_) => None,
        content => panic!("{content:?}"),
    }
}

#[test]
fn misspelt_header_fields_are_errors() {
    for (text, error) in [
        (
            "apiversion: v1\nkind: Pod\n",
            "1:1: `apiversion` is not a field of an object; did you mean apiVersion?",
        ),
        (
            "apiVersion: v1\nKind: Pod\n",
            "2:1: `Kind` is not a field of an object; did you mean kind?",
        ),
        (
            "apiversion: v1\nKind: List\nitems: []\n",
            "1:1: `apiversion` is not a field of an object; did you mean apiVersion?",
        ),
        (
            "apiVersion: v1\nkind\u{200b}: Pod\n",
            "2:1: `kind\u{200b}` contains the invisible character U+200B; did you mean kind?",
        ),
    ] {
        assert_eq!(read_error(text), error);
    }
    for other in ["Kind: Pod\n", "version: '3'\nkinds: []\n", "apiversion: v1\n"] {
        assert!(matches!(read(other)[0].content, Content::Unsupported(_)), "{other}");
    }
}

#[test]
fn suspicious_characters_in_names_are_errors() {
    for (api_version, kind, error) in [
        (GATEWAY, "“Gateway”", "2:7: kind: contains the typographic quote “ (U+201C); remove it"),
        (GATEWAY, "Gateway\u{a0}", "2:7: kind: contains the invisible character U+00A0; remove it"),
        (
            "v\u{200b}1",
            "Pod",
            "1:13: apiVersion: contains the invisible character U+200B; remove it",
        ),
    ] {
        assert_eq!(read_error(&format!("apiVersion: {api_version}\nkind: {kind}\n")), error);
    }
    let service =
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  ports\u{200b}: [{port: 1}]\n";
    let errors = list_errors(&read(service)[0]).join("\n");
    assert!(
        errors.contains("contains the invisible character U+200B; did you mean ports?"),
        "{errors}"
    );
}

#[test]
fn references_of_unserved_objects_are_read() {
    let object = |api_version: &str, kind: &str, spec: &str| {
        references(&format!(
            "{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: x, namespace: a}}, spec: {spec}}}"
        ))
    };
    for (api_version, kind, spec, expected) in [
        (
            GATEWAY,
            "HTTPRoute",
            "{parentRefs: [{name: g}, {name: h, namespace: b}, {kind: Service, group: '', name: s}]}",
            &["Gateway a/g", "Gateway b/h"][..],
        ),
        (GATEWAY, "ListenerSet", "{parentRef: {name: g}}", &["Gateway a/g"]),
        (
            "example.com/v1",
            "Policy",
            "{targetRefs: [{group: gateway.networking.k8s.io, kind: TCPRoute, name: r}]}",
            &["TCPRoute a/r"],
        ),
        (
            "example.com/v1",
            "Policy",
            "{targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: g}}",
            &["Gateway a/g"],
        ),
    ] {
        let group = api_version.split_once('/').unwrap().0;
        let expected = expected.iter().map(ToString::to_string).collect();
        assert_eq!(
            object(api_version, kind, spec),
            Some((format!("{group}/{kind} a/x"), expected))
        );
    }
    assert_eq!(
        references("{apiVersion: v1, kind: Endpoints, metadata: {name: db}}"),
        Some(("/Endpoints default/db".to_owned(), vec!["Service default/db".to_owned()]))
    );
    for spec in [
        "{}",
        "{parentRefs: 5}",
        "{parentRefs: [{kind: Service, group: '', name: s}]}",
        "{targetRefs: [{group: '', kind: Service, name: s}]}",
        "{targetRef: {kind: Gateway, name: g}}",
        "{parentRefs: [{name: ''}]}",
    ] {
        assert_eq!(object(GATEWAY, "HTTPRoute", spec), None, "{spec}");
    }
}
