//! The target of each backendRef: endpoints, or a rejection that keeps the weight.
//!
//! A [backendRef](https://gateway-api.sigs.k8s.io/reference/spec/#tcprouterule) contains the number
//! of a Service port. The name of that Service port selects the port of the same name in each
//! EndpointSlice of the Service. The endpoints are the addresses of the slice with that port.
//!
//! The endpoints of a Service port are the same for all routes, so all of them share one value. The
//! parts that depend on the route are checked for each reference: the grant, the kind, the port.

use std::collections::{BTreeSet, HashMap, hash_map};
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
use crate::plan::{BackendId, BackendPlan, RouteId, RoutePlan, Share};

/// Resolves the references of routes to backends.
#[derive(Debug)]
pub(super) struct Backends<'a> {
    own: OwnSockets<'a>,
    /// The Service ports that were resolved so far.
    ports: HashMap<BackendId, ResolvedPort<'a>>,
}

/// The endpoints of a Service port.
#[derive(Debug, Clone)]
struct ResolvedPort<'a> {
    /// The endpoints; there may be none.
    plan: Arc<BackendPlan>,
    /// The first endpoint to which no backend may lead, and the owner of its socket.
    forbidden: Option<(SocketAddr, SocketOwner<'a>)>,
}

/// The resolved references of a route: its plan, and the errors.
#[derive(Debug)]
pub(super) struct ResolvedRefs {
    pub(super) plan: Arc<RoutePlan>,
    pub(super) errors: Vec<BackendError>,
    /// The Services that request session affinity, which is not supported.
    pub(super) sticky: BTreeSet<NamespacedName>,
}

impl<'a> Backends<'a> {
    pub(super) fn new(own: OwnSockets<'a>) -> Self {
        Self { own, ports: HashMap::new() }
    }

    /// Resolves the references of a route that carries traffic.
    pub(super) fn resolve(
        &mut self,
        index: &Index<'_>,
        name: &NamespacedName,
        route: &TcpRoute,
    ) -> ResolvedRefs {
        let (mut errors, mut sticky) = (Vec::new(), BTreeSet::new());
        let shares = backend_refs(route).iter().map(|backend| {
            let (id, weight) = (resolve_id(backend, name), backend.weight.get());
            match self.resolve_backend(index, name, backend, &id) {
                Ok((service, plan)) => {
                    if service.spec.session_affinity == SessionAffinity::ClientIP {
                        sticky.insert(id.name);
                    }
                    Share::new(weight, plan)
                }
                Err(error) => {
                    let reason = error.reject_reason();
                    errors.push(error);
                    Share::reject(weight, id, reason)
                }
            }
        });
        let shares = shares.collect();
        let plan = Arc::new(RoutePlan::new(RouteId::tcp(name.clone()), shares));
        ResolvedRefs { plan, errors, sticky }
    }

    /// Returns the errors of the references of a route that carries no traffic.
    pub(super) fn check(
        &mut self,
        index: &Index<'_>,
        name: &NamespacedName,
        route: &TcpRoute,
    ) -> Vec<BackendError> {
        let error = |backend: &BackendRef| {
            self.resolve_backend(index, name, backend, &resolve_id(backend, name)).err()
        };
        backend_refs(route).iter().filter_map(error).collect()
    }

    /// Returns the Service of one reference, and the backend with at least one endpoint.
    fn resolve_backend<'i>(
        &mut self,
        index: &Index<'i>,
        route: &NamespacedName,
        backend: &BackendRef,
        id: &BackendId,
    ) -> Result<(&'i Service, Arc<BackendPlan>), BackendError> {
        let target = &id.name;
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
        let Some(entry @ ServiceEntry { service, .. }) = index.service(target) else {
            return Err(BackendError::ServiceNotFound(target.clone()));
        };
        if service.spec.service_type == ServiceType::ExternalName {
            return Err(BackendError::ExternalName(target.clone()));
        }
        if let Some(gateway) = self.own.find_by_service(target) {
            let holder = Holder::new(gateway, &route.namespace);
            return Err(BackendError::OwnService { service: target.clone(), holder });
        }
        let port = find_port(service, id.port, target)?;
        let ResolvedPort { plan, forbidden } = self.resolve_port(entry, port, id);
        if let Some((endpoint, owner)) = forbidden {
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
        if plan.endpoints.is_empty() {
            let reason = explain(target, entry, port);
            let (service, port) = (target.clone(), port.port);
            return Err(BackendError::NoEndpoints { service, port, reason });
        }
        Ok((service, plan))
    }

    /// Returns the endpoints of a Service port. The first reference to it lists them.
    fn resolve_port(
        &mut self,
        ServiceEntry { service, slices, .. }: &ServiceEntry<'_>,
        port: &ServicePort,
        id: &BackendId,
    ) -> ResolvedPort<'a> {
        match self.ports.entry(id.clone()) {
            hash_map::Entry::Occupied(resolved) => resolved.get().clone(),
            hash_map::Entry::Vacant(vacant) => {
                let endpoints = endpoints::list(slices, port, service.spec.ip_families.first());
                let plan = Arc::new(BackendPlan::new(id.clone(), endpoints));
                // One such endpoint is sufficient to refuse all: if each of two replicas refused
                // only its own address, they would forward to each other.
                let forbidden = plan.endpoints.iter().find_map(|endpoint| {
                    let owner = self.own.find_by_endpoint(endpoint.address)?;
                    Some((endpoint.address, owner))
                });
                vacant.insert(ResolvedPort { plan, forbidden }).clone()
            }
        }
    }
}

fn backend_refs(route: &TcpRoute) -> &[BackendRef] {
    route.rule().map_or(&[], |rule| &rule.backend_refs)
}

/// Returns the identifier of the object that a backendRef refers to.
fn resolve_id(backend: &BackendRef, route: &NamespacedName) -> BackendId {
    let name = NamespacedName {
        namespace: backend.namespace.clone().unwrap_or_else(|| route.namespace.clone()),
        name: backend.name.clone(),
    };
    BackendId::new(name, backend.port)
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
