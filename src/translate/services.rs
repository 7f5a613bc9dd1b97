//! Each Gateway is reached through a Service.
//!
//! The Service says everything: its ports' `targetPort`s are the ports that listeners bind, its
//! addresses are those that clients dial. A listener is opened as soon as it has a port, since a load
//! balancer may want to see it open before it gives an address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::addresses::{Home, Place, Remarks};
use super::homes::Seeker;
use super::index::Index;
use super::listeners::Refusal;
use super::settings::{History, Settings};
use crate::model::{
    Hostname, NamespacedName, PortNumber, Reason, Resources, Service, ServicePort, ServiceType,
    TargetPort, TransportProtocol,
};
use crate::model::{POD_PORTS, gateway_service_name};
use crate::plan::{DialAddress, ListenAddress};

/// The most nodes whose addresses are told: as many as a status holds.
const MAX_NODES: usize = 16;

/// An address of a Service, before a port.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Ip(IpAddr),
    Name(Hostname),
}

pub(super) fn homes(index: &Index<'_>, settings: &Settings, seekers: &[&Seeker<'_>]) -> Vec<Home> {
    let nodes = node_addresses(index.resources);
    let services: Vec<_> = seekers.iter().map(|seeker| Found::of(index, seeker)).collect();
    let holders = holders(&services, &settings.history);
    let home = |found: Result<Found<'_>, Refusal>| match found {
        Ok(found) => found.home(settings.host.bind, &nodes, &holders),
        Err(lack) => nowhere(lack),
    };
    services.into_iter().map(home).collect()
}

/// A Gateway's own Service.
struct Found<'a> {
    seeker: &'a Seeker<'a>,
    name: NamespacedName,
    service: &'a Service,
}

/// Whose each pod port is. Nobody else may have it: the Services are kept so, but anybody can edit
/// them. Of several that claim a port, whoever had it keeps it; else it is the first by name.
fn holders<'a>(
    services: &[Result<Found<'a>, Refusal>],
    history: &History,
) -> BTreeMap<PortNumber, &'a NamespacedName> {
    let mut holders = BTreeMap::new();
    for found in services.iter().flatten() {
        let rank = |port: &PortNumber, name: &'a NamespacedName| {
            (history.pod_ports.get(port) != Some(name), name)
        };
        let name = found.seeker.name;
        for (_, pod_port) in found.seeker.ports.iter().filter_map(|port| found.pod_port(*port)) {
            let holder = holders.entry(pod_port).or_insert(name);
            if rank(&pod_port, name) < rank(&pod_port, holder) {
                *holder = name;
            }
        }
    }
    holders
}

fn nowhere(lack: Refusal) -> Home {
    let pending = "the Gateway has no Service yet".to_owned();
    Home {
        place: Place::Ports(BTreeMap::new()),
        remarks: Remarks { lack: Some(lack), pending, note: String::new() },
    }
}

impl<'a> Found<'a> {
    /// The Service, or why there is none.
    fn of(index: &Index<'a>, seeker: &'a Seeker<'a>) -> Result<Self, Refusal> {
        let name = NamespacedName {
            namespace: seeker.name.namespace.clone(),
            name: gateway_service_name(seeker.gateway),
        };
        let Some(service) = index.service(&name).map(|entry| entry.service) else {
            let message = format!("Service {name} is not there yet.");
            return Err(Refusal { reason: Reason::ADDRESS_NOT_ASSIGNED, message });
        };
        let (metadata, gateway) = (&service.metadata, &seeker.gateway.metadata);
        if metadata.is_owned_by(gateway) {
            return Ok(Self { seeker, name, service });
        }
        let mut owners = metadata.owner_references.iter();
        Err(if owners.any(|owner| owner.kind == "Gateway" && owner.name == gateway.name.as_str()) {
            let message = format!(
                "Service {name} is still that of the Gateway's predecessor. It goes by itself."
            );
            Refusal { reason: Reason::PENDING, message }
        } else {
            let message = format!(
                "Service {name} is somebody else's, and is left alone. Its name is needed: remove it, or give the Gateway another name."
            );
            Refusal { reason: Reason::ADDRESS_NOT_ASSIGNED, message }
        })
    }

    /// The port of the Service that stands for a listener's, and the port here to which it leads.
    fn pod_port(&self, port: PortNumber) -> Option<(&'a ServicePort, PortNumber)> {
        let mut ports = self.service.spec.ports.iter();
        let found =
            ports.find(|found| found.port == port && found.protocol == TransportProtocol::Tcp)?;
        match found.target_port {
            Some(TargetPort::Number(pod_port)) => Some((found, pod_port)),
            Some(TargetPort::Name(_)) | None => None,
        }
    }

