//! The sockets to which no backend may lead: those at which this gateway and its program are
//! reached and, unless they are allowed, all on loopback addresses.
//!
//! A backend must not lead to one of them: each connection would open another connection to this
//! gateway, until file descriptors or ports are exhausted. The sockets of all Gateways count, so a
//! loop over several Gateways is impossible too. A backend must not lead to other sockets of the
//! program either: clients of a Gateway must not reach its API. Programs that listen on loopback
//! addresses trust the users of this host, and an author of EndpointSlices may be elsewhere.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::gateways::EvaluatedGateway;
use super::index::Index;
use super::placement::find_gateway_service;
use super::settings::{Addresses, Settings};
use crate::model::{EndpointAddress, NamespacedName, Service};

/// Owner of a socket that a backend must not lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SocketOwner<'a> {
    Gateway(&'a NamespacedName),
    /// The program itself, such as its API.
    Program,
    /// Any program of this host, at a loopback address, if these are not allowed.
    Host,
}

/// The sockets of all Gateways and of the program, with the owner of each.
#[derive(Debug)]
pub(super) struct OwnSockets<'a> {
    /// The Services in front of Gateways.
    services: HashMap<NamespacedName, &'a NamespacedName>,
    /// The sockets that listeners bind, and those of the Services in front of them. A lookup must
    /// not depend on the number of Gateways: behind Services, thousands of them may use one port.
    sockets: HashMap<SocketAddr, SocketOwner<'a>>,
    /// The node ports of these Services. Services of type LoadBalancer have node ports too.
    node_ports: HashMap<u16, &'a NamespacedName>,
    /// The addresses at which nodes may accept connections to node ports, apart from `hosts`: those
    /// of all nodes and load balancers. A load balancer may use the addresses of nodes, and the
    /// nodes may be unknown.
    nodes: HashSet<IpAddr>,
    /// The addresses at which a listener on all interfaces is reached, apart from loopback
    /// addresses: those of this host and of the replicas.
    hosts: HashSet<IpAddr>,
    allows_loopback: bool,
}

impl<'a> OwnSockets<'a> {
    pub(super) fn new(
        index: &Index<'a>,
        settings: &Settings,
        gateways: &[EvaluatedGateway<'a>],
    ) -> Self {
        let hosts = settings.own_addresses.iter().copied().chain([settings.host.advertise]);
        let hosts = hosts.map(|ip| ip.to_canonical()).collect();
        let nodes = index.resources.nodes.values().flat_map(|node| &node.status.addresses);
        let mut own = Self {
            services: HashMap::new(),
            sockets: HashMap::new(),
            node_ports: HashMap::new(),
            nodes: nodes.filter_map(|node| parse_ip(&node.address)).collect(),
            hosts,
            allows_loopback: settings.local_endpoints,
        };
        for socket in &settings.own_sockets {
            own.add(socket.ip(), socket.port(), SocketOwner::Program);
        }
        for gateway in gateways {
            own.add_listeners(gateway, settings);
            if let Some((name, service)) =
                find_gateway_service(index, &settings.addresses, gateway.gateway)
            {
                own.add_service(index, &name, service, gateway.name);
                own.services.insert(name, gateway.name);
            }
        }
        own
    }

    /// Adds what the listeners of a Gateway bind.
    fn add_listeners(&mut self, gateway: &EvaluatedGateway<'a>, settings: &Settings) {
        let Ok(placement) = &gateway.placement else { return };
        for listener in gateway.listeners.iter().filter(|listener| listener.refusal.is_none()) {
            for address in placement.listen_addresses(listener.listener.port) {
                let ip = match settings.addresses {
                    // Each replica binds the pod port at an address of its own.
                    Addresses::Service(_) => Ipv6Addr::UNSPECIFIED.into(),
                    Addresses::Host | Addresses::Pool(_) => address.bind.address.ip(),
                };
                self.add(ip, address.bind.address.port(), SocketOwner::Gateway(gateway.name));
            }
        }
        if settings.addresses == Addresses::Host {
            // The status contains the address of the leader, which may be another host.
            let status = gateway.gateway.status.iter().flat_map(|status| &status.addresses);
            self.hosts.extend(status.filter_map(|address| parse_ip(&address.value)));
        }
    }

    /// Adds the addresses of the Service in front of a Gateway, and those of the replicas.
    fn add_service(
        &mut self,
        index: &Index<'a>,
        name: &NamespacedName,
        service: &Service,
        gateway: &'a NamespacedName,
    ) {
        let ingress = service.status.iter().flat_map(|status| &status.load_balancer.ingress);
        let ingress = ingress.filter_map(|ingress| parse_ip(ingress.ip.as_ref()?));
        let ingress: HashSet<_> = ingress.collect();
        self.nodes.extend(&ingress);
        let cluster_ips = service.spec.cluster_ips.iter().chain(&service.spec.cluster_ip);
        let cluster_ips = cluster_ips.filter_map(|ip| parse_ip(ip));
        let addresses: HashSet<_> = cluster_ips.chain(ingress).collect();
        for port in &service.spec.ports {
            for ip in &addresses {
                self.add(*ip, port.port.get(), SocketOwner::Gateway(gateway));
            }
            self.node_ports.extend(port.node_port.map(|node_port| (node_port.get(), gateway)));
        }
        let slices = index.service(name).map_or(&[][..], |entry| &entry.slices);
        let endpoints = slices.iter().flat_map(|slice| &slice.endpoints);
        self.hosts.extend(endpoints.filter_map(|endpoint| match endpoint.addresses.first()? {
            EndpointAddress::Ip(ip) => Some(ip.to_canonical()),
            EndpointAddress::Name(_) => None,
        }));
    }

    fn add(&mut self, ip: IpAddr, port: u16, owner: SocketOwner<'a>) {
        self.sockets.entry(SocketAddr::new(ip.to_canonical(), port)).or_insert(owner);
    }

    /// Returns the Gateway whose Service this is.
    pub(super) fn find_by_service(&self, service: &NamespacedName) -> Option<&'a NamespacedName> {
        self.services.get(service).copied()
    }

    /// Returns the owner of the socket that a connection to this endpoint would reach.
    pub(super) fn find_by_endpoint(&self, endpoint: SocketAddr) -> Option<SocketOwner<'a>> {
        let (ip, port) = (to_dialled(endpoint.ip()), endpoint.port());
        let is_local = ip.is_loopback() || self.hosts.contains(&ip);
        if let Some(gateway) = self.node_ports.get(&port)
            && (is_local || self.nodes.contains(&ip))
        {
            return Some(SocketOwner::Gateway(gateway));
        }
        let find = |ip| self.sockets.get(&SocketAddr::new(ip, port)).copied();
        let find_on_all_interfaces = || {
            // An IPv6 socket on all interfaces accepts IPv4 connections as well.
            find(Ipv6Addr::UNSPECIFIED.into())
                .or_else(|| find(Ipv4Addr::UNSPECIFIED.into()).filter(|_| ip.is_ipv4()))
        };
        let known = find(ip).or_else(|| find_on_all_interfaces().filter(|_| is_local));
        let is_refused = ip.is_loopback() && !self.allows_loopback;
        known.or_else(|| is_refused.then_some(SocketOwner::Host))
    }
}

/// Returns the address to which the kernel connects for an address.
fn to_dialled(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

/// Returns the address of this text; `None` for other texts, such as the `None` of a headless
/// Service.
fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}
