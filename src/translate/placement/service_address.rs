//! The addresses of a Service, by its type.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::model::{
    EndpointConditions, ExternalTrafficPolicy, Hostname, IpFamily, NamespacedName, PortNumber,
    Service, ServiceType, SliceEndpoint,
};
use crate::plan::DialAddress;
use crate::translate::index::Index;

/// The maximum number of node addresses to advertise: as many as a Gateway's status can hold.
const MAX_NODES: usize = 16;

/// An address of a Service, without a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServiceAddress {
    Ip(IpAddr),
    Name(Hostname),
}

impl ServiceAddress {
    /// Returns the addresses of a Service.
    pub(super) fn list(index: &Index<'_>, name: &NamespacedName, service: &Service) -> Vec<Self> {
        match service.spec.service_type {
            ServiceType::LoadBalancer => {
                let ingress =
                    service.status.iter().flat_map(|status| &status.load_balancer.ingress);
                ingress
                    .filter_map(|ingress| match (&ingress.ip, &ingress.hostname) {
                        (Some(ip), _) if !ip.is_empty() => Self::parse_ip(ip),
                        (_, Some(name)) => name.parse().ok().map(Self::Name),
                        (_, None) => None,
                    })
                    .collect()
            }
            // In a headless Service this is the text `None`, which is not an address and is left
            // out.
            ServiceType::ClusterIP => {
                service.spec.cluster_ips.iter().filter_map(|ip| Self::parse_ip(ip)).collect()
            }
            ServiceType::NodePort => list_nodes(index, name, service),
            ServiceType::ExternalName => Vec::new(),
        }
    }

    fn parse_ip(text: &str) -> Option<Self> {
        text.parse().ok().map(|ip: IpAddr| Self::Ip(ip.to_canonical()))
    }

    pub(super) fn with_port(&self, port: PortNumber) -> DialAddress {
        match self {
            Self::Ip(ip) => DialAddress::Ip(SocketAddr::new(*ip, port.get())),
            Self::Name(name) => DialAddress::Name(name.clone(), port),
        }
    }
}

/// Returns the addresses of the nodes that accept the connections to a NodePort Service: external
/// ones if any such node has one, else internal ones.
///
/// They are sorted, so that the order depends neither on names nor on the order of events. If a
/// status cannot hold all of them, those of the first family of the Service come first.
fn list_nodes(index: &Index<'_>, name: &NamespacedName, service: &Service) -> Vec<ServiceAddress> {
    let families = &service.spec.ip_families;
    let rank = |ip: &IpAddr| {
        let family = if ip.is_ipv4() { IpFamily::IPv4 } else { IpFamily::IPv6 };
        families.iter().position(|of_service| *of_service == family)
    };
    let serving = match service.spec.external_traffic_policy {
        ExternalTrafficPolicy::Cluster => None,
        ExternalTrafficPolicy::Local => Some(list_serving_nodes(index, name)),
    };
    let nodes: Vec<_> = index
        .resources
        .nodes
        .values()
        .filter(|node| node.is_ready() && !node.is_excluded_from_load_balancers())
        .filter(|node| {
            serving.as_ref().is_none_or(|names| names.contains(node.metadata.name.as_str()))
        })
        .collect();
    let of_type = |address_type| -> BTreeSet<_> {
        let ips = nodes.iter().flat_map(|node| node.ips(address_type));
        let in_families = ips.filter(|ip| families.is_empty() || rank(ip).is_some());
        in_families.map(|ip| (rank(&ip), ip)).collect()
    };
    let external = of_type("ExternalIP");
    let addresses = if external.is_empty() { of_type("InternalIP") } else { external };
    addresses.into_iter().take(MAX_NODES).map(|(_, ip)| ServiceAddress::Ip(ip)).collect()
}

/// Returns the names of the nodes with a serving endpoint of the Service. With the policy `Local`,
/// other nodes drop connections. Endpoints that terminate count while they serve, as for
/// kube-proxy.
fn list_serving_nodes<'a>(index: &Index<'a>, name: &NamespacedName) -> BTreeSet<&'a str> {
    let slices = index.service(name).map_or(&[][..], |entry| &entry.slices);
    let endpoints = slices.iter().flat_map(|slice| &slice.endpoints);
    let is_serving = |endpoint: &&SliceEndpoint| {
        let EndpointConditions { ready, serving, .. } = endpoint.conditions;
        serving.or(ready).unwrap_or(true)
    };
    endpoints.filter(is_serving).filter_map(|endpoint| endpoint.node_name.as_deref()).collect()
}

impl fmt::Display for ServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}
