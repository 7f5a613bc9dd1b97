//! Where a Gateway lives: the addresses its listeners bind, and those its clients dial.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::listeners::Refusal;
use super::settings::Host;
use crate::model::{Gateway, GatewayAddressType, PortNumber, Reason};
use crate::plan::{DialAddress, ListenAddress};

/// Where a Gateway lives, and what is to be said of that.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) place: Place,
    pub(super) remarks: Remarks,
}

/// What a listener of a Gateway binds.
#[derive(Debug)]
pub(super) enum Place {
    /// Its own port, at these addresses of the host.
    Addresses(Vec<Address>),
    /// The ports that a Service leads to, by the listener's port.
    Ports(BTreeMap<PortNumber, Vec<ListenAddress>>),
}

/// What is to be said of a Gateway's addresses, apart from whether they could be opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Remarks {
    /// Why it is not to be dialled where it should be.
    pub(super) lack: Option<Refusal>,
    /// Why listeners have nothing to bind, where some have not.
    pub(super) pending: String,
    /// What those who dial it should know.
    pub(super) note: String,
}

/// An address of a Gateway, before a listener adds its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    bind: IpAddr,
    dial: IpAddr,
}

impl Home {
    /// What a listener on this port opens; nothing where there is nothing to bind yet.
    pub(super) fn listen(&self, port: PortNumber) -> Vec<ListenAddress> {
        match &self.place {
            Place::Addresses(addresses) => {
                addresses.iter().map(|address| address.with_port(port)).collect()
            }
            Place::Ports(ports) => ports.get(&port).cloned().unwrap_or_default(),
        }
    }

    /// The addresses of the host at which it is.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        match &self.place {
            Place::Addresses(addresses) => addresses.iter().map(|address| address.bind).collect(),
            Place::Ports(_) => Vec::new(),
        }
    }

    /// The ports behind a Service at which it is.
    pub(super) fn pod_ports(&self) -> impl Iterator<Item = PortNumber> {
        let ports = match &self.place {
            Place::Addresses(_) => None,
            Place::Ports(ports) => Some(ports.values().flatten()),
        };
        ports.into_iter().flatten().filter_map(|address| PortNumber::new(address.bind.port()))
    }

    /// On the host: at the addresses it asks for, or at the host's where it asks for none.
    pub(super) fn on_host(wishes: &[Option<IpAddr>], host: &Host) -> Self {
        let addresses: Vec<_> = wishes
            .iter()
            .map(|wish| wish.unwrap_or(host.bind))
            .map(|bind| Address {
                bind,
                dial: if bind.is_unspecified() { host.advertise } else { bind },
            })
            .collect();
        let place = Place::Addresses(sharing_binds(&addresses));
        Self { place, remarks: Remarks::default() }
    }
}

impl Address {
    /// An address that is bound and dialled.
    pub(super) fn of(ip: IpAddr) -> Self {
        Self { bind: ip, dial: ip }
    }

    fn with_port(self, port: PortNumber) -> ListenAddress {
        ListenAddress {
            bind: SocketAddr::new(self.bind, port.get()),
            advertised: Some(DialAddress::Ip(SocketAddr::new(self.dial, port.get()))),
        }
    }
}

/// The addresses that a Gateway asks for; `None` is one that it leaves to us. At least one.
///
/// # Errors
/// Why the Gateway cannot be accepted, where it asks for an address of a type that is not
/// supported.
pub(super) fn wishes(gateway: &Gateway) -> Result<Vec<Option<IpAddr>>, Refusal> {
    let refusal = |message| Refusal { reason: Reason::UNSUPPORTED_ADDRESS, message };
    let mut wishes = Vec::new();
    for address in &gateway.spec.addresses {
        let value = address.value.as_deref().unwrap_or_default();
        wishes.push(match address.address_type {
            GatewayAddressType::IpAddress if value.is_empty() => None,
            GatewayAddressType::IpAddress => match value.parse::<IpAddr>() {
                // An IPv4 address may be written as IPv6; it is the same address.
                Ok(ip) => Some(ip.to_canonical()),
                Err(_) => return Err(refusal(format!("Address `{value}` is not an IP address."))),
            },
            _ => {
                return Err(refusal(format!(
                    "Addresses of type {} are not supported; use IPAddress.",
                    address.address_type
                )));
            }
        });
    }
    if wishes.is_empty() {
        wishes.push(None);
    }
    Ok(wishes)
}

/// The addresses, where one that another covers shares its bind: the system would refuse to bind
/// the two side by side, and clients reach both through the wider one.
fn sharing_binds(addresses: &[Address]) -> Vec<Address> {
    let mut sharing = Vec::new();
    for address in addresses {
        let widest = addresses
            .iter()
            .map(|other| other.bind)
            .fold(address.bind, |wide, other| if covers(other, wide) { other } else { wide });
        let address = Address { bind: widest, ..*address };
        if !sharing.contains(&address) {
            sharing.push(address);
        }
    }
    sharing
}

/// Whether one socket cannot be bound beside the other on the same port.
pub(super) fn overlap(one: IpAddr, other: IpAddr) -> bool {
    covers(one, other) || covers(other, one)
}

/// Whether a socket bound to `wide` takes the connections to `narrow` too.
fn covers(wide: IpAddr, narrow: IpAddr) -> bool {
    // An IPv6 socket on all interfaces takes IPv4 connections as well.
    wide == narrow || (wide.is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4()))
}
