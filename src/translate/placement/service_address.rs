//! The addresses of a Service, by its type.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::model::{Hostname, PortNumber, Resources, Service, ServiceType};
use crate::plan::DialAddress;

/// The maximum number of node addresses to advertise: as many as a Gateway's status can hold.
const MAX_NODES: usize = 16;

/// An address of a Service, without a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServiceAddress {
    Ip(IpAddr),
    Name(Hostname),
}

impl ServiceAddress {
    /// Returns the addresses of a Service. Those of a NodePort Service are those of the `nodes`.
    pub(super) fn list(service: &Service, nodes: &[Self]) -> Vec<Self> {
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
            ServiceType::NodePort => nodes.to_vec(),
            ServiceType::ExternalName => Vec::new(),
        }
    }

    /// Returns the addresses of the ready nodes: external ones if any node has one, else internal
    /// ones.
    pub(super) fn list_nodes(resources: &Resources) -> Vec<Self> {
        let of_type = |address_type| -> BTreeSet<_> {
            let ready = resources.nodes.values().filter(|node| node.is_ready());
            ready.flat_map(|node| node.ips(address_type)).collect()
        };
        let external = of_type("ExternalIP");
        let addresses = if external.is_empty() { of_type("InternalIP") } else { external };
        addresses.into_iter().take(MAX_NODES).map(Self::Ip).collect()
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

impl fmt::Display for ServiceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}
