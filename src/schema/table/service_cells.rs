//! Cells of Services and EndpointSlices.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::Timestamp;

/// Items of a list that a cell shows.
const MAX_ITEMS: usize = 3;

pub(super) fn cluster_ip(service: &Value, _: Timestamp) -> Value {
    let spec = &service["spec"];
    let address = spec["clusterIPs"][0].as_str().or_else(|| spec["clusterIP"].as_str());
    or_none(address.unwrap_or_default().to_owned())
}

pub(super) fn external_ip(service: &Value, _: Timestamp) -> Value {
    let spec = &service["spec"];
    let external = texts(&spec["externalIPs"]).map(str::to_owned);
    match spec["type"].as_str() {
        Some("ExternalName") => spec["externalName"].clone(),
        Some("LoadBalancer") => {
            let ingress = service["status"]["loadBalancer"]["ingress"].as_array();
            let address = |one: &Value| {
                let field = |name| one[name].as_str().filter(|text| !text.is_empty());
                field("ip").or_else(|| field("hostname")).map(str::to_owned)
            };
            let assigned: BTreeSet<_> = ingress.into_iter().flatten().filter_map(address).collect();
            let all: Vec<_> = assigned.into_iter().chain(external).collect();
            if all.is_empty() { "<pending>".into() } else { all.join(",").into() }
        }
        _ => or_none(external.collect::<Vec<_>>().join(",")),
    }
}

pub(super) fn ports(service: &Value, _: Timestamp) -> Value {
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    let port = |port: &Value| {
        let (number, protocol) = (&port["port"], port["protocol"].as_str().unwrap_or("TCP"));
        match port["nodePort"].as_i64() {
            Some(node_port) if node_port > 0 => format!("{number}:{node_port}/{protocol}"),
            _ => format!("{number}/{protocol}"),
        }
    };
    or_none(ports.map(port).collect::<Vec<_>>().join(","))
}

pub(super) fn selector(service: &Value, _: Timestamp) -> Value {
    let labels = service["spec"]["selector"].as_object().into_iter().flatten();
    let labels = labels.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    or_none(labels.collect::<Vec<_>>().join(","))
}

pub(super) fn slice_ports(slice: &Value, _: Timestamp) -> Value {
    let ports = slice["ports"].as_array().into_iter().flatten();
    let port = |port: &Value| match (&port["port"], &port["name"]) {
        (Value::Number(number), _) => number.to_string(),
        (_, Value::String(name)) => name.clone(),
        _ => "*".to_owned(),
    };
    shortened(ports.map(port).collect())
}

pub(super) fn slice_endpoints(slice: &Value, _: Timestamp) -> Value {
    let endpoints = slice["endpoints"].as_array().into_iter().flatten();
    let addresses = endpoints.flat_map(|endpoint| texts(&endpoint["addresses"]));
    shortened(addresses.map(str::to_owned).collect())
}

/// Joins the first items of a list, with the number of the others. An empty list is `<unset>`.
fn shortened(mut items: Vec<String>) -> Value {
    let more = items.len().saturating_sub(MAX_ITEMS);
    items.truncate(MAX_ITEMS);
    match (items.is_empty(), more) {
        (true, _) => "<unset>".into(),
        (false, 0) => items.join(",").into(),
        (false, more) => format!("{} + {more} more...", items.join(",")).into(),
    }
}

fn or_none(text: String) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(spec: Value, status: Value) -> Value {
        json!({"spec": spec, "status": status})
    }

    #[test]
    fn service_shows_its_addresses() {
        let now = Timestamp::UNIX_EPOCH;
        let ingress = json!({"loadBalancer": {"ingress": [{"hostname": "b"}, {"ip": "10.0.0.1"}]}});
        for (spec, status, internal, external) in [
            (json!({"type": "ClusterIP"}), json!({}), "<none>", "<none>"),
            (
                json!({"type": "ClusterIP", "clusterIPs": ["10.0.0.2"]}),
                json!({}),
                "10.0.0.2",
                "<none>",
            ),
            (
                json!({"type": "NodePort", "clusterIP": "None", "externalIPs": ["1.1.1.1", "1.1.1.2"]}),
                json!({}),
                "None",
                "1.1.1.1,1.1.1.2",
            ),
            (json!({"type": "LoadBalancer"}), json!({}), "<none>", "<pending>"),
            (
                json!({"type": "LoadBalancer", "externalIPs": ["1.1.1.1"]}),
                ingress,
                "<none>",
                "10.0.0.1,b,1.1.1.1",
            ),
            (json!({"type": "ExternalName", "externalName": "a.b"}), json!({}), "<none>", "a.b"),
        ] {
            let service = service(spec, status);
            assert_eq!(cluster_ip(&service, now), internal, "{service}");
            assert_eq!(external_ip(&service, now), external, "{service}");
        }
    }

    #[test]
    fn service_shows_ports_and_selector() {
        let now = Timestamp::UNIX_EPOCH;
        let spec = json!({
            "ports": [{"port": 80, "protocol": "TCP"}, {"port": 53, "nodePort": 30053, "protocol": "UDP"}],
            "selector": {"b": "1", "a": "2"},
        });
        let full = service(spec, json!({}));
        assert_eq!(ports(&full, now), "80/TCP,53:30053/UDP");
        assert_eq!(selector(&full, now), "a=2,b=1");
        let empty = service(json!({}), json!({}));
        assert_eq!((ports(&empty, now), selector(&empty, now)), ("<none>".into(), "<none>".into()));
    }

    #[test]
    fn slice_shows_its_first_items() {
        let now = Timestamp::UNIX_EPOCH;
        let slice = json!({
            "ports": [{"port": 80}, {"name": "a"}, {}],
            "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2", "10.0.0.3", "10.0.0.4"]}, {"addresses": ["10.0.0.5"]}],
        });
        assert_eq!(slice_ports(&slice, now), "80,a,*");
        assert_eq!(slice_endpoints(&slice, now), "10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...");
        assert_eq!(slice_endpoints(&json!({}), now), "<unset>");
    }
}
