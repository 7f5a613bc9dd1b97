//! Objects as the bodies of requests.

use std::thread;

use serde_json::{Value, json};
use sluicegate::model::Object;

use crate::client::{Endpoint, JSON};
use crate::cluster::cluster;

/// An object, and the path of its collection.
pub(crate) struct ApiObject {
    pub(crate) collection: String,
    pub(crate) name: String,
    pub(crate) body: Value,
}

impl ApiObject {
    pub(crate) fn new(object: &Object) -> Self {
        let body = serde_json::to_value(object).unwrap();
        let api_version = body["apiVersion"].as_str().unwrap();
        let root = if api_version == "v1" { "/api" } else { "/apis" };
        let namespace = body["metadata"]["namespace"].as_str();
        let namespace = namespace.map(|name| format!("/namespaces/{name}")).unwrap_or_default();
        let plural = match body["kind"].as_str().unwrap() {
            "GatewayClass" => "gatewayclasses",
            "Gateway" => "gateways",
            "TCPRoute" => "tcproutes",
            "Service" => "services",
            "EndpointSlice" => "endpointslices",
            other => panic!("{other} has no plural here"),
        };
        Self {
            collection: format!("{root}/{api_version}{namespace}/{plural}"),
            name: body["metadata"]["name"].as_str().unwrap().to_owned(),
            body,
        }
    }

    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.collection, self.name)
    }

    pub(crate) fn kind(&self) -> &str {
        self.body["kind"].as_str().unwrap()
    }
}

/// Returns the objects of a cluster with this number of routes.
pub(crate) fn cluster_objects(routes: usize) -> Vec<ApiObject> {
    cluster(routes).objects().map(|object| ApiObject::new(&object)).collect()
}

/// Creates the namespace of the objects.
pub(crate) fn create_namespace(endpoint: &Endpoint) {
    let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bench"}});
    let body = body.to_string();
    endpoint.connect().send("POST", "/api/v1/namespaces", JSON, body.as_bytes());
}

/// Creates objects with this number of clients.
pub(crate) fn create(endpoint: &Endpoint, objects: &[ApiObject], clients: usize) {
    thread::scope(|scope| {
        for share in objects.chunks(objects.len().div_ceil(clients).max(1)) {
            scope.spawn(move || {
                let mut client = endpoint.connect();
                for object in share {
                    let body = object.body.to_string();
                    client.send("POST", &object.collection, JSON, body.as_bytes());
                }
            });
        }
    });
}
