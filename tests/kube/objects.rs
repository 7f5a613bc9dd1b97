//! The objects that tests start with.

use std::net::SocketAddr;

use serde_json::{Value, json};

pub(crate) const OURS: &str = "sluicegate.dev/gateway-controller";
pub(crate) const THEIRS: &str = "example.com/another-controller";

pub(crate) fn class(name: &str, controller: &str) -> Value {
    json!({
        "kind": "GatewayClass",
        "metadata": { "name": name },
        "spec": { "controllerName": controller },
    })
}

/// A Gateway of class `c` with one listener, called `l`.
pub(crate) fn gateway(name: &str, port: u16) -> Value {
    json!({
        "kind": "Gateway",
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "gatewayClassName": "c", "listeners": [listener("l", port)] },
    })
}

pub(crate) fn listener(name: &str, port: u16) -> Value {
    json!({ "name": name, "protocol": "TCP", "port": port })
}

/// A route from Gateway `g` to a Service.
pub(crate) fn route(name: &str, service: &str) -> Value {
    json!({
        "kind": "TCPRoute",
        "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "parentRefs": [parent("g")],
            "rules": [{ "backendRefs": [{ "name": service, "port": 1 }] }],
        },
    })
}

/// As the definitions complete it.
pub(crate) fn parent(gateway: &str) -> Value {
    json!({ "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": gateway })
}

pub(crate) fn service(name: &str) -> Value {
    json!({
        "kind": "Service",
        "metadata": { "name": name, "namespace": "default" },
        "spec": { "ports": [{ "port": 1, "protocol": "TCP" }] },
    })
}

pub(crate) fn slice(service: &str, endpoint: SocketAddr) -> Value {
    json!({
        "kind": "EndpointSlice",
        "metadata": {
            "name": service,
            "namespace": "default",
            "labels": { "kubernetes.io/service-name": service },
        },
        "addressType": "IPv4",
        "endpoints": [{ "addresses": [endpoint.ip()] }],
        "ports": [{ "port": endpoint.port(), "protocol": "TCP" }],
    })
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({ "kind": "Namespace", "metadata": { "name": name } })
}

/// An entry of `status.parents` that a controller wrote.
pub(crate) fn parent_status(gateway: &str, controller: &str) -> Value {
    let condition = json!({
        "type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
        "lastTransitionTime": "2020-01-01T00:00:00Z",
    });
    let parent = parent(gateway);
    json!({ "parentRef": parent, "controllerName": controller, "conditions": [condition] })
}

/// Returns `true` if no controller has written the status of a Gateway or GatewayClass: it has the
/// default of the definition.
pub(crate) fn is_pending(object: &Value) -> bool {
    condition(&object["status"], "Accepted")["reason"] == "Pending"
}

/// The object, but in another namespace.
pub(crate) fn within(namespace: &str, mut object: Value) -> Value {
    object["metadata"]["namespace"] = json!(namespace);
    object
}

/// The object with another value at a place, as in `/spec/gatewayClassName`.
pub(crate) fn with(place: &str, value: Value, mut object: Value) -> Value {
    *object.pointer_mut(place).unwrap() = value;
    object
}

/// Class `c`, Gateway `g`, TCPRoute `r`, Service `s`.
pub(crate) fn usual() -> Vec<Value> {
    let endpoint = SocketAddr::from(([192, 0, 2, 1], 9000));
    vec![
        namespace("default"),
        class("c", OURS),
        gateway("g", 5000),
        route("r", "s"),
        service("s"),
        slice("s", endpoint),
    ]
}

/// A condition of a status, or of a listener's or a parent's.
pub(crate) fn condition<'a>(status: &'a Value, condition_type: &str) -> &'a Value {
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let mut found = conditions.filter(|condition| condition["type"] == condition_type);
    found.next().unwrap_or(&Value::Null)
}
