//! Reasons why a port of a Service has no endpoint to dial.

use std::fmt;

use super::endpoints::matches_name;
use super::enumerate::list;
use super::index::ServiceEntry;
use crate::model::{
    EndpointAddress, EndpointPort, EndpointSlice, NamespacedName, SERVICE_NAME_LABEL, ServicePort,
    SliceEndpoint, TransportProtocol,
};

/// Reason why a port of a Service has no endpoint to dial.
#[derive(Debug)]
pub(super) enum NoEndpoints {
    /// The Service has no EndpointSlice.
    NoSlice(NamespacedName),
    /// The Service has a selector and no EndpointSlice. In a cluster, Kubernetes makes one, also if
    /// the selector matches no pod.
    NoSliceOfSelector(NamespacedName),
    /// The endpoints are in a legacy Endpoints object.
    LegacyEndpoints(NamespacedName),
    /// The slices contain no endpoint.
    Empty,
    /// The slices with endpoints have no ports.
    NoPorts,
    /// The ports of the slices have other names than the port of the Service.
    PortName { service: String, slices: Vec<String> },
    /// The port of the slices is not a TCP port.
    NotTcp(TransportProtocol),
    /// The port of the slices has no number.
    NoPortNumber,
    /// All addresses are host names.
    Hostnames,
    /// All endpoints are terminating, and none of them serves.
    Terminating,
    /// No endpoint is ready. The number of endpoints is left out, because each of its changes would
    /// cause a write of the status.
    NotReady,
}

impl NoEndpoints {
    /// Returns `true` if the Service has no EndpointSlice.
    pub(super) fn is_without_slice(&self) -> bool {
        matches!(self, Self::NoSlice(_) | Self::NoSliceOfSelector(_))
    }
}

/// Explains why `endpoints::list` returns nothing for `port` of a Service.
pub(super) fn explain(
    name: &NamespacedName,
    ServiceEntry { service, slices, has_legacy_endpoints }: &ServiceEntry<'_>,
    port: &ServicePort,
) -> NoEndpoints {
    if slices.is_empty() {
        return match has_legacy_endpoints {
            true => NoEndpoints::LegacyEndpoints(name.clone()),
            false if !service.spec.selector.is_empty() => {
                NoEndpoints::NoSliceOfSelector(name.clone())
            }
            false => NoEndpoints::NoSlice(name.clone()),
        };
    }
    // Kubernetes creates a slice without ports and endpoints for a Service that selects no pod.
    let filled: Vec<_> = slices.iter().filter(|slice| !slice.endpoints.is_empty()).collect();
    if filled.is_empty() {
        return NoEndpoints::Empty;
    }
    let ports = || filled.iter().flat_map(|slice| &slice.ports);
    if ports().next().is_none() {
        return NoEndpoints::NoPorts;
    }
    let named: Vec<_> = ports().filter(|found| matches_name(found, port)).collect();
    if named.is_empty() {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        let mut names: Vec<_> = ports().map(|port| name(&port.name)).collect();
        names.sort_unstable();
        names.dedup();
        return NoEndpoints::PortName { service: name(&port.name), slices: names };
    }
    let is_tcp = |port: &&&EndpointPort| port.protocol == TransportProtocol::Tcp;
    if named.iter().filter(is_tcp).count() == 0 {
        return NoEndpoints::NotTcp(named[0].protocol);
    }
    if named.iter().filter(is_tcp).all(|port| port.port.is_none()) {
        return NoEndpoints::NoPortNumber;
    }
    explain_endpoints(filled.iter().filter(|slice| {
        slice
            .ports
            .iter()
            .any(|found| matches_name(found, port) && is_tcp(&&found) && found.port.is_some())
    }))
}

/// Explains why no endpoint of the slices can be used, although their port can be dialled.
fn explain_endpoints<'a>(slices: impl Iterator<Item = &'a &'a &'a EndpointSlice>) -> NoEndpoints {
    let has_ip = |endpoint: &&SliceEndpoint| {
        matches!(endpoint.addresses.first(), Some(EndpointAddress::Ip(_)))
    };
    let endpoints = slices.flat_map(|slice| &slice.endpoints);
    let endpoints: Vec<_> = endpoints.filter(has_ip).collect();
    let is_terminating = |endpoint: &&SliceEndpoint| endpoint.conditions.terminating == Some(true);
    match endpoints.len() {
        0 => NoEndpoints::Hostnames,
        _ if endpoints.iter().all(is_terminating) => NoEndpoints::Terminating,
        _ => NoEndpoints::NotReady,
    }
}

impl fmt::Display for NoEndpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSlice(NamespacedName { namespace, name }) => write!(
                f,
                "namespace {namespace} has no EndpointSlice with the label {SERVICE_NAME_LABEL}: {name}; create one"
            ),
            Self::NoSliceOfSelector(service) => write!(
                f,
                "no EndpointSlice for Service {service}; without a cluster none is made for its selector, so create one with the label {SERVICE_NAME_LABEL}: {}",
                service.name
            ),
            Self::LegacyEndpoints(NamespacedName { name, .. }) => write!(
                f,
                "its Endpoints object is not read; create an EndpointSlice with the label {SERVICE_NAME_LABEL}: {name} instead"
            ),
            Self::Empty => f.write_str(
                "its EndpointSlices contain no endpoints; add some, or correct the selector of the Service",
            ),
            Self::NoPorts => f.write_str(
                "its EndpointSlices with endpoints have no ports; add the port to `ports`",
            ),
            Self::PortName { service, slices } => {
                let slices = list(slices.iter().map(|name| format!("{name:?}")));
                write!(
                    f,
                    "the port is named {service:?} in the Service, but {slices} in its EndpointSlices; use the same name"
                )
            }
            Self::NotTcp(protocol) => write!(
                f,
                "the port has protocol {protocol} in its EndpointSlices; use TCP"
            ),
            Self::NoPortNumber => {
                f.write_str("the port has no number in its EndpointSlices; set `port`")
            }
            Self::Hostnames => f.write_str(
                "its EndpointSlices contain only host names, which are not resolved; use IP addresses",
            ),
            Self::Terminating => {
                f.write_str("all endpoints are terminating; wait for their replacements")
            }
            Self::NotReady => f.write_str(
                "none of its endpoints is ready; check `conditions.ready` in its EndpointSlices, and the readiness of the pods",
            ),
        }
    }
}
