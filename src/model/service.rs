//! Service: the ports behind which endpoints stand.

use serde::{Deserialize, Serialize};

use super::meta::{Labels, ObjectMeta, null_as_default};
use super::scalar::PortNumber;
use super::service_port::ServicePort;
use super::validate::Violations;

/// A [Service](https://kubernetes.io/docs/concepts/services-networking/service/), as far as routing
/// reads it. As a backend that is its ports: connections go to the endpoints themselves. In front of
/// a Gateway, it is its addresses too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Name and namespace.
    pub metadata: ObjectMeta,
    /// Ports and selector.
    #[serde(default)]
    pub spec: ServiceSpec,
    /// What a load balancer has made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ServiceStatus>,
}

/// The ports of a Service, and the pods behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// What kind of Service it is.
    #[serde(default, rename = "type", deserialize_with = "null_as_default")]
    pub service_type: ServiceType,
    /// The ports; an ExternalName Service may have none.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ServicePort>,
    /// Labels of the pods behind it. Without one, EndpointSlices are made by hand.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Labels::is_empty"
    )]
    pub selector: Labels,
    /// Address families, the preferred one first.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub ip_families: Vec<IpFamily>,
    /// Addresses within the cluster; `None` as the only one where it shall have none.
    #[serde(
        default,
        rename = "clusterIPs",
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub cluster_ips: Vec<String>,
}

/// What a load balancer has made of a Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// The load balancer.
    #[serde(default, deserialize_with = "null_as_default")]
    pub load_balancer: LoadBalancerStatus,
}

/// What a load balancer has given a Service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerStatus {
    /// Where clients dial it.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub ingress: Vec<LoadBalancerIngress>,
}

/// Where clients dial a load balancer: an address, or a name that leads to one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerIngress {
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

/// Which nodes take a Service's connections from outside: all, or those with an endpoint, which
/// then see the client's address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes froze this set")]
#[expect(missing_docs, reason = "Kubernetes' own words")]
pub enum ExternalTrafficPolicy {
    #[default]
    Cluster,
    Local,
}

/// What kind of Service it is. For a backend only ExternalName matters: it has no endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "Kubernetes froze this set")]
#[expect(missing_docs, reason = "Kubernetes' own words")]
pub enum ServiceType {
    #[default]
    ClusterIP,
    NodePort,
    LoadBalancer,
    ExternalName,
}

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
#[expect(missing_docs, reason = "Kubernetes' own words")]
pub enum IpFamily {
    IPv4,
    IPv6,
}

impl Service {
    /// A Service with one TCP port and no selector: its endpoints are given by hand.
    pub fn new(metadata: ObjectMeta, port: PortNumber) -> Self {
        let spec = ServiceSpec { ports: vec![ServicePort::tcp(port)], ..ServiceSpec::default() };
        Self { metadata, spec, status: None }
    }

    pub(crate) fn validate(&self, violations: &mut Violations) {
        violations.metadata(&self.metadata);
        if self.spec.ports.is_empty() && self.spec.service_type != ServiceType::ExternalName {
            violations.add("spec.ports", "has no entries; at least one port is needed");
        }
        let ports = &self.spec.ports;
        for (index, port) in ports.iter().enumerate() {
            if ports.len() > 1 && port.name.as_deref().unwrap_or_default().is_empty() {
                violations.add(
                    format!("spec.ports[{index}].name"),
                    "is missing; ports need a name where there are several",
                );
            }
            let same =
                |other: &ServicePort| (other.port, other.protocol) == (port.port, port.protocol);
            if ports[..index].iter().any(same) {
                violations.add(
                    format!("spec.ports[{index}]"),
                    format!("repeats port {} {}; each may be given once", port.port, port.protocol),
                );
            }
            if port.name.is_some() && ports[..index].iter().any(|other| other.name == port.name) {
                violations.add(
                    format!("spec.ports[{index}].name"),
                    "is the name of an earlier port; names must be unique",
                );
            }
        }
    }
}