    fn home(
        &self,
        bind: IpAddr,
        nodes: &[Host],
        holders: &BTreeMap<PortNumber, &NamespacedName>,
    ) -> Home {
        let Self { seeker, name, service } = self;
        let mut hosts = hosts(service, nodes);
        let asked: Vec<_> = seeker.wishes.iter().copied().flatten().map(Host::Ip).collect();
        let missing: Vec<_> = asked.iter().filter(|host| !hosts.contains(host)).cloned().collect();
        let has = hosts.clone();
        if asked.len() == seeker.wishes.len() {
            hosts.retain(|host| asked.contains(host));
        }

        let (mut ports, mut note) = (BTreeMap::new(), Vec::new());
        let (mut taken, mut foreign) = (BTreeSet::new(), BTreeSet::new());
        for &port in &seeker.ports {
            let Some((found, pod_port)) = self.pod_port(port) else { continue };
            let is_own = POD_PORTS.contains(&pod_port.get())
                && holders.get(&pod_port).is_some_and(|holder| *holder == seeker.name);
            if !is_own || !taken.insert(pod_port) {
                foreign.insert(pod_port);
                continue;
            }
            let dialled = match service.spec.service_type {
                ServiceType::NodePort => found.node_port,
                ServiceType::ClusterIP | ServiceType::LoadBalancer | ServiceType::ExternalName => {
                    Some(port)
                }
            };
            if let Some(dialled) = dialled.filter(|dialled| *dialled != port) {
                note.push(format!("Port {port} is reached at {dialled}."));
            }
            let bind = SocketAddr::new(bind, pod_port.get());
            let dials = hosts.iter().filter_map(|host| Some(host.with_port(dialled?)));
            let mut addresses: Vec<_> =
                dials.map(|dial| ListenAddress { bind, advertised: Some(dial) }).collect();
            if addresses.is_empty() {
                addresses.push(ListenAddress { bind, advertised: None });
            }
            ports.insert(port, addresses);
        }

        let foreign: Vec<_> = foreign.iter().map(ToString::to_string).collect();
        let foreign = (!foreign.is_empty()).then(|| {
            let foreign = foreign.join(", ");
            format!(
                "Service {name} leads to target port {foreign}, which is not the Gateway's; it is put right"
            )
        });
        let is_dialled =
            ports.values().flatten().any(|address: &ListenAddress| address.advertised.is_some());
        let lack = if !missing.is_empty() {
            Some((Reason::ADDRESS_NOT_USABLE, not_granted(name, service, &missing, &has)))
        } else if ports.is_empty() {
            let message = foreign.clone().unwrap_or_else(|| {
                format!("Service {name} does not lead to ports of this gateway yet")
            });
            Some((Reason::ADDRESS_NOT_ASSIGNED, message + "."))
        } else if is_dialled {
            None
        } else {
            Some((Reason::ADDRESS_NOT_ASSIGNED, without_address(name, service)))
        };
        let remarks = Remarks {
            lack: lack.map(|(reason, message)| Refusal { reason, message }),
            pending: foreign.unwrap_or_else(|| {
                format!("Service {name} does not lead to a port of this gateway for it yet")
            }),
            note: note.join(" "),
        };
        Home { place: Place::Ports(ports), remarks }
    }
}

/// The addresses of a Service, as its type has them.
fn hosts(service: &Service, nodes: &[Host]) -> Vec<Host> {
    match service.spec.service_type {
        ServiceType::LoadBalancer => {
            let ingress = service.status.iter().flat_map(|status| &status.load_balancer.ingress);
            ingress
                .filter_map(|ingress| match (&ingress.ip, &ingress.hostname) {
                    (Some(ip), _) if !ip.is_empty() => Host::ip(ip),
                    (_, Some(name)) => name.parse().ok().map(Host::Name),
                    (_, None) => None,
                })
                .collect()
        }
        // One that shall have none has `None` there.
        ServiceType::ClusterIP => {
            service.spec.cluster_ips.iter().filter_map(|ip| Host::ip(ip)).collect()
        }
        ServiceType::NodePort => nodes.to_vec(),
        ServiceType::ExternalName => Vec::new(),
    }
}

/// The addresses of the ready nodes: those for the outside where any node has one.
fn node_addresses(resources: &Resources) -> Vec<Host> {
    let of_type = |address_type| -> BTreeSet<_> {
        let ready = resources.nodes.values().filter(|node| node.is_ready());
        ready.flat_map(|node| node.ips(address_type)).collect()
    };
    let external = of_type("ExternalIP");
    let addresses = if external.is_empty() { of_type("InternalIP") } else { external };
    addresses.into_iter().take(MAX_NODES).map(Host::Ip).collect()
}

fn not_granted(name: &NamespacedName, service: &Service, missing: &[Host], has: &[Host]) -> String {
    let list = |hosts: &[Host]| hosts.iter().map(Host::text).collect::<Vec<_>>().join(", ");
    let instead =
        if has.is_empty() { "none so far".to_owned() } else { format!("{} instead", list(has)) };
    let advice = match service.spec.service_type {
        ServiceType::ClusterIP => " Its address cannot be changed: remove it, and it is made anew.",
        ServiceType::NodePort => " Nodes have the addresses they have: ask for one of these.",
        ServiceType::LoadBalancer | ServiceType::ExternalName => "",
    };
    format!("Service {name} did not get {}; it has {instead}.{advice}", list(missing))
}

fn without_address(name: &NamespacedName, service: &Service) -> String {
    match service.spec.service_type {
        ServiceType::LoadBalancer => {
            format!("Service {name} has no address yet: no load balancer has given it one.")
        }
        ServiceType::ClusterIP => format!("Service {name} has no cluster address."),
        ServiceType::NodePort => {
            format!(
                "Service {name} cannot be reached yet: no node is ready, or it has no node port."
            )
        }
        ServiceType::ExternalName => {
            format!("Service {name} is of type ExternalName, which leads nowhere here.")
        }
    }
}

impl Host {
    fn ip(text: &str) -> Option<Self> {
        text.parse().ok().map(|ip: IpAddr| Self::Ip(ip.to_canonical()))
    }

    fn with_port(&self, port: PortNumber) -> DialAddress {
        match self {
            Self::Ip(ip) => DialAddress::Ip(SocketAddr::new(*ip, port.get())),
            Self::Name(name) => DialAddress::Name(name.clone(), port),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Ip(ip) => ip.to_string(),
            Self::Name(name) => name.to_string(),
        }
    }
}
