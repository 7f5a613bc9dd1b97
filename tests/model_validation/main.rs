//! Validation: a manifest that an API server refuses is refused here too, with the same field. The
//! tests cover the limits and CEL rules of the CRDs, as far as they concern TCP.
//!
//! For each rule, there is a value that just passes and one that just fails.
#![cfg(feature = "yaml")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod core_kinds;
mod endpoint_slice;
mod gateway;
mod listener;
mod metadata;
mod reference_grant;
mod scalars;
mod schema;
mod service;
mod storable;
mod tcp_route;

use sluicegate::model::manifest::{Content, read};

/// Returns the errors of a manifest with one object: field and message.
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

/// Checks that there is one error, at `field`, and that its message contains `message`.
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

/// Returns a Gateway with these listeners, in the flow style of YAML.
fn listeners(listeners: &str) -> String {
    gateway(&format!("listeners: [{listeners}]"))
}

/// Returns a Gateway with a valid listener and further fields.
fn beside_listener(spec: &str) -> String {
    gateway(&format!("listeners: [{{name: l, protocol: TCP, port: 1}}], {spec}"))
}

/// Returns a Gateway with a TCP listener that has further fields.
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

/// Returns `count` entries, made of their numbers.
fn many(count: usize, entry: impl Fn(usize) -> String) -> String {
    (0..count).map(entry).collect::<Vec<_>>().join(", ")
}
