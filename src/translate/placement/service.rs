//! Placement behind a Service: each Gateway is reached through a Service of its own.
//!
//! The `targetPort`s of the Service are the pod ports that listeners bind. The addresses of the
//! Service are the advertised addresses. A listener opens as soon as its Service has its pod port,
//! because a load balancer may probe the port before it provides an address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::pod_ports::{self, ByListenerPort};
use super::report::{
    AddressError, AddressReport, AddressesNotGranted, ForeignPodPorts, NotBoundReason, PortMapping,
};
use super::service_address::ServiceAddress;
use super::types::{AddressRequest, BindTargets, Placement};
use crate::model::{
    Gateway, GatewayServiceLookup, NamespaceName, NamespacedName, POD_PORTS, PodPorts, PortNumber,
    Service, ServicePort, ServiceRequest, ServiceRequests, ServiceType,
};
use crate::plan::{ListenAddress, SocketId};
use crate::translate::assignments::Assignments;
use crate::translate::index::Index;
use crate::translate::settings::Addresses;

/// A Gateway with its Service.
struct GatewayService<'a> {
    request: &'a AddressRequest<'a>,
    name: NamespacedName,
    service: &'a Service,
}

/// Places Gateways behind their Services in `namespace`, and assigns the pod ports that these need.
pub(super) fn assign(
    index: &Index<'_>,
    namespace: &NamespaceName,
    bind: IpAddr,
    previous: &Assignments,
    requests: &[&AddressRequest<'_>],
) -> (Vec<Placement>, Assignments) {
    let services: Vec<_> =
        requests.iter().map(|request| find_service(index, namespace, request)).collect();
    let pod_ports = assign_pod_ports(index, namespace, &previous.pod_ports, &services, requests);
    let placements = services
        .into_iter()
        .map(|service| match service {
            Ok(service) => service.place(index, bind, &pod_ports),
            Err(error) => place_without_service(error),
        })
        .collect();
    let mut by_gateway = PodPorts::new();
    for ((gateway, port), pod_port) in pod_ports {
        by_gateway.entry(gateway.clone()).or_default().insert(port, pod_port);
    }
    (placements, Assignments { pod_ports: Arc::new(by_gateway), ..Assignments::default() })
}

/// Returns the Services that Gateways need. `pod_ports` contains the pod ports of those Gateways
/// that have a Service or can get one.
pub(super) fn list_requests(
    pod_ports: &PodPorts,
    requests: &[&AddressRequest<'_>],
) -> ServiceRequests {
    let services = requests.iter().filter_map(|request| {
        let pod_ports = pod_ports.get(request.name)?.clone();
        // A load balancer could grant a special address, so a Gateway that requests one gets a
        // Service that requests no address at all.
        let address = match &request.addresses[..] {
            [address] if request.denied.is_empty() => *address,
            _ => None,
        };
        Some((request.name.clone(), ServiceRequest { pod_ports, address }))
    });
    services.collect()
}

/// Returns the Service in front of a Gateway, with its name, if the setting is
/// [`Addresses::Service`] and there is one.
pub(in crate::translate) fn find_gateway_service<'a>(
    index: &Index<'a>,
    addresses: &Addresses,
    gateway: &Gateway,
) -> Option<(NamespacedName, &'a Service)> {
    let Addresses::Service(namespace) = addresses else { return None };
    match index.resources.service_of(gateway, namespace) {
        GatewayServiceLookup::Found(service) => {
            let name = gateway.service_name();
            Some((NamespacedName { namespace: namespace.clone(), name }, service))
        }
        GatewayServiceLookup::Missing
        | GatewayServiceLookup::Predecessor
        | GatewayServiceLookup::Foreign => None,
    }
}

/// Finds the Service of a Gateway.
fn find_service<'a>(
    index: &Index<'a>,
    namespace: &NamespaceName,
    request: &'a AddressRequest<'a>,
) -> Result<GatewayService<'a>, AddressError> {
    let name = request.gateway.service_name();
    let name = NamespacedName { namespace: namespace.clone(), name };
    match index.resources.service_of(request.gateway, namespace) {
        GatewayServiceLookup::Found(service) => Ok(GatewayService { request, name, service }),
        GatewayServiceLookup::Missing => Err(AddressError::ServiceMissing(name)),
        GatewayServiceLookup::Predecessor => Err(AddressError::ServiceOfDeletedGateway(name)),
        GatewayServiceLookup::Foreign => Err(AddressError::ServiceForeign(name)),
    }
}

