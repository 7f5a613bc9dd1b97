//! Where each backendRef leads: to endpoints, or to a rejection that keeps its weight.
//!
//! From the Service's port number to the port's name, from the name to the port of that name in
//! each EndpointSlice of the Service, from there to the addresses
//! ([backendRefs](https://gateway-api.sigs.k8s.io/reference/spec/#tcprouterule)).

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::grants;
use super::index::{Index, ServiceEntry};
use crate::model::{
    BackendRef, EndpointAddress, EndpointSlice, IpFamily, NamespacedName, PortNumber, Reason,
    Service, ServicePort, ServiceType, SliceEndpoint, TcpRoute, TransportProtocol,
};
use crate::plan::{BackendId, BackendPlan, RejectReason, RoutePlan, Target};

/// A route's plan, and what is to be said of its references.
#[derive(Debug)]
pub(super) struct ResolvedRoute {
    pub(super) plan: Arc<RoutePlan>,
    pub(super) references: References,
}

/// What is to be said of a route's references.
#[derive(Debug)]
pub(super) struct References {
    /// What is wrong with the first broken one, where one is.
    pub(super) broken: Option<Reason>,
    /// Why each backend that gets rejections instead of connections does.
    pub(super) message: Cow<'static, str>,
}

const RESOLVED: &str = "All references are resolved.";

/// Why connections to a backend are rejected, in one word and for people.
type Rejection = (RejectReason, String);

/// Resolves the references of a route that carries traffic.
pub(super) fn resolve(index: &Index<'_>, name: &NamespacedName, route: &TcpRoute) -> ResolvedRoute {
    let mut rejections = Vec::new();
    let plan_of = |backend: &BackendRef| {
        let target = target_of(backend, name);
        let resolved = resolve_backend(index, name, backend, &target);
        BackendPlan {
            backend: BackendId { name: target, port: backend.port },
            weight: backend.weight.get(),
            target: resolved.map_or_else(
                |rejection| {
                    let reason = rejection.0;
                    rejections.push(rejection);
                    Target::Reject(reason)
                },
                |endpoints| Target::Endpoints(endpoints.into()),
            ),
        }
    };
    let backends = backend_refs(route).iter().map(plan_of).collect();
    let plan = Arc::new(RoutePlan { route: name.clone(), backends });
    ResolvedRoute { plan, references: References::new(rejections) }
}

/// Looks at the references of a route that carries no traffic.
pub(super) fn check(index: &Index<'_>, name: &NamespacedName, route: &TcpRoute) -> References {
    let rejection = |backend: &BackendRef| {
        resolve_backend(index, name, backend, &target_of(backend, name)).err()
    };
    References::new(backend_refs(route).iter().filter_map(rejection).collect())
}

impl References {
    fn new(rejections: Vec<Rejection>) -> Self {
        if rejections.is_empty() {
            return Self { broken: None, message: RESOLVED.into() };
        }
        let broken = rejections.iter().find_map(|(reject, _)| reason_of(*reject));
        let said = broken.is_none().then(|| RESOLVED.to_owned());
        let remarks = rejections.into_iter().map(|(_, message)| message);
        let message = said.into_iter().chain(remarks).collect::<Vec<_>>().join(" ");
        Self { broken, message: message.into() }
    }
}

fn backend_refs(route: &TcpRoute) -> &[BackendRef] {
    route.rule().map_or(&[], |rule| &rule.backend_refs)
}

fn target_of(backend: &BackendRef, route: &NamespacedName) -> NamespacedName {
    NamespacedName {
        namespace: backend.namespace.clone().unwrap_or_else(|| route.namespace.clone()),
        name: backend.name.clone(),
    }
}

/// What is wrong with the reference; nothing where only its target cannot take connections.
fn reason_of(reject: RejectReason) -> Option<Reason> {
    match reject {
        RejectReason::BackendNotFound => Some(Reason::BACKEND_NOT_FOUND),
        RejectReason::RefNotPermitted => Some(Reason::REF_NOT_PERMITTED),
        RejectReason::InvalidKind => Some(Reason::INVALID_KIND),
        RejectReason::UnsupportedProtocol => Some(Reason::UNSUPPORTED_PROTOCOL),
        RejectReason::NoRoute | RejectReason::NoWeight | RejectReason::NoEndpoints => None,
    }
}

