//! The fields of a Service that the API server of a cluster allocates: addresses and node ports.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::api::Api;
use super::request::Request;

const NODE_PORTS: RangeInclusive<u64> = 30_000..=32_767;

impl Api {
    /// Completes a Service that a client creates or replaces. Returns `false` if a node port is not
    /// available.
    pub(super) fn allocate(&self, request: &Request, service: &mut Value) -> bool {
        if !["create", "update"].contains(&request.verb) || request.subresource.is_some() {
            return true;
        }
        let name = service["metadata"]["name"].as_str().unwrap().to_owned();
        let own = format!("services/{}/{name}", request.namespace.as_deref().unwrap());
        let others = self.objects.all("services/").filter(|(other, _)| *other != own);
        let mut taken: BTreeSet<_> =
            others.flat_map(|(_, other)| node_ports(&other["spec"])).collect();
        let spec = &mut service["spec"];
        if request.verb == "create" {
            let mut number = 0;
            self.change(|state| {
                state.cluster_ips += 1;
                number = state.cluster_ips;
            });
            default(spec, "clusterIP", json!(format!("10.96.{}.{}", number / 256, number % 256)));
            default(spec, "ipFamilies", json!(["IPv4"]));
            default(spec, "ipFamilyPolicy", json!("SingleStack"));
        }
        let service_type = default(spec, "type", json!("ClusterIP"));
        if service_type == "ClusterIP" {
            return true;
        }
        let requested = node_ports(spec);
        if !requested.iter().all(|port| NODE_PORTS.contains(port) && taken.insert(*port)) {
            return false;
        }
        let mut free = NODE_PORTS.filter(|port| !taken.contains(port));
        let mut next = || json!(free.next().unwrap());
        for port in spec["ports"].as_array_mut().unwrap() {
            default(port, "nodePort", next());
        }
        if service_type == "LoadBalancer" {
            default(spec, "allocateLoadBalancerNodePorts", json!(true));
            if spec["externalTrafficPolicy"] == "Local" {
                default(spec, "healthCheckNodePort", next());
            }
        }
        true
    }
}

/// Returns the value of a field, after it is set to a default if it is missing.
fn default(object: &mut Value, field: &str, value: Value) -> Value {
    object.as_object_mut().unwrap().entry(field).or_insert(value).clone()
}

fn node_ports(spec: &Value) -> Vec<u64> {
    let ports = spec["ports"].as_array().into_iter().flatten();
    ports.filter_map(|port| port["nodePort"].as_u64()).collect()
}
