//! The endpoints behind a port of a Service.

use std::net::{IpAddr, SocketAddr};

use crate::model::{
    EndpointAddress, EndpointPort, EndpointSlice, IpFamily, ServicePort, SliceEndpoint,
    TransportProtocol,
};

/// Returns the addresses behind a Service port, sorted and without duplicates: those of the ready
/// endpoints or, if none is ready, of those that terminate but still serve.
pub(super) fn list(
    slices: &[&EndpointSlice],
    port: &ServicePort,
    preferred: Option<&IpFamily>,
) -> Vec<SocketAddr> {
    let (mut ready, mut terminating) = (Vec::new(), Vec::new());
    for slice in slices {
        let ports = slice
            .ports
            .iter()
            .filter(|port| port.protocol == TransportProtocol::Tcp)
            .filter(|found| matches_name(found, port))
            .filter_map(|port| port.port);
        for port in ports {
            for endpoint in &slice.endpoints {
                let Some(EndpointAddress::Ip(ip)) = endpoint.addresses.first() else { continue };
                let address = SocketAddr::new(*ip, port.get());
                match classify(endpoint) {
                    Readiness::Ready => ready.push(address),
                    Readiness::Terminating => terminating.push(address),
                    Readiness::NotReady => {}
                }
            }
        }
    }
    let mut usable = if ready.is_empty() { terminating } else { ready };
    keep_one_family(&mut usable, preferred);
    usable.sort_unstable();
    usable.dedup();
    usable
}

/// Returns `true` if a port of a slice has the name of the Service port. An absent name is an empty
/// one.
pub(super) fn matches_name(found: &EndpointPort, port: &ServicePort) -> bool {
    found.name.as_deref().unwrap_or_default() == port.name.as_deref().unwrap_or_default()
}

enum Readiness {
    Ready,
    /// The endpoint terminates, but still serves.
    Terminating,
    NotReady,
}

fn classify(endpoint: &SliceEndpoint) -> Readiness {
    let conditions = &endpoint.conditions;
    if conditions.ready.unwrap_or(true) {
        Readiness::Ready
    } else if conditions.serving == Some(true) && conditions.terminating == Some(true) {
        Readiness::Terminating
    } else {
        Readiness::NotReady
    }
}

/// Keeps the addresses of one family. The pods of a dual-stack Service have a slice for each
/// family, and one family reaches all of them: the first of the Service's `ipFamilies`, or IPv4.
fn keep_one_family(addresses: &mut Vec<SocketAddr>, preferred: Option<&IpFamily>) {
    let is_preferred = |address: &SocketAddr| match address.ip() {
        IpAddr::V4(_) => preferred != Some(&IpFamily::IPv6),
        IpAddr::V6(_) => preferred == Some(&IpFamily::IPv6),
    };
    if addresses.iter().any(is_preferred) {
        addresses.retain(is_preferred);
    }
}
