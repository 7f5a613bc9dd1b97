//! Findings about the addresses of a Gateway.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::service_address::ServiceAddress;
use crate::model::{NamespacedName, PortNumber, Reason, ServiceType};
use crate::translate::enumerate::{list, sentences};
use crate::translate::holder::Holder;
use crate::translate::ranges::Ranges;

/// Findings about the addresses of a Gateway, apart from the results of binding them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::translate) struct AddressReport {
    /// Reason why clients cannot reach the Gateway at all of its requested addresses.
    pub(in crate::translate) error: Option<AddressError>,
    /// Reason why listeners have no address to bind; ignored if all listeners have one.
    pub(in crate::translate) not_bound_reason: NotBoundReason,
    /// Listeners that clients reach at another port.
    pub(in crate::translate) port_mappings: Vec<PortMapping>,
}

/// A listener port, and the port at which clients reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::translate) struct PortMapping {
    pub(super) port: PortNumber,
    pub(super) advertised: PortNumber,
}

impl fmt::Display for PortMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clients reach listener port {} at port {}.", self.port, self.advertised)
    }
}

/// Reason why listeners of a Gateway have no address to bind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::translate) enum NotBoundReason {
    /// The Gateway has no address of the pool.
    #[default]
    NoAddress,
    /// The requested addresses are special, and the Gateway may not request them.
    SpecialAddress,
    /// The Gateway has no Service.
    NoService,
    /// No port of the Service targets a pod port of these listeners.
    NoPodPort(NamespacedName),
    /// The Service targets ports that are not assigned to the Gateway.
    ForeignPodPorts(ForeignPodPorts),
}

impl fmt::Display for NotBoundReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str("no address is assigned to the Gateway yet"),
            Self::SpecialAddress => f.write_str("the requested address is not allowed"),
            Self::NoService => f.write_str("the Gateway has no Service yet"),
            Self::NoPodPort(service) => {
                write!(
                    f,
                    "no port of Service {service} targets a port assigned to the listener yet"
                )
            }
            Self::ForeignPodPorts(foreign) => foreign.fmt(f),
        }
    }
}

/// Ports that a Service targets, but which are not assigned to its Gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::translate) struct ForeignPodPorts {
    pub(super) service: NamespacedName,
    pub(super) ports: BTreeSet<PortNumber>,
}

impl fmt::Display for ForeignPodPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, ports } = self;
        let ports = list(ports);
        write!(
            f,
            "Service {service} targets ports that are not assigned to the Gateway ({ports}); the Service is being corrected"
        )
    }
}

/// Reason why clients cannot reach a Gateway at all of its requested addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::translate) enum AddressError {
    /// The Gateway may not request these special addresses.
    SpecialAddresses(Vec<IpAddr>),
    /// The pool could not assign every address.
    Pool(PoolError),
    /// There is no Service.
    ServiceMissing(NamespacedName),
    /// The Service belongs to a deleted Gateway of the same name.
    ServiceOfDeletedGateway(NamespacedName),
    /// The Service does not belong to the Gateway.
    ServiceForeign(NamespacedName),
    /// The Service did not get all requested addresses.
    AddressesNotGranted(AddressesNotGranted),
    /// The Service targets only ports that are not assigned to the Gateway.
    ForeignPodPorts(ForeignPodPorts),
    /// The Service targets no pod port.
    NoPodPort(NamespacedName),
    /// The Service has no address.
    NoServiceAddress(NamespacedName, ServiceType),
}

/// Result of an incomplete assignment from the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::translate) struct PoolError {
    pub(super) ranges: Ranges,
    /// The requested addresses that cannot be assigned.
    pub(super) unusable: Vec<UnusableAddress>,
    /// A request without a specific address got none: all addresses are in use or cool down.
    pub(super) is_exhausted: bool,
}

/// A requested address that cannot be assigned from the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UnusableAddress {
    NotInPool(IpAddr),
    InUse { address: IpAddr, holder: Holder },
}

