use super::tests::{CLASS, list_errors, read_error};
use super::{Content, read};

#[test]
fn unknown_fields_of_metadata_are_errors() {
    assert_eq!(
        read_error("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  namepsace: b\n"),
        "5:3: Namespace a: metadata.namepsace: is not a field of Namespace; did you mean namespace?"
    );
    let text = format!("{CLASS}extra: 1\n").replace(
        "{name: eg}",
        "{name: eg, ownerReferences: [{apiVersion: v1, kind: A, name: b, uid: c, contoller: true}], managedFields: [{manager: x, fieldsV1: {f: y}}], selfLink: x}",
    );
    assert_eq!(
        list_errors(&read(&text)[0]),
        [
            "3:83: GatewayClass eg: metadata.ownerReferences[0].contoller: is not a field of GatewayClass; did you mean controller?",
            "5:1: GatewayClass eg: extra: is not a field of GatewayClass; correct or remove it",
        ]
    );
}

#[test]
fn unknown_fields_of_core_kinds_are_errors() {
    let slice = "apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s}
addressType: IPv4
endpoints:
- addresses: [10.0.0.1]
  condition: {ready: false}
  conditions: {raedy: false}
  hints: {forZones: [{name: a, zone: b}]}
  deprecatedTopology: {anything: x}
ports: [{port: 1, targetPort: 2}]
endpoint: []
";
    let errors = list_errors(&read(slice)[0]);
    let fields: Vec<_> =
        errors.iter().map(|error| error.split(": ").nth(2).unwrap_or_default()).collect();
    assert_eq!(
        fields,
        [
            "endpoints[0].condition",
            "endpoints[0].conditions.raedy",
            "endpoints[0].hints.forZones[0].zone",
            "ports[0].targetPort",
            "endpoint",
        ]
    );
    assert!(errors[0].ends_with("is not a field of EndpointSlice; did you mean conditions?"));
    let service = "apiVersion: v1
kind: Service
metadata: {name: s}
spec:
  sellector: {a: b}
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 5, timeout: 5}}
  ports: [{port: 1, targetport: 2}]
status: {anything: x}
";
    assert_eq!(list_errors(&read(service)[0]).len(), 3, "{:?}", read(service));
    let known = "apiVersion: v1
kind: Node
metadata: {name: node}
spec: {podCIDR: 10.0.0.0/24, taints: [{key: a, value: b, effect: NoSchedule}]}
status: {addresses: [], nodeInfo: {kernelVersion: x}}
";
    assert!(matches!(read(known)[0].content, Content::Object(_)), "{:?}", read(known));
}

#[test]
fn missing_and_unknown_field_are_both_reported() {
    let text = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec:\n  gatewayClasName: c\n  listeners: []\n";
    assert_eq!(
        list_errors(&read(text)[0]),
        [
            "5:3: Gateway default/g: spec.gatewayClasName: is not a field of Gateway; did you mean gatewayClassName?",
            "5:3: Gateway default/g: spec.gatewayClassName: is missing; the field is required",
        ]
    );
}

#[test]
fn label_that_is_set_twice_is_an_error_of_its_object() {
    let entries =
        read("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {v: x, v: z}}\n");
    assert_eq!(
        list_errors(&entries[0]),
        [
            "3:36: Namespace a: metadata.labels.v: is already set in line 3, column 30; remove one of the two"
        ]
    );
    assert!(entries[0].key.is_some());
}

/// The other object must stay as it was, so the entry must not have the key of the first one.
#[test]
fn two_objects_without_a_marker_have_no_key() {
    for text in [
        format!("{CLASS}{CLASS}"),
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{CLASS}"),
    ] {
        let entries = read(&text);
        assert_eq!(entries.len(), 1);
        assert!(
            list_errors(&entries[0])[0].contains("kind: is already set in line"),
            "{entries:?}"
        );
        assert_eq!(entries[0].key, None);
    }
    // A kind that routing does not use may contain duplicate keys below its root.
    let foreign = "apiVersion: apps/v1\nkind: Deployment\nspec: {a: 1, a: 2}\n";
    assert!(matches!(read(foreign)[0].content, Content::Unsupported(_)));
}

#[test]
fn errors_of_an_item_belong_to_the_item() {
    let text = "apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata: {name: a, name: b}
- apiVersion: v1
  kind: Namespace
  metadata: {name: c}
kind: List
";
    let entries = read(text);
    assert_eq!(entries.len(), 3);
    assert_eq!(
        list_errors(&entries[0]),
        ["10:1: kind: is already set in line 2, column 1; remove one of the two"]
    );
    assert!(
        list_errors(&entries[1])[0].starts_with("6:23: Namespace a: metadata.name: is already set")
    );
    assert!(matches!(entries[2].content, Content::Object(_)));
}

#[test]
fn messages_name_values_and_types_plainly() {
    let slice = |field: &str| {
        read_error(&format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{{field}}}\n"
        ))
    };
    for (field, message) in [
        ("ports: [{port: }]", "spec.ports[0].port: found null, expected a port from 1 to 65535"),
        ("ports: [{port: 5.5}]", "found the number 5.5, expected a port"),
        (
            r#"ports: [{port: "80"}]"#,
            "found the text `80`, expected a port from 1 to 65535; a number has no quotes",
        ),
        ("ports: [{port: 99999999999999999999999}]", "expected a port from 1 to 65535"),
        ("ports: [{port: 1, name: no}]", "expected a text; a text such as yes, no"),
        ("ports: {a: b}", "spec.ports: found a mapping, expected a list"),
        ("ports: [5]", "spec.ports[0]: found the number 5, expected a mapping"),
        ("ports: [{port: 1, name: 5}]", "spec.ports[0].name: found the number 5, expected a text"),
        ("ports: [{name: a}]", "spec.ports[0].port: is missing; the field is required"),
    ] {
        let error = slice(field);
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn errors_of_a_document_have_limited_paths_and_number() {
    let header = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
    let key = "k".repeat(20_000);
    let entries = read(&format!("{header}? {key}\n:\n  a: 1\n{}", "  a: 1\n".repeat(20_000)));
    let errors = list_errors(&entries[0]);
    assert!(errors.iter().all(|error| error.len() < 400), "{errors:?}");
    assert_eq!(errors.len(), 1_002);
    let more = "19000 more errors follow; correct those above first";
    assert!(errors.iter().any(|error| error.ends_with(more)));
    // The name of an unknown anchor is part of the message.
    let errors = list_errors(&read(&format!("{header}x: *{key}\n"))[0]);
    let error = errors.last().unwrap();
    assert!(error.len() < 1_100 && error.ends_with('…'), "{error}");
}

#[test]
fn every_faulty_item_has_an_error_beyond_the_limit() {
    let item = "- apiVersion: v1\n  kind: Namespace\n  metadata: {name: a, name: b, name: c}\n";
    let entries = read(&format!("apiVersion: v1\nkind: List\nitems:\n{}", item.repeat(2_000)));
    assert_eq!(entries.len(), 2_000);
    assert_eq!(list_errors(&entries[0]).len(), 2);
    let last = list_errors(&entries[1_999]);
    assert!(last[0].contains("metadata.name: is already set"), "{last:?}");
    assert!(last[1].contains("1 more errors follow"), "{last:?}");
}
