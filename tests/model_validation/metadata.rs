//! Metadata, in any kind.

use sluicegate::model::manifest::{Content, read};

use super::{accepted, many, object, refused};

fn with(metadata: &str) -> String {
    object("v1", "Namespace", "").replace("name: x", &format!("name: x, {metadata}"))
}

#[test]
fn empty_namespace_is_no_namespace() {
    let class =
        object("gateway.networking.k8s.io/v1", "GatewayClass", "spec: {controllerName: a/b}");
    for namespace in ["\"\"", "~"] {
        accepted(class.replace("name: x", &format!("name: x, namespace: {namespace}")));
    }
    let service = object("v1", "Service", "spec: {ports: [{port: 1}]}")
        .replace("name: x", "name: x, namespace: \"\"");
    accepted(&service);
    let Content::Object(object) = &read(&service)[0].content else { panic!("invalid") };
    assert_eq!(object.key().to_string(), "Service default/x");
    refused(with("namespace: A"), "metadata.namespace", "a namespace: 1 to 63");
}

#[test]
fn labels_and_annotations_are_texts() {
    for map in ["labels", "annotations"] {
        for good in ["~", "{}", "{a: b}", "{a: \"1\"}", "{a: ~}", "{1: a, true: b}"] {
            accepted(with(&format!("{map}: {good}")));
        }
        for bad in ["1", "1.5", "true", "[a]", "{}"] {
            refused(
                with(&format!("{map}: {{k: {bad}}}")),
                &format!("metadata.{map}.k"),
                "expected a text",
            );
        }
        refused(with(&format!("{map}: [a]")), &format!("metadata.{map}"), "expected a mapping");
        refused(
            with(&format!("{map}: {{k: a, k: b}}")),
            &format!("metadata.{map}.k"),
            "is already set",
        );
    }
    let Content::Object(object) = &read(&with("labels: {team: ~}"))[0].content else {
        panic!("invalid")
    };
    assert_eq!(object.metadata().labels["team"], "", "null is an empty label");
}

#[test]
fn labels_are_well_formed() {
    let labels = |labels: &str| with(&format!("labels: {{{labels}}}"));
    accepted(labels(&format!("{}/k: \"\", short: Value-1_2.x", "a".repeat(253))));
    accepted(labels(&many(100, |n| format!("k{n}: v"))));
    for bad in ["-k", "Example.com/k", "a/b/c", "/k", &format!("{}/k", "a".repeat(254))] {
        refused(labels(&format!("{bad}: v")), "metadata.labels", "must be a name of at most 63");
    }
    for bad in ["-v", "a b", &"v".repeat(64)] {
        refused(labels(&format!("k: {bad}")), "metadata.labels.k", "must be at most 63");
    }
}

#[test]
fn annotations_have_a_key_syntax_and_a_total_length() {
    let annotations = |annotations: &str| with(&format!("annotations: {{{annotations}}}"));
    accepted(annotations("Example.com/Key: any thing"));
    refused(annotations("a/b/c: v"), "metadata.annotations", "must be a name of at most 63");
    let value = |length| annotations(&format!("k: {}", "v".repeat(length)));
    accepted(value(262_143));
    refused(value(262_144), "metadata.annotations", "are 262145 bytes long together");
}

#[test]
fn unusual_status_has_no_effect() {
    let gateway = object(
        "gateway.networking.k8s.io/v1",
        "Gateway",
        "spec: {gatewayClassName: c, listeners: [{name: l, protocol: TCP, port: 1}]}",
    );
    for status in [
        "~",
        "foo",
        "[1]",
        "{conditions: [{type: Accepted, status: \"True\"}]}",
        "{listeners: [{name: l, attachedRoutes: ~}, 5]}",
        "{addresses: [{type: 5}], other: 1}",
    ] {
        accepted(format!("{gateway}\nstatus: {status}"));
    }
    let route = object(
        "gateway.networking.k8s.io/v1",
        "TCPRoute",
        "spec: {rules: [{backendRefs: [{name: s, port: 1}]}]}",
    );
    let parent = "{controllerName: BadController, parentRef: {name: g}}";
    accepted(format!("{route}\nstatus: {{parents: [{parent}, {{}}]}}"));
    let service = object("v1", "Service", "spec: {ports: [{port: 1}]}");
    accepted(format!("{service}\nstatus: {{loadBalancer: {{ingress: [1]}}}}"));
    let node = object("v1", "Node", "");
    accepted(format!("{node}\nstatus: {{conditions: [{{type: Ready, status: yes}}]}}"));
}