/// The endpoints of one reference; at least one.
fn resolve_backend(
    index: &Index<'_>,
    route: &NamespacedName,
    backend: &BackendRef,
    target: &NamespacedName,
) -> Result<Vec<SocketAddr>, Rejection> {
    // Before anything is said of the target: whether it exists is its namespace's own business.
    if !grants::allows(index, &route.namespace, backend, &target.namespace) {
        return Err((
            RejectReason::RefNotPermitted,
            format!(
                "No ReferenceGrant in namespace {} allows TCPRoutes of namespace {} to refer to {} {}.",
                target.namespace, route.namespace, backend.kind, target.name
            ),
        ));
    }
    if !backend.is_service() {
        let group = match backend.group.as_str() {
            "" => "the core group".to_owned(),
            group => format!("group {group}"),
        };
        return Err((
            RejectReason::InvalidKind,
            format!(
                "Backend {target} is a {} of {group}; only a Service of the core group can be a backend.",
                backend.kind
            ),
        ));
    }
    let Some(ServiceEntry { service, slices }) = index.service(target) else {
        return Err((RejectReason::BackendNotFound, format!("Service {target} does not exist.")));
    };
    if service.spec.service_type == ServiceType::ExternalName {
        return Err((
            RejectReason::BackendNotFound,
            format!("Service {target} is of type ExternalName, which is not forwarded to."),
        ));
    }
    let port = find_port(service, backend.port, target)?;
    let endpoints = endpoints(slices, port, service.spec.ip_families.first());
    if endpoints.is_empty() {
        return Err((
            RejectReason::NoEndpoints,
            format!("Service {target} has no ready endpoint for port {}.", port.port),
        ));
    }
    Ok(endpoints)
}

fn find_port<'a>(
    service: &'a Service,
    wanted: Option<PortNumber>,
    name: &NamespacedName,
) -> Result<&'a ServicePort, Rejection> {
    let Some(wanted) = wanted else {
        return Err((
            RejectReason::BackendNotFound,
            format!("The reference to Service {name} does not say which port is meant."),
        ));
    };
    let ports = || service.spec.ports.iter();
    if let Some(port) =
        ports().find(|port| port.port == wanted && port.protocol == TransportProtocol::Tcp)
    {
        return Ok(port);
    }
    if let Some(port) = ports().find(|port| port.port == wanted) {
        return Err((
            RejectReason::UnsupportedProtocol,
            format!("Port {wanted} of Service {name} speaks {}, not TCP.", port.protocol),
        ));
    }
    let known: Vec<_> = ports()
        .filter(|port| port.protocol == TransportProtocol::Tcp)
        .map(|port| port.port.to_string())
        .collect();
    let known = if known.is_empty() {
        "it has no TCP port".to_owned()
    } else {
        format!("its TCP ports: {}", known.join(", "))
    };
    Err((RejectReason::BackendNotFound, format!("Service {name} has no port {wanted}; {known}.")))
}

/// The addresses behind a Service port: the ready ones or, where none is ready, those that still
/// serve while they terminate.
fn endpoints(
    slices: &[&EndpointSlice],
    port: &ServicePort,
    preferred: Option<&IpFamily>,
) -> Vec<SocketAddr> {
    let (mut ready, mut terminating) = (Vec::new(), Vec::new());
    for slice in slices {
        let port_name = port.name.as_deref().unwrap_or_default();
        let ports = slice
            .ports
            .iter()
            .filter(|port| port.protocol == TransportProtocol::Tcp)
            .filter(|port| port.name.as_deref().unwrap_or_default() == port_name)
            .filter_map(|port| port.port);
        for port in ports {
            for endpoint in &slice.endpoints {
                let Some(EndpointAddress::Ip(ip)) = endpoint.addresses.first() else { continue };
                let address = SocketAddr::new(*ip, port.get());
                match readiness(endpoint) {
                    Readiness::Ready => ready.push(address),
                    Readiness::Terminating => terminating.push(address),
                    Readiness::Gone => {}
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

enum Readiness {
    Ready,
    Terminating,
    Gone,
}

fn readiness(endpoint: &SliceEndpoint) -> Readiness {
    let conditions = &endpoint.conditions;
    if conditions.ready.unwrap_or(true) {
        Readiness::Ready
    } else if conditions.serving == Some(true) && conditions.terminating == Some(true) {
        Readiness::Terminating
    } else {
        Readiness::Gone
    }
}

/// The pods of a dual-stack Service stand in a slice of each family. One family is enough to reach
/// them all: the one that the Service prefers, IPv4 where it does not say.
fn keep_one_family(addresses: &mut Vec<SocketAddr>, preferred: Option<&IpFamily>) {
    let is_preferred = |address: &SocketAddr| match address.ip() {
        IpAddr::V4(_) => preferred != Some(&IpFamily::IPv6),
        IpAddr::V6(_) => preferred == Some(&IpFamily::IPv6),
    };
    if addresses.iter().any(is_preferred) {
        addresses.retain(is_preferred);
    }
}
