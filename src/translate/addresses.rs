//! Where a Gateway lives: the addresses its listeners bind, and those its clients dial.

use std::net::{IpAddr, SocketAddr};

use super::settings::Host;
use crate::model::{Gateway, GatewayAddressType, PortNumber};
use crate::plan::ListenAddress;

/// An address of a Gateway, before a listener adds its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) bind: IpAddr,
    pub(super) dial: IpAddr,
}

impl Address {
    fn of(bind: IpAddr, host: &Host) -> Self {
        Self { bind, dial: if bind.is_unspecified() { host.advertise } else { bind } }
    }

    pub(super) fn with_port(self, port: PortNumber) -> ListenAddress {
        ListenAddress {
            bind: SocketAddr::new(self.bind, port.get()),
            dial: SocketAddr::new(self.dial, port.get()),
        }
    }
}

/// The addresses of a Gateway: those it asks for, or the host's where it asks for none.
///
/// # Errors
/// Why the Gateway cannot be accepted, where it asks for an address of a type that is not
/// supported.
pub(super) fn resolve(gateway: &Gateway, host: &Host) -> Result<Vec<Address>, String> {
    let mut addresses = Vec::new();
    for address in &gateway.spec.addresses {
        let value = address.value.as_deref().unwrap_or_default();
        let resolved = match address.address_type {
            GatewayAddressType::IpAddress if value.is_empty() => Address::of(host.bind, host),
            GatewayAddressType::IpAddress => match value.parse::<IpAddr>() {
                // An IPv4 address may be written as IPv6; it is the same address.
                Ok(ip) => Address::of(ip.to_canonical(), host),
                Err(_) => return Err(format!("Address `{value}` is not an IP address.")),
            },
            _ => {
                return Err(format!(
                    "Addresses of type {} are not supported; use IPAddress.",
                    address.address_type
                ));
            }
        };
        addresses.push(resolved);
    }
    if addresses.is_empty() {
        addresses.push(Address::of(host.bind, host));
    }
    Ok(sharing_binds(&addresses))
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
