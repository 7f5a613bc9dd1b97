//! The Services in front of Gateways.

mod addresses;
mod classes;
mod clean_up;
mod create;
mod edits;
mod endpoint;
mod errors;
mod nodes;
mod orphans;
mod pod_ports;
mod recreation;

use serde_json::{Value, json};
use sluicegate::model::ServiceType;
use sluicegate::sources::ServiceTemplate;

use crate::api::{Api, Request};
use crate::harness::Harness;
use crate::objects::{condition, namespace, usual};

/// Those of Gateway `g`.
const SERVICE: &str = "services/system/default-g-164a398c";

fn template() -> ServiceTemplate {
    let selector = [("app".to_owned(), "gate".to_owned())].into();
    ServiceTemplate::new("system".parse().unwrap(), selector)
}

fn of_type(service_type: ServiceType) -> ServiceTemplate {
    template().with_service_type(service_type)
}

/// The usual objects, and the namespace of the Services.
fn api() -> Api {
    let api = Api::with(usual());
    api.apply(namespace("system"));
    api
}

/// A source that has written all that it has to say.
async fn settled(api: &Api) -> Harness {
    let harness = Harness::behind_services(api, template());
    harness.settle().await;
    harness
}

/// The writes of Services: verb and object of each.
fn written(api: &Api) -> Vec<String> {
    let is_kept = |write: &&Request| write.plural == "services";
    let describe = |write: &Request| {
        let name = match &write.name {
            Some(_) => write.object(),
            None => write.object() + write.body["metadata"]["name"].as_str().unwrap(),
        };
        format!("{} {name}", write.verb)
    };
    api.writes().iter().filter(is_kept).map(describe).collect()
}

/// Writes what a load balancer would.
fn balance(api: &Api, service: &str, ip: &str) {
    api.set_status(service, json!({ "loadBalancer": { "ingress": [{ "ip": ip }] } }));
}

/// A condition of a Gateway in the usual namespace.
fn says(api: &Api, gateway: &str, condition_type: &str) -> Value {
    let gateway = api.get(&format!("gateways/default/{gateway}"));
    condition(&gateway["status"], condition_type).clone()
}

/// The ports of a Service, and where they lead.
fn ports(service: &Value) -> Vec<(u64, u64)> {
    let ports = service["spec"]["ports"].as_array().into_iter().flatten();
    ports
        .map(|port| (port["port"].as_u64().unwrap(), port["targetPort"].as_u64().unwrap()))
        .collect()
}

/// The port that a Service has been given on every node.
fn node_port(service: &Value) -> u64 {
    service["spec"]["ports"][0]["nodePort"].as_u64().unwrap()
}
