//! The EndpointSlices of a Gateway's Service: the replicas of this gateway, at the Gateway's pod ports.

use serde_json::{Value, json};

use super::metadata::{MANAGED_BY, WantedMetadata};
use super::service::{WantedService, port_name};
use crate::model::{
    AddressType, EndpointSlice, NamespacedName, ObjectName, SERVICE_NAME_LABEL, SliceEndpoint,
};

/// The label that says who keeps an EndpointSlice.
const SLICE_MANAGED_BY_LABEL: &str = "endpointslice.kubernetes.io/managed-by";

/// The most endpoints that a slice holds.
const MAX_ENDPOINTS: usize = 1000;

/// What an EndpointSlice of a Gateway's Service should be, as far as it is ours.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct WantedSlice {
    metadata: WantedMetadata,
    address_type: AddressType,
    /// Nothing where no replica is known at all.
    endpoints: Option<Value>,
    ports: Value,
}

impl WantedSlice {
    /// The slices of a Service, one for each address family. `replicas` are those of the Service
    /// whose endpoints are the replicas of this gateway.
    pub(in super::super) fn of(service: &WantedService, replicas: &[&EndpointSlice]) -> [Self; 2] {
        let families = [AddressType::IPv4, AddressType::IPv6];
        let is_known = replicas
            .iter()
            .any(|slice| families.contains(&slice.address_type) && !slice.endpoints.is_empty());
        families.map(|family| {
            let mut slice = Self::new(service, family, replicas);
            // Whoever writes this is a replica: what says that there is none is not to be believed.
            slice.endpoints = slice.endpoints.filter(|_| is_known);
            slice
        })
    }

    fn new(
        service: &WantedService,
        address_type: AddressType,
        replicas: &[&EndpointSlice],
    ) -> Self {
        let mut metadata = service.metadata.clone();
        let service_name = metadata.name.name.to_string();
        metadata.name.name =
            ObjectName::new(format!("{service_name}-{address_type}").to_lowercase())
                .expect("the name of a Service is short");
        metadata.given_annotations.clear();
        metadata.labels.extend([
            (SERVICE_NAME_LABEL.to_owned(), service_name),
            (SLICE_MANAGED_BY_LABEL.to_owned(), MANAGED_BY.to_owned()),
        ]);
        let of_family = replicas.iter().filter(|slice| slice.address_type == address_type);
        let mut endpoints: Vec<&SliceEndpoint> =
            of_family.flat_map(|slice| &slice.endpoints).collect();
        // In one order, so that nothing is written when only the order has changed.
        let first = |endpoint: &&SliceEndpoint| endpoint.addresses.first().map(ToString::to_string);
        endpoints.sort_by_cached_key(first);
        endpoints.dedup_by_key(|endpoint| first(endpoint));
        endpoints.truncate(MAX_ENDPOINTS);
        let port = |(port, pod_port): &(_, _)| json!({ "name": port_name(*port), "port": pod_port, "protocol": "TCP" });
        Self {
            metadata,
            address_type,
            endpoints: Some(json!(endpoints)),
            ports: service.ports.iter().map(port).collect(),
        }
    }

    /// Its name.
    pub(in super::super) fn name(&self) -> &NamespacedName {
        &self.metadata.name
    }

    /// The slice there is, put right; or a new one, where there are endpoints for it.
    pub(in super::super) fn corrected(&self, live: Option<&Value>) -> Option<Value> {
        let Some(live) = live else {
            let endpoints = self.endpoints.as_ref().and_then(Value::as_array);
            let is_needed = endpoints.is_some_and(|all| !all.is_empty());
            return is_needed.then(|| self.fresh());
        };
        let mut slice = live.clone();
        if self.metadata.owns(live) {
            self.metadata.correct(&mut slice["metadata"]);
            if let Some(endpoints) = &self.endpoints {
                slice["endpoints"] = endpoints.clone();
            }
            slice["ports"] = self.ports.clone();
        }
        Some(slice)
    }

    fn fresh(&self) -> Value {
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": self.metadata.fresh(),
            "addressType": self.address_type,
            "endpoints": self.endpoints,
            "ports": self.ports,
        })
    }
}
