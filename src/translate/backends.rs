//! The target of each backendRef: endpoints, or a rejection that keeps the weight.
//!
//! A [backendRef](https://gateway-api.sigs.k8s.io/reference/spec/#tcprouterule) contains the number
//! of a Service port. The name of that Service port selects the port of the same name in each
//! EndpointSlice of the Service. The endpoints are the addresses of the slice with that port.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use super::backend_error::BackendError;
use super::endpoints;
use super::grants;
use super::holder::Holder;
use super::index::{Index, ServiceEntry};
use super::no_endpoints::explain;
use super::own_sockets::{OwnSockets, SocketOwner};
use crate::model::{
    BackendRef, NamespacedName, PortNumber, Service, ServicePort, ServiceType, SessionAffinity,
    TcpRoute, TransportProtocol,
};
use crate::plan::{BackendId, BackendPlan, RoutePlan, Target};

/// The resolved references of a route: its plan, and the errors.
#[derive(Debug)]
pub(super) struct ResolvedRefs {
    pub(super) plan: Arc<RoutePlan>,
    pub(super) errors: Vec<BackendError>,
    /// The Services that request session affinity, which is not supported.
    pub(super) sticky: BTreeSet<NamespacedName>,
}

/// Resolves the references of a route that carries traffic.
pub(super) fn resolve(
    index: &Index<'_>,
    own: &OwnSockets<'_>,
    name: &NamespacedName,
    route: &TcpRoute,
) -> ResolvedRefs {
    let (mut errors, mut sticky) = (Vec::new(), BTreeSet::new());
    let backends = backend_refs(route)
        .iter()
        .map(|backend| {
            let target = resolve_name(backend, name);
            let resolved = resolve_backend(index, own, name, backend, &target);
            let backend_id = BackendId { name: target, port: backend.port };
            let target = match resolved {
                Ok((service, endpoints)) => {
                    if service.spec.session_affinity == SessionAffinity::ClientIP {
                        sticky.insert(backend_id.name.clone());
                    }
                    Target::Endpoints(endpoints.into())
                }
                Err(error) => {
                    let reason = error.reject_reason();
                    errors.push(error);
                    Target::Reject(reason)
                }
            };
            BackendPlan { backend: backend_id, weight: backend.weight.get(), target }
        })
        .collect();
    let plan = Arc::new(RoutePlan { route: name.clone(), backends });
    ResolvedRefs { plan, errors, sticky }
}

/// Returns the errors of the references of a route that carries no traffic.
pub(super) fn check(
    index: &Index<'_>,
    own: &OwnSockets<'_>,
    name: &NamespacedName,
    route: &TcpRoute,
) -> Vec<BackendError> {
    let error = |backend: &BackendRef| {
        resolve_backend(index, own, name, backend, &resolve_name(backend, name)).err()
    };
    backend_refs(route).iter().filter_map(error).collect()
}

fn backend_refs(route: &TcpRoute) -> &[BackendRef] {
    route.rule().map_or(&[], |rule| &rule.backend_refs)
}

/// Returns the name of the object that a backendRef refers to.
fn resolve_name(backend: &BackendRef, route: &NamespacedName) -> NamespacedName {
    NamespacedName {
        namespace: backend.namespace.clone().unwrap_or_else(|| route.namespace.clone()),
        name: backend.name.clone(),
    }
}

/// Returns the Service and the endpoints of one reference, at least one.
fn resolve_backend<'a>(
    index: &Index<'a>,
    own: &OwnSockets<'_>,
    route: &NamespacedName,
    backend: &BackendRef,
    target: &NamespacedName,
) -> Result<(&'a Service, Vec<SocketAddr>), BackendError> {
    // This check comes first: without a grant, the status must not reveal whether the target
    // exists.
    if !grants::allows(index, &route.namespace, backend, &target.namespace) {
        return Err(BackendError::NotPermitted {
            from: route.namespace.clone(),
            kind: backend.kind.clone(),
            target: target.clone(),
        });
    }
    if !backend.is_service() {
        return Err(BackendError::InvalidKind {
            group: backend.group.clone(),
            kind: backend.kind.clone(),
            target: target.clone(),
        });
    }
    let Some(entry @ ServiceEntry { service, slices, .. }) = index.service(target) else {
        return Err(BackendError::ServiceNotFound(target.clone()));
    };
    if service.spec.service_type == ServiceType::ExternalName {
        return Err(BackendError::ExternalName(target.clone()));
    }
    if let Some(gateway) = own.find_by_service(target) {
        let holder = Holder::new(gateway, &route.namespace);
        return Err(BackendError::OwnService { service: target.clone(), holder });
    }
    let port = find_port(service, backend.port, target)?;
    let endpoints = endpoints::list(slices, port, service.spec.ip_families.first());
    // One such endpoint is sufficient to refuse all: if each of two replicas refused only its own
    // address, they would forward to each other.
    let own_endpoint = endpoints
        .iter()
        .find_map(|endpoint| own.find_by_endpoint(*endpoint).map(|owner| (*endpoint, owner)));
    if let Some((endpoint, owner)) = own_endpoint {
        let service = target.clone();
        return Err(match owner {
            SocketOwner::Gateway(gateway) => {
                let holder = Holder::new(gateway, &route.namespace);
                BackendError::OwnEndpoint { service, endpoint, holder }
            }
            SocketOwner::Program => BackendError::ProgramEndpoint { service, endpoint },
            SocketOwner::Host => BackendError::LocalEndpoint { service, endpoint },
        });
    }
    if endpoints.is_empty() {
        let reason = explain(target, entry, port);
        return Err(BackendError::NoEndpoints { service: target.clone(), port: port.port, reason });
    }
    Ok((service, endpoints))
}

fn find_port<'a>(
    service: &'a Service,
    requested: Option<PortNumber>,
    name: &NamespacedName,
) -> Result<&'a ServicePort, BackendError> {
    let service_name = || name.clone();
    let Some(number) = requested else {
        return Err(BackendError::NoPort(service_name()));
    };
    let ports = || service.spec.ports.iter();
    let is_tcp = |port: &&ServicePort| port.protocol == TransportProtocol::Tcp;
    if let Some(port) = ports().filter(is_tcp).find(|port| port.port == number) {
        return Ok(port);
    }
    if let Some(port) = ports().find(|port| port.port == number) {
        return Err(BackendError::NotTcp {
            service: service_name(),
            port: number,
            protocol: port.protocol,
        });
    }
    let tcp_ports = ports().filter(is_tcp).map(|port| port.port).collect();
    Err(BackendError::PortNotFound { service: service_name(), port: number, tcp_ports })
}
