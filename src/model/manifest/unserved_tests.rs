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
            Some((key.to_string(), references.collect()))
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
fn object_without_a_complete_header_is_an_error() {
    for (text, error) in [
        (
            "apiVersion: v1\nmetadata: {name: a}\n",
            "1:1: kind is missing; set the kind of the object",
        ),
        (
            "metadata: {name: a}\nspec: {}\n",
            "1:1: apiVersion and kind are missing; set both, or remove the object",
        ),
        ("spec: {}\n", "1:1: apiVersion and kind are missing; set both, or remove the object"),
        (
            "kind: Svc\napiVersion: v1\nmetadata: {name: a}\n",
            "1:7: kind: v1 has no kind Svc; correct the kind or the apiVersion",
        ),
        (
            "kind: Pdo\nmetadata: {name: a}\n",
            "1:1: apiVersion is missing; set the apiVersion of Pdo",
        ),
        (
            "kind: Service\nmetadata: {name: a, namespace: b}\n",
            "1:1: Service b/a: apiVersion is missing; use v1 for a Service",
        ),
        (
            "apiVersion: discovery/v1\nkind: EndpointSlice\nmetadata: {name: a}\n",
            "1:13: EndpointSlice default/a: apiVersion: discovery/v1 has no kind EndpointSlice; use discovery.k8s.io/v1",
        ),
        (
            "apiVersion: gateway.networking/v1\nkind: Gateway\nmetadata: {name: a}\n",
            "1:13: Gateway default/a: apiVersion: gateway.networking/v1 has no kind Gateway; use gateway.networking.k8s.io/v1",
        ),
        (
            "apiVersion: discovery.k8s.io/v1\ntype: EndpointSlice\nmetadata: {name: a}\n",
            "1:1: kind is missing; set the kind of the object",
        ),
        (
            "apiVersion: v1\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n",
            "1:1: kind is missing; set the kind of the object",
        ),
    ] {
        assert_eq!(read_error(text), error);
    }
}

#[test]
fn mappings_of_other_programs_are_no_errors() {
    for other in [
        "services: {}\n",
        "apiVersion: 1\nproviders: [{name: a}]\n",
        "apiVersion: v2\nname: chart\n",
        "kind: 5\n",
        "kind: pipeline\n",
        "items: [1, {a: b}]\n",
    ] {
        assert!(matches!(read(other)[0].content, Content::Unsupported(_)), "{other}");
    }
    assert_eq!(
        read_error("apiVersion: 1\nkind: Pod\n"),
        "1:13: apiVersion: must be a text; write it in quotes"
    );
    assert_eq!(
        read_error("apiVersion: 1\nmetadata: {}\n"),
        "1:13: apiVersion: must be a text; write it in quotes"
    );
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
            Some((format!("{group} {kind} a/x"), expected))
        );
    }
    assert_eq!(
        references("{apiVersion: v1, kind: Endpoints, metadata: {name: db}}"),
        Some(("Endpoints default/db".to_owned(), vec!["Service default/db".to_owned()]))
    );
    for metadata in ["{name: x, namespace: ''}", "{name: x, namespace: }", "{generateName: x-}"] {
        let text = format!(
            "{{apiVersion: {GATEWAY}, kind: HTTPRoute, metadata: {metadata}, spec: {{parentRefs: [{{name: g}}]}}}}"
        );
        assert_eq!(
            references(&text),
            Some((
                "gateway.networking.k8s.io HTTPRoute default/x".to_owned(),
                vec!["Gateway default/g".to_owned()]
            )),
            "{metadata}"
        );
    }
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