/// The requested addresses that a Service did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::translate) struct AddressesNotGranted {
    pub(super) service: NamespacedName,
    pub(super) service_type: ServiceType,
    pub(super) missing: Vec<ServiceAddress>,
    pub(super) actual: Vec<ServiceAddress>,
}

impl AddressError {
    /// Returns the reason of the Gateway's Programmed condition.
    pub(in crate::translate) fn reason(&self) -> Reason {
        match self {
            Self::Pool(PoolError { unusable, .. }) if unusable.is_empty() => {
                Reason::ADDRESS_NOT_ASSIGNED
            }
            Self::SpecialAddresses(_) | Self::Pool(_) | Self::AddressesNotGranted(_) => {
                Reason::ADDRESS_NOT_USABLE
            }
            Self::ServiceOfDeletedGateway(_) => Reason::PENDING,
            Self::ServiceMissing(_)
            | Self::ServiceForeign(_)
            | Self::ForeignPodPorts(_)
            | Self::NoPodPort(_)
            | Self::NoServiceAddress(..) => Reason::ADDRESS_NOT_ASSIGNED,
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SpecialAddresses(addresses) => write!(
                f,
                "Gateways may not request address {}, since loopback, link-local, multicast and unspecified addresses need permission. Request another address, or ask the operator of the gateway to allow it (--special-addresses).",
                list(addresses)
            ),
            Self::Pool(error) => error.fmt(f),
            Self::ServiceMissing(service) => write!(f, "Service {service} does not exist yet."),
            Self::ServiceOfDeletedGateway(service) => write!(
                f,
                "Service {service} is that of a deleted Gateway of the same name and is being deleted."
            ),
            Self::ServiceForeign(service) => write!(
                f,
                "Service {service} already exists and is managed by another program. Delete it or rename the Gateway."
            ),
            Self::AddressesNotGranted(error) => error.fmt(f),
            Self::ForeignPodPorts(foreign) => write!(f, "{foreign}."),
            Self::NoPodPort(service) => {
                write!(
                    f,
                    "No port of Service {service} targets a port assigned to the Gateway yet."
                )
            }
            Self::NoServiceAddress(service, service_type) => {
                write!(f, "Service {service} ")?;
                f.write_str(match service_type {
                    ServiceType::LoadBalancer => {
                        "has no address yet: no load balancer has assigned one."
                    }
                    ServiceType::ClusterIP => {
                        "has no cluster IP; a headless Service is not supported."
                    }
                    ServiceType::NodePort => {
                        "cannot be reached yet: it has no node port, or no ready node accepts its connections. A node accepts those of the address families of the Service and, with externalTrafficPolicy Local, only if it has a serving replica."
                    }
                    ServiceType::ExternalName => {
                        "has type ExternalName, which cannot forward to this gateway."
                    }
                })
            }
        }
    }
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ranges, unusable, is_exhausted } = self;
        let pool = ranges.list();
        let unusable = unusable.iter().map(|address| match address {
            UnusableAddress::NotInPool(ip) => {
                format!("Address {ip} is not in pool {pool}; request an address of the pool.")
            }
            UnusableAddress::InUse { address, holder } => {
                format!("Address {address} is already used by {holder}; request another one.")
            }
        });
        let exhausted = is_exhausted.then(|| format!(
            "No free address in pool {pool}. A released address is available again after its cooldown."
        ));
        f.write_str(&sentences(unusable.chain(exhausted)))
    }
}

impl fmt::Display for AddressesNotGranted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, service_type, missing, actual } = self;
        let instead = match &actual[..] {
            [] => "no address".to_owned(),
            actual => list(actual),
        };
        let advice = match service_type {
            ServiceType::ClusterIP => {
                " A cluster IP cannot be changed: request one that the Service has, or ask the operator of the gateway to delete the Service, which is then created again."
            }
            ServiceType::NodePort => {
                " Node addresses cannot be chosen: request one that the Service has."
            }
            ServiceType::LoadBalancer | ServiceType::ExternalName => "",
        };
        write!(
            f,
            "Service {service} did not get the requested address {}; it has {instead}.{advice}",
            list(missing)
        )
    }
}
