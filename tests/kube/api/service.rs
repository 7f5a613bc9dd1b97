//! The fields of a Service that the server fills in: addresses and node ports.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::store::{Store, name_of};

const NODE_PORTS: RangeInclusive<u64> = 30_000..=32_767;

impl Store {
    /// Whether it may be so.
    pub(super) fn complete_service(&self, service: &mut Value) -> bool {
        let name = name_of(service);
        let others = self.all("services/").filter(|(other, _)| **other != name);
        let mut taken: BTreeSet<_> =
            others.flat_map(|(_, other)| node_ports(&other["spec"])).collect();
        let spec = &mut service["spec"];
        let address = format!("10.96.{}.{}", self.version() / 256, self.version() % 256);
        let address = default(spec, "clusterIP", json!(address));
        default(spec, "clusterIPs", json!([address]));
        default(spec, "ipFamilies", json!(["IPv4"]));
        default(spec, "ipFamilyPolicy", json!("SingleStack"));
        default(spec, "internalTrafficPolicy", json!("Cluster"));
        default(spec, "sessionAffinity", json!("None"));
        let service_type = default(spec, "type", json!("ClusterIP"));
        if service_type == "ClusterIP" {
            let foreign = ["externalTrafficPolicy", "healthCheckNodePort"];
            return foreign.iter().all(|field| spec.get(field).is_none())
                && node_ports(spec).is_empty();
        }
        let asked = node_ports(spec);
        if !asked.iter().all(|port| NODE_PORTS.contains(port) && taken.insert(*port)) {
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

/// The value of a field, which is this one where there was none.
fn default(object: &mut Value, field: &str, value: Value) -> Value {
    object.as_object_mut().unwrap().entry(field).or_insert(value).clone()
}

fn node_ports(spec: &Value) -> Vec<u64> {
    let ports = spec["ports"].as_array().into_iter().flatten();
    ports.filter_map(|port| port["nodePort"].as_u64()).collect()
}
