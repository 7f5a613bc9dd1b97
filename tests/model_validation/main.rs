//! What an API server would refuse is refused here too, at the same field: the limits and CEL rules
//! of the CRDs, as far as they bear on TCP.
//!
//! Each rule has what just passes beside what just fails.
#![cfg(feature = "yaml")]

mod gateway;
mod listener;
mod others;
mod scalars;
mod tcp_route;

use sluicegate::model::manifest::{Content, read};

/// What is wrong with a manifest of one object, as fields and messages.
fn list_errors(manifest: &str) -> Vec<(String, String)> {
    let entries = read(manifest);
    assert_eq!(entries.len(), 1, "{manifest}");
    match &entries[0].content {
        Content::Object(_) => Vec::new(),
        Content::Invalid(errors) => {
            errors.iter().map(|error| (error.field.clone(), error.message.clone())).collect()
        }
        content => panic!("{content:?}:\n{manifest}"),
    }
}

#[track_caller]
fn accepted(manifest: impl AsRef<str>) {
    let manifest = manifest.as_ref();
    assert_eq!(list_errors(manifest), [], "{manifest}");
}

/// There must be one error, at `field`, whose message has `message` in it.
#[track_caller]
fn refused(manifest: impl AsRef<str>, field: &str, message: &str) {
    let manifest = manifest.as_ref();
    match &list_errors(manifest)[..] {
        [(at, what)] => {
            assert_eq!(at, field, "{what}:\n{manifest}");
            assert!(what.contains(message), "{what}:\n{manifest}");
        }
        errors => panic!("{errors:#?}:\n{manifest}"),
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
