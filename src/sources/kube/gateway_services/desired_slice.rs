//! The EndpointSlices of a Gateway's Service: this gateway's replicas, at the Gateway's pod ports.

use serde_json::{Value, json};

use super::desired_service::{DesiredService, port_name};
use super::owned_metadata::{MANAGED_BY, OwnedMetadata};
use crate::model::{
    AddressType, EndpointSlice, NamespacedName, ObjectName, PortNumber, SERVICE_NAME_LABEL,
    SliceEndpoint,
};

/// The label with the name of the program that manages an EndpointSlice.
const SLICE_MANAGED_BY_LABEL: &str = "endpointslice.kubernetes.io/managed-by";

/// The limit of Kubernetes for the endpoints of a slice.
const MAX_ENDPOINTS: usize = 1000;

/// The owned part of an EndpointSlice of a Gateway's Service.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sources::kube) struct DesiredSlice {
    metadata: OwnedMetadata,
    address_type: AddressType,
    /// `None` if no replica is known.
    endpoints: Option<Value>,
    ports: Value,
}

impl DesiredSlice {
    /// Creates the slices of a Service, one for each address family. `replicas` are the slices of
    /// the Service whose endpoints are the replicas of this gateway.
    pub(super) fn of(service: &DesiredService, replicas: &[&EndpointSlice]) -> [Self; 2] {
        let families = [AddressType::IPv4, AddressType::IPv6];
        let is_known = replicas
            .iter()
            .any(|slice| families.contains(&slice.address_type) && !slice.endpoints.is_empty());
        families.map(|family| {
            let mut slice = Self::new(service, family, replicas);
            // This process is a replica itself, so an empty list of replicas is outdated.
            slice.endpoints = slice.endpoints.filter(|_| is_known);
            slice
        })
    }

    fn new(
        service: &DesiredService,
        address_type: AddressType,
        replicas: &[&EndpointSlice],
    ) -> Self {
        let mut metadata = service.metadata.clone();
        let service_name = metadata.name.name.to_string();
        metadata.name.name =
            ObjectName::new(format!("{service_name}-{address_type}").to_lowercase())
                .expect("the name of a Service is at most 63 characters");
        metadata.copied_annotations.clear();
        metadata.labels.extend([
            (SERVICE_NAME_LABEL.to_owned(), service_name),
            (SLICE_MANAGED_BY_LABEL.to_owned(), MANAGED_BY.to_owned()),
        ]);
        let of_family = replicas.iter().filter(|slice| slice.address_type == address_type);
        let mut endpoints: Vec<&SliceEndpoint> =
            of_family.flat_map(|slice| &slice.endpoints).collect();
        // Sorted, so that another order of the same endpoints causes no write.
        let first = |endpoint: &&SliceEndpoint| endpoint.addresses.first().map(ToString::to_string);
        endpoints.sort_by_cached_key(first);
        endpoints.dedup_by_key(|endpoint| first(endpoint));
        endpoints.truncate(MAX_ENDPOINTS);
        let port = |(port, pod_port): (&PortNumber, &PortNumber)| json!({ "name": port_name(*port), "port": pod_port, "protocol": "TCP" });
        Self {
            metadata,
            address_type,
            endpoints: Some(json!(endpoints)),
            ports: service.ports.iter().map(port).collect(),
        }
    }

    pub(super) fn name(&self) -> &NamespacedName {
        &self.metadata.name
    }

    /// Returns the live slice with the owned fields set, or a new slice. Returns `None` if there is
    /// no live slice, and no endpoint for a new one.
    pub(super) fn apply_to(&self, live: Option<&Value>) -> Option<Value> {
        let Some(live) = live else {
            let endpoints = self.endpoints.as_ref().and_then(Value::as_array);
            let is_needed = endpoints.is_some_and(|all| !all.is_empty());
            return is_needed.then(|| self.new_object());
        };
        let mut slice = live.clone();
        if self.metadata.owns(live) {
            self.metadata.apply_to(&mut slice["metadata"]);
            if let Some(endpoints) = &self.endpoints {
                slice["endpoints"] = endpoints.clone();
            }
            slice["ports"] = self.ports.clone();
        }
        Some(slice)
    }

    fn new_object(&self) -> Value {
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": self.metadata.new_metadata(),
            "addressType": self.address_type,
            "endpoints": self.endpoints,
            "ports": self.ports,
        })
    }
}