/// Assigns the pod ports of all listeners whose Gateway has a Service or can get one.
fn assign_pod_ports<'a>(
    index: &Index<'a>,
    namespace: &NamespaceName,
    previous: &'a PodPorts,
    services: &[Result<GatewayService<'a>, AddressError>],
    requests: &[&'a AddressRequest<'a>],
) -> ByListenerPort<'a> {
    let names: BTreeSet<_> = requests.iter().map(|request| request.name).collect();
    let owned = services.iter().flatten().map(|found| (found.request.name, found.service));
    // A Gateway without an accepted request (refused, or of another controller) may have a Service.
    // The target ports of that Service must not be assigned to another Gateway.
    let others = index.resources.gateways.iter().filter(|(name, _)| !names.contains(name));
    let others =
        others.filter_map(|(name, gateway)| match index.resources.service_of(gateway, namespace) {
            GatewayServiceLookup::Found(service) => Some((name, service)),
            GatewayServiceLookup::Missing
            | GatewayServiceLookup::Predecessor
            | GatewayServiceLookup::Foreign => None,
        });
    let current: ByListenerPort<'_> = owned
        .chain(others)
        .flat_map(|(name, service)| {
            let ports = service.spec.ports.iter();
            ports.filter_map(move |port| {
                Some(((name, port.port), pod_ports::find(service, port.port)?.1))
            })
        })
        .collect();
    let requested = requests
        .iter()
        .zip(services)
        .filter(|(_, service)| matches!(service, Ok(_) | Err(AddressError::ServiceMissing(_))))
        .flat_map(|(request, _)| request.ports.iter().map(|port| (request.name, *port)))
        .collect();
    pod_ports::assign(previous, &current, &requested, POD_PORTS)
}

/// Returns the placement of a Gateway without a Service: its listeners have nothing to bind.
fn place_without_service(error: AddressError) -> Placement {
    let report = AddressReport {
        error: Some(error),
        not_bound_reason: NotBoundReason::NoService,
        port_mappings: Vec::new(),
    };
    Placement { targets: BindTargets::PodPorts(BTreeMap::new()), report }
}

/// The listener ports for which the Service has a pod port.
#[derive(Default)]
struct Ports {
    targets: BTreeMap<PortNumber, Vec<ListenAddress>>,
    /// The pod ports that are not the Gateway's.
    foreign: BTreeSet<PortNumber>,
    mappings: Vec<PortMapping>,
}

impl GatewayService<'_> {
    fn place(&self, index: &Index<'_>, bind: IpAddr, pod_ports: &ByListenerPort<'_>) -> Placement {
        let actual = ServiceAddress::list(index, &self.name, self.service);
        let requested: Vec<_> =
            self.request.addresses.iter().flatten().copied().map(ServiceAddress::Ip).collect();
        let missing: Vec<_> =
            requested.iter().filter(|address| !actual.contains(address)).cloned().collect();
        let asks_for_any = requested.len() < self.request.addresses.len();
        let advertised: Vec<_> = actual
            .iter()
            .filter(|address| asks_for_any || requested.contains(address))
            .cloned()
            .collect();

        let ports = self.collect_ports(bind, &advertised, pod_ports);
        let service = || self.name.clone();
        let foreign = (!ports.foreign.is_empty())
            .then(|| ForeignPodPorts { service: service(), ports: ports.foreign });
        let service_type = self.service.spec.service_type;
        let is_advertised =
            ports.targets.values().flatten().any(|address| address.advertised.is_some());
        let error = if !missing.is_empty() {
            let service = service();
            Some(AddressError::AddressesNotGranted(AddressesNotGranted {
                service,
                service_type,
                missing,
                actual,
            }))
        } else if ports.targets.is_empty() {
            Some(match foreign.clone() {
                Some(foreign) => AddressError::ForeignPodPorts(foreign),
                None => AddressError::NoPodPort(service()),
            })
        } else if is_advertised {
            None
        } else {
            Some(AddressError::NoServiceAddress(service(), service_type))
        };
        let not_bound_reason = foreign
            .map_or_else(|| NotBoundReason::NoPodPort(service()), NotBoundReason::ForeignPodPorts);
        let report = AddressReport { error, not_bound_reason, port_mappings: ports.mappings };
        Placement { targets: BindTargets::PodPorts(ports.targets), report }
    }

    fn collect_ports(
        &self,
        bind: IpAddr,
        advertised: &[ServiceAddress],
        pod_ports: &ByListenerPort<'_>,
    ) -> Ports {
        let mut found = Ports::default();
        for &port in &self.request.ports {
            let Some((service_port, pod_port)) = pod_ports::find(self.service, port) else {
                continue;
            };
            if pod_ports.get(&(self.request.name, port)) != Some(&pod_port) {
                found.foreign.insert(pod_port);
                continue;
            }
            let client_port = self.find_client_port(service_port);
            if let Some(advertised) = client_port.filter(|client_port| *client_port != port) {
                found.mappings.push(PortMapping { port, advertised });
            }
            let bind = SocketId::tcp(SocketAddr::new(bind, pod_port.get()));
            let mut addresses: Vec<_> = advertised
                .iter()
                .filter_map(|address| Some(address.with_port(client_port?)))
                .map(|address| ListenAddress::new(bind, Some(address)))
                .collect();
            if addresses.is_empty() {
                addresses.push(ListenAddress::new(bind, None));
            }
            found.targets.insert(port, addresses);
        }
        found
    }

    /// Returns the port at which clients reach a port of the Service.
    fn find_client_port(&self, port: &ServicePort) -> Option<PortNumber> {
        match self.service.spec.service_type {
            ServiceType::NodePort => port.node_port,
            ServiceType::ClusterIP | ServiceType::LoadBalancer | ServiceType::ExternalName => {
                Some(port.port)
            }
        }
    }
}
