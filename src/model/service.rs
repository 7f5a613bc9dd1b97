//! Service: ports of a backend, and addresses of a Gateway.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::deserialize::{
    empty_as_default, labels, null_as_default, valid_entries, valid_or_default,
};
use super::labels::Labels;
use super::meta::ObjectMeta;
use super::scalar::PortNumber;
use super::service_port::ServicePort;
use super::validate::Violations;

/// A [Service](https://kubernetes.io/docs/concepts/services-networking/service/), as far as routing
/// uses it.
///
/// Of a Service that is a backend, only the ports are used: connections go directly to the
/// endpoints. Of a Service in front of a Gateway, the addresses are used too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Name and namespace.
    pub metadata: ObjectMeta,
    /// The desired state.
    #[serde(default, deserialize_with = "null_as_default")]
    pub spec: ServiceSpec,
    /// The status, with the addresses of a load balancer.
    #[serde(
        default,
        deserialize_with = "valid_or_default",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<ServiceStatus>,
}

/// Desired state of a Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// Type of the Service.
    #[serde(default, rename = "type", deserialize_with = "empty_as_default")]
    pub service_type: ServiceType,
    /// The ports; a headless or ExternalName Service may have none.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ServicePort>,
    /// Labels of the pods. Without a selector, Kubernetes creates no EndpointSlices.
    #[serde(default, deserialize_with = "labels", skip_serializing_if = "Labels::is_empty")]
    pub selector: Labels,
    /// Choice of the endpoint for several connections of a client; not supported, only reported.
    #[serde(default, deserialize_with = "empty_as_default", skip_serializing_if = "is_default")]
    pub session_affinity: SessionAffinity,
    /// Nodes that accept the connections of clients from outside the cluster.
    #[serde(default, deserialize_with = "empty_as_default", skip_serializing_if = "is_cluster")]
    pub external_traffic_policy: ExternalTrafficPolicy,
    /// Address families, the preferred one first.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub ip_families: Vec<IpFamily>,
    /// The first cluster IP address, or `None` for a headless Service. An API server sets this
    /// field and `cluster_ips`; a manifest may contain one of them.
    #[serde(default, rename = "clusterIP", skip_serializing_if = "Option::is_none")]
    pub cluster_ip: Option<String>,
    /// Cluster IP addresses; the single text `None` for a headless Service.
    #[serde(
        default,
        rename = "clusterIPs",
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub cluster_ips: Vec<String>,
}

/// Status of a Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Status of the load balancer.
    #[serde(default, deserialize_with = "valid_or_default")]
    pub load_balancer: LoadBalancerStatus,
}

/// Status of the load balancer of a Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerStatus {
    /// The addresses at which clients dial the load balancer.
    #[serde(default, deserialize_with = "valid_entries", skip_serializing_if = "Vec::is_empty")]
    pub ingress: Vec<LoadBalancerIngress>,
}

/// Address at which clients dial a load balancer: an IP address or a hostname.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerIngress {
    /// IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Hostname.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

/// Nodes that accept the connections to a Service from outside the cluster: all nodes (`Cluster`),
/// or those with an endpoint (`Local`). With `Local`, endpoints see the address of the client.
///
/// Specification: [external traffic policy][spec].
///
/// [spec]: https://kubernetes.io/docs/reference/networking/virtual-ips/#external-traffic-policy
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes does not extend this set")]
#[expect(missing_docs, reason = "the values of Kubernetes")]
pub enum ExternalTrafficPolicy {
    #[default]
    Cluster,
    Local,
}

/// Type of a Service. As a backend, a Service of type ExternalName has no endpoints; the other
/// types are treated the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes does not extend this set")]
#[expect(missing_docs, reason = "the values of Kubernetes")]
pub enum ServiceType {
    #[default]
    ClusterIP,
    NodePort,
    LoadBalancer,
    ExternalName,
}

/// Choice of the endpoint for several connections of a client.
///
/// Specification: [session affinity][spec].
///
/// [spec]: https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes does not extend this set")]
pub enum SessionAffinity {
    /// Any endpoint.
    #[default]
    None,
    /// The same endpoint for all connections from one IP address.
    ClientIP,
}

/// Address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
#[expect(missing_docs, reason = "the values of Kubernetes")]
pub enum IpFamily {
    IPv4,
    IPv6,
}

fn is_cluster(policy: &ExternalTrafficPolicy) -> bool {
    *policy == ExternalTrafficPolicy::default()
}

fn is_default(affinity: &SessionAffinity) -> bool {
    *affinity == SessionAffinity::default()
}

impl Service {
    /// Creates a Service with one TCP port and no selector.
    pub fn new(metadata: ObjectMeta, port: PortNumber) -> Self {
        let spec = ServiceSpec { ports: vec![ServicePort::tcp(port)], ..ServiceSpec::default() };
        Self { metadata, spec, status: None }
    }

    /// Returns `true` for a headless Service, which has no cluster IP address.
    pub fn is_headless(&self) -> bool {
        let first = self.spec.cluster_ips.first().or(self.spec.cluster_ip.as_ref());
        first.is_some_and(|ip| ip == "None")
    }

    pub(crate) fn validate(&self, violations: &mut Violations) {
        // Before Kubernetes 1.36, the name must also begin with a letter.
        violations.check_metadata_with_label_name(&self.metadata);
        if self.spec.ports.is_empty()
            && self.spec.service_type != ServiceType::ExternalName
            && !self.is_headless()
        {
            violations.add_required(
                "spec.ports",
                "has no entries; a Service requires at least one port, unless its clusterIP is None",
            );
        }
        let ports = &self.spec.ports;
        let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for (index, port) in ports.iter().enumerate() {
            if ports.len() > 1 && port.name.as_deref().unwrap_or_default().is_empty() {
                violations.add_required(
                    format!("spec.ports[{index}].name"),
                    "is missing; each of several ports must have a name",
                );
            }
            if !numbers.insert((port.port, port.protocol)) {
                violations.add_duplicate(
                    format!("spec.ports[{index}]"),
                    format!(
                        "repeats port {} {}; the combination of port and protocol must be unique",
                        port.port, port.protocol
                    ),
                );
            }
            if port.name.as_ref().is_some_and(|name| !names.insert(name)) {
                violations.add_duplicate(
                    format!("spec.ports[{index}].name"),
                    "is the name of an earlier port; names must be unique",
                );
            }
        }
    }
}
