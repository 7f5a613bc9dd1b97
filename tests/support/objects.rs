//! Objects as clients write them: a GatewayClass `c`, and what leads a connection to a backend.

use std::net::SocketAddr;

use serde_json::{Value, json};

const GATEWAY_API: &str = "gateway.networking.k8s.io/v1";

pub(crate) fn class() -> Value {
    json!({
        "apiVersion": GATEWAY_API, "kind": "GatewayClass", "metadata": {"name": "c"},
        "spec": {"controllerName": "example.com/c"},
    })
}

pub(crate) fn gateway(name: &str, port: u16) -> Value {
    json!({
        "apiVersion": GATEWAY_API, "kind": "Gateway", "metadata": {"name": name},
        "spec": {
            "gatewayClassName": "c",
            "listeners": [{"name": "l", "protocol": "TCP", "port": port}],
        },
    })
}

pub(crate) fn route(name: &str, gateway: &str, service: &str) -> Value {
    json!({
        "apiVersion": GATEWAY_API, "kind": "TCPRoute", "metadata": {"name": name},
        "spec": {
            "parentRefs": [{"name": gateway}],
            "rules": [{"backendRefs": [{"name": service, "port": 1}]}],
        },
    })
}

pub(crate) fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"ports": [{"port": 1}]},
    })
}

/// The EndpointSlice of a Service, with one endpoint.
pub(crate) fn slice(service: &str, endpoint: SocketAddr) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [endpoint.ip().to_string()]}],
        "ports": [{"port": endpoint.port()}],
    })
}

/// A ConfigMap with a text of a length, to fill the store or to wake it.
pub(crate) fn config_map(name: &str, length: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
        "data": {"text": "x".repeat(length)},
    })
}
