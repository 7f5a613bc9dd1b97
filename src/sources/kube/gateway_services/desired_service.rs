//! The Service of a Gateway.

use std::collections::BTreeMap;
use std::mem;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::service_metadata::ServiceMetadata;
use super::template::ServiceTemplate;
use crate::model::{
    ExternalTrafficPolicy, Gateway, GatewayController, Labels, NamespacedName, PortNumber,
    ServiceRequest, ServiceType,
};

/// The default range of node ports.
const NODE_PORTS: RangeInclusive<u16> = 30_000..=32_767;

/// The owned part of the Service of a Gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources::kube) struct DesiredService {
    gateway: NamespacedName,
    pub(super) metadata: ServiceMetadata,
    service_type: ServiceType,
    external_traffic_policy: ExternalTrafficPolicy,
    /// The address to request.
    address: Option<IpAddr>,
    /// The pod port of each listener port.
    ports: BTreeMap<PortNumber, PortNumber>,
    /// The labels of the replicas of this gateway.
    selector: Labels,
    /// A new port requests the node port of the same number, if that is in the range of node ports.
    requests_node_ports: bool,
}

impl DesiredService {
    /// Creates the Service of a Gateway.
    ///
    /// Returns `None` if there are no ports, or if the Gateway is not an object of the cluster.
    pub(super) fn new(
        gateway: &Gateway,
        request: ServiceRequest,
        template: &ServiceTemplate,
        controller: &GatewayController,
    ) -> Option<Self> {
        let mut metadata = ServiceMetadata::new(gateway, template.namespace.clone(), controller)?;
        if let Some(infrastructure) = &gateway.spec.infrastructure {
            metadata.copied_annotations = infrastructure.annotations.clone();
            metadata.copied_labels = infrastructure.labels.clone();
        }
        // Annotations of the operator take precedence: they may select an internal load balancer,
        // which the author of a Gateway must not change.
        metadata.copied_annotations.extend(template.annotations.clone());
        let ServiceRequest { pod_ports: ports, address } = request;
        (!ports.is_empty()).then_some(Self {
            gateway: gateway.metadata.namespaced_name(),
            metadata,
            service_type: template.service_type,
            external_traffic_policy: template.external_traffic_policy,
            address,
            ports,
            selector: template.selector.clone(),
            requests_node_ports: template.service_type == ServiceType::NodePort,
        })
    }

    /// Returns the Gateway that the Service belongs to.
    pub(in crate::sources::kube) fn gateway(&self) -> &NamespacedName {
        &self.gateway
    }

    /// Stops requesting node ports, so that the API server assigns them. Returns `true` if any were
    /// requested.
    pub(in crate::sources::kube) fn drop_node_port_requests(&mut self) -> bool {
        mem::take(&mut self.requests_node_ports)
    }

    /// Returns `true` if this Service, the previous version of `next`, no longer requests node
    /// ports.
    pub(super) fn has_dropped_node_ports(&self, next: &Self) -> bool {
        self.metadata.is_of_same_gateway(&next.metadata) && !self.requests_node_ports
    }

    /// Returns the live Service with the owned fields set, or a new Service.
    pub(in crate::sources::kube) fn apply_to(&self, live: Option<&Value>) -> Value {
        let Some(live) = live else { return self.new_object() };
        let mut service = live.clone();
        if self.metadata.owns(live) {
            self.metadata.apply_to(&mut service["metadata"]);
            self.apply_to_spec(&mut service["spec"]);
        }
        service
    }

    fn new_object(&self) -> Value {
        let mut spec = json!({});
        self.apply_to_spec(&mut spec);
        // `clusterIP` is immutable, so it is set only at creation.
        if let (ServiceType::ClusterIP, Some(address)) = (self.service_type, self.address) {
            spec["clusterIP"] = address.to_string().into();
        }
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self.metadata.new_metadata(),
            "spec": spec,
        })
    }

    fn apply_to_spec(&self, spec: &mut Value) {
        let is_external = self.service_type != ServiceType::ClusterIP;
        let live_ports = spec["ports"].take();
        let live_ports = live_ports.as_array().map_or(&[][..], Vec::as_slice);
        let ports = self.ports.iter();
        spec["ports"] =
            ports.map(|(port, pod_port)| self.build_port(*port, *pod_port, live_ports)).collect();
        spec["type"] = json!(self.service_type);
        let policy = is_external.then(|| json!(self.external_traffic_policy));
        set(spec, "externalTrafficPolicy", policy);
        let address = self.address.filter(|_| self.service_type == ServiceType::LoadBalancer);
        set(spec, "loadBalancerIP", address.map(|address| address.to_string().into()));
        // The API server rejects this field in a Service of another type.
        if self.service_type != ServiceType::LoadBalancer {
            set(spec, "loadBalancerSourceRanges", None);
        }
        spec["selector"] = json!(self.selector);
    }

    /// Returns the live port of this number with the owned fields set, or a new port.
    fn build_port(&self, port: PortNumber, pod_port: PortNumber, live: &[Value]) -> Value {
        let is_same = |live: &&Value| {
            live["port"] == port.get() && live["protocol"].as_str().unwrap_or("TCP") == "TCP"
        };
        let mut desired = match live.iter().find(is_same) {
            Some(live) => live.clone(),
            None if self.requests_node_ports && NODE_PORTS.contains(&port.get()) => {
                json!({ "nodePort": port })
            }
            None => json!({}),
        };
        desired["name"] = port_name(port).into();
        desired["protocol"] = "TCP".into();
        desired["port"] = json!(port);
        desired["targetPort"] = json!(pod_port);
        if self.service_type == ServiceType::ClusterIP {
            set(&mut desired, "nodePort", None);
        }
        desired
    }
}

/// Returns the name of a port of the Service.
fn port_name(port: PortNumber) -> String {
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
