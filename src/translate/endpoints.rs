//! The endpoints behind a port of a Service.

use std::net::{IpAddr, SocketAddr};

use crate::model::{
    EndpointAddress, EndpointPort, EndpointSlice, IpFamily, ServicePort, SliceEndpoint,
    TransportProtocol,
};
use crate::plan::Endpoint;

/// Returns the endpoints behind a Service port: those that are ready or, if none is ready, those
/// that terminate but still serve.
pub(super) fn list(
    slices: &[&EndpointSlice],
    port: &ServicePort,
    preferred: Option<&IpFamily>,
) -> Vec<Endpoint> {
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
                let list = match classify(endpoint) {
                    Readiness::Ready => &mut ready,
                    Readiness::Terminating => &mut terminating,
                    Readiness::NotReady => continue,
                };
                let address = SocketAddr::new(*ip, port.get());
                list.push(Endpoint::new(address).with_zone(endpoint.zone.clone()));
            }
        }
    }
    let mut usable = if ready.is_empty() { terminating } else { ready };
    keep_one_family(&mut usable, preferred);
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

/// Keeps the endpoints of one family. The pods of a dual-stack Service have a slice for each
/// family, and one family reaches all of them: the first of the Service's `ipFamilies`, or IPv4.
fn keep_one_family(endpoints: &mut Vec<Endpoint>, preferred: Option<&IpFamily>) {
    let is_preferred = |endpoint: &Endpoint| match endpoint.address.ip() {
        IpAddr::V4(_) => preferred != Some(&IpFamily::IPv6),
        IpAddr::V6(_) => preferred == Some(&IpFamily::IPv6),
    };
    if endpoints.iter().any(is_preferred) {
        endpoints.retain(is_preferred);
    }
}
