//! The Service of a Gateway.

use std::mem;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::metadata::WantedMetadata;
use super::{PodPorts, ServiceTemplate};
use crate::model::gateway_service_name;
use crate::model::{
    ExternalTrafficPolicy, Gateway, GatewayAddressType, NamespacedName, PortNumber, ServiceType,
};

/// The ports on nodes that a cluster gives away, unless it is told otherwise.
const NODE_PORTS: RangeInclusive<u16> = 30_000..=32_767;

/// What the Service of a Gateway should be, as far as it is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct WantedService {
    pub(super) metadata: WantedMetadata,
    service_type: ServiceType,
    external_traffic_policy: ExternalTrafficPolicy,
    /// The one address that the Gateway asks for.
    address: Option<IpAddr>,
    /// Each listener's port and the pod port behind it.
    pub(super) ports: Vec<(PortNumber, PortNumber)>,
    /// Whether a new port is to have the same number on the nodes, where that may be had.
    pub(super) asks_node_ports: bool,
}

impl WantedService {
    /// The Service of a Gateway that has listeners on `listeners`.
    ///
    /// `None` where there is nothing to make a Service of: no listener has a pod port, or the
    /// Gateway comes from nowhere and could not own it.
    pub(in super::super) fn new(
        gateway: &Gateway,
        listeners: &[PortNumber],
        template: &ServiceTemplate,
        ports: &PodPorts,
    ) -> Option<Self> {
        let mut metadata = WantedMetadata::new(gateway, gateway_service_name(gateway))?;
        if let Some(infrastructure) = &gateway.spec.infrastructure {
            metadata.given_annotations = infrastructure.annotations.clone();
            metadata.given_labels = infrastructure.labels.clone();
        }
        // What the operator says counts: whether a load balancer is an internal one, for example.
        metadata.given_annotations.extend(template.annotations.clone());
        let name = gateway.metadata.namespaced_name();
        let ports: Vec<_> = listeners
            .iter()
            .filter_map(|port| Some((*port, *ports.get(&(name.clone(), *port))?)))
            .collect();
        (!ports.is_empty()).then_some(Self {
            metadata,
            service_type: template.service_type,
            external_traffic_policy: template.external_traffic_policy,
            address: asked(gateway),
            ports,
            asks_node_ports: template.service_type == ServiceType::NodePort,
        })
    }

    /// The pod port of each of the Gateway's listeners.
    pub(super) fn pod_ports(
        &self,
    ) -> impl Iterator<Item = ((NamespacedName, PortNumber), PortNumber)> {
        let gateway = self.metadata.gateway();
        self.ports.iter().map(move |(port, pod_port)| ((gateway.clone(), *port), *pod_port))
    }

    /// Is content with any port on the nodes from now on. Whether it was not before.
    pub(super) fn give_up_node_ports(&mut self) -> bool {
        mem::take(&mut self.asks_node_ports)
    }

    /// The Service there is, put right; or a new one.
    pub(in super::super) fn corrected(&self, live: Option<&Value>) -> Value {
        let Some(live) = live else { return self.fresh() };
        let mut service = live.clone();
        if self.metadata.owns(live) {
            self.metadata.correct(&mut service["metadata"]);
            self.correct(&mut service["spec"]);
        }
        service
    }

    fn fresh(&self) -> Value {
        let mut spec = json!({});
        self.correct(&mut spec);
        // Only at the beginning: it can never be changed.
        if let (ServiceType::ClusterIP, Some(address)) = (self.service_type, self.address) {
            spec["clusterIP"] = address.to_string().into();
        }
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self.metadata.fresh(),
            "spec": spec,
        })
    }

    fn correct(&self, spec: &mut Value) {
        let is_outside = self.service_type != ServiceType::ClusterIP;
        let live_ports = spec["ports"].take();
        let live_ports = live_ports.as_array().map_or(&[][..], Vec::as_slice);
        let port = |(port, pod_port)| self.port(port, pod_port, live_ports);
        spec["ports"] = self.ports.iter().copied().map(port).collect();
        spec["type"] = json!(self.service_type);
        let policy = is_outside.then(|| json!(self.external_traffic_policy));
        set(spec, "externalTrafficPolicy", policy);
        let address = self.address.filter(|_| self.service_type == ServiceType::LoadBalancer);
        set(spec, "loadBalancerIP", address.map(|address| address.to_string().into()));
        // With any other type it is refused.
        if self.service_type != ServiceType::LoadBalancer {
            set(spec, "loadBalancerSourceRanges", None);
        }
        set(spec, "selector", None);
    }

    /// A port, put right where there is one of this number.
    fn port(&self, port: PortNumber, pod_port: PortNumber, live: &[Value]) -> Value {
        let is_it = |live: &&Value| {
            live["port"] == port.get() && live["protocol"].as_str().unwrap_or("TCP") == "TCP"
        };
        let mut wanted = match live.iter().find(is_it) {
            Some(live) => live.clone(),
            None if self.asks_node_ports && NODE_PORTS.contains(&port.get()) => {
                json!({ "nodePort": port })
            }
            None => json!({}),
        };
        wanted["name"] = port_name(port).into();
        wanted["protocol"] = "TCP".into();
        wanted["port"] = json!(port);
        wanted["targetPort"] = json!(pod_port);
        if self.service_type == ServiceType::ClusterIP {
            set(&mut wanted, "nodePort", None);
        }
        wanted
    }
}

/// What ties a port of the Service to those of its EndpointSlices.
pub(super) fn port_name(port: PortNumber) -> String {
    format!("tcp-{port}")
}

fn set(object: &mut Value, field: &str, value: Option<Value>) {
    match value {
        Some(value) => object[field] = value,
        None => {
            if let Some(object) = object.as_object_mut() {
                object.remove(field);
            }
        }
    }
}

/// The one address that a Gateway asks for. A Service cannot be asked for several.
fn asked(gateway: &Gateway) -> Option<IpAddr> {
    let [address] = &gateway.spec.addresses[..] else { return None };
    let value =
        address.value.as_deref().filter(|_| address.address_type == GatewayAddressType::IpAddress);
    Some(value?.parse::<IpAddr>().ok()?.to_canonical())
}
