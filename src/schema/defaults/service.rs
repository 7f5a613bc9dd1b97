//! Defaults of Services.

use serde_json::{Map, Value, json};

use super::fields::{existing, items, object, set_absent, set_default};

/// Session affinity by client address lasts three hours.
const AFFINITY_SECONDS: i64 = 10_800;

pub(super) fn apply(service: &mut Map<String, Value>) {
    let Some(spec) = object(service, "spec") else { return };
    set_default(spec, "type", "ClusterIP");
    set_default(spec, "sessionAffinity", "None");
    if text(spec, "sessionAffinity") == "None" {
        spec.remove("sessionAffinityConfig");
    } else if text(spec, "sessionAffinity") == "ClientIP" && !has_affinity_timeout(spec) {
        let config = json!({"clientIP": {"timeoutSeconds": AFFINITY_SECONDS}});
        spec.insert("sessionAffinityConfig".into(), config);
    }
    for port in items(spec, "ports") {
        set_default(port, "protocol", "TCP");
        if let Some(number) = port.get("port").cloned() {
            set_default(port, "targetPort", number);
        }
    }
    let service_type = text(spec, "type").to_owned();
    let is_load_balancer = service_type == "LoadBalancer";
    let is_external = is_load_balancer
        || service_type == "NodePort"
        || service_type == "ClusterIP" && has_external_addresses(spec);
    if is_external {
        set_default(spec, "externalTrafficPolicy", "Cluster");
    }
    if ["ClusterIP", "NodePort", "LoadBalancer"].contains(&service_type.as_str()) {
        set_absent(spec, "internalTrafficPolicy", "Cluster");
    }
    if is_load_balancer {
        set_absent(spec, "allocateLoadBalancerNodePorts", true);
    }
    let Some(status) = object(service, "status") else { return };
    let Some(balancer) = object(status, "loadBalancer") else { return };
    if is_load_balancer {
        for ingress in items(balancer, "ingress") {
            if !text(ingress, "ip").is_empty() {
                set_absent(ingress, "ipMode", "VIP");
            }
        }
    }
}

fn has_affinity_timeout(spec: &mut Map<String, Value>) -> bool {
    let config = existing(spec, "sessionAffinityConfig");
    let client = config.and_then(|config| existing(config, "clientIP"));
    client.is_some_and(|client| client.contains_key("timeoutSeconds"))
}

fn has_external_addresses(spec: &Map<String, Value>) -> bool {
    let addresses = spec.get("externalIPs").and_then(Value::as_array);
    addresses.is_some_and(|addresses| !addresses.is_empty())
}

fn text<'a>(map: &'a Map<String, Value>, field: &str) -> &'a str {
    map.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::apply_defaults;
    use crate::schema::find_kind;

    fn with_defaults(spec: Value) -> Value {
        let (resource, version) = find_kind("", "v1", "Service").unwrap();
        let mut service = json!({"spec": spec});
        apply_defaults(&mut service, resource, version);
        let once = service.clone();
        apply_defaults(&mut service, resource, version);
        assert_eq!(service, once, "defaults are stable");
        service["spec"].take()
    }

    #[test]
    fn ports_lead_to_the_same_port_of_the_pods() {
        let spec = json!({"ports": [
            {"port": 80},
            {"port": 81, "targetPort": "http", "protocol": "UDP"},
            {"port": 82, "targetPort": 0, "protocol": null},
            {"port": 83, "targetPort": ""},
        ]});
        let expected = json!([
            {"port": 80, "protocol": "TCP", "targetPort": 80},
            {"port": 81, "protocol": "UDP", "targetPort": "http"},
            {"port": 82, "protocol": "TCP", "targetPort": 82},
            {"port": 83, "protocol": "TCP", "targetPort": 83},
        ]);
        assert_eq!(with_defaults(spec)["ports"], expected);
    }

    #[test]
    fn policies_depend_on_the_type() {
        for (spec, expected) in [
            (json!({}), json!({"type": "ClusterIP", "internalTrafficPolicy": "Cluster"})),
            (
                json!({"externalIPs": ["1.1.1.1"]}),
                json!({"type": "ClusterIP", "internalTrafficPolicy": "Cluster", "externalTrafficPolicy": "Cluster", "externalIPs": ["1.1.1.1"]}),
            ),
            (
                json!({"type": "NodePort", "externalTrafficPolicy": "Local"}),
                json!({"type": "NodePort", "internalTrafficPolicy": "Cluster", "externalTrafficPolicy": "Local"}),
            ),
            (
                json!({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false}),
                json!({"type": "LoadBalancer", "internalTrafficPolicy": "Cluster", "externalTrafficPolicy": "Cluster", "allocateLoadBalancerNodePorts": false}),
            ),
            (json!({"type": "ExternalName"}), json!({"type": "ExternalName"})),
        ] {
            let mut expected = expected;
            expected["sessionAffinity"] = "None".into();
            assert_eq!(with_defaults(spec), expected);
        }
    }

    #[test]
    fn session_affinity_has_a_timeout() {
        let timeout = |seconds| json!({"clientIP": {"timeoutSeconds": seconds}});
        let config = |spec| with_defaults(spec)["sessionAffinityConfig"].clone();
        assert_eq!(config(json!({"sessionAffinity": "ClientIP"})), timeout(10_800));
        let own = json!({"sessionAffinity": "ClientIP", "sessionAffinityConfig": timeout(5)});
        assert_eq!(config(own), timeout(5));
        assert_eq!(config(json!({"sessionAffinityConfig": timeout(5)})), Value::Null);
    }
}
