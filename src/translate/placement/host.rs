//! Placement on the host: Gateways share its addresses.

use std::net::IpAddr;

use super::overlap::covers;
use super::report::AddressReport;
use super::types::{Address, BindTargets, Placement};
use crate::translate::settings::Host;

/// Places a Gateway at the addresses it requests, or at the address of the setting.
pub(super) fn place(requested: &[Option<IpAddr>], host: &Host) -> Placement {
    let addresses: Vec<_> = requested
        .iter()
        .map(|address| address.unwrap_or(host.bind))
        .map(|bind| Address {
            bind,
            advertised: if bind.is_unspecified() { host.advertise } else { bind },
        })
        .collect();
    let targets = BindTargets::Addresses(share_binds(&addresses));
    Placement { targets, report: AddressReport::default() }
}

/// Lets an address that another one covers share the bind of the wider one: the kernel would refuse
/// to bind both, and clients reach both through the wider one.
fn share_binds(addresses: &[Address]) -> Vec<Address> {
    let mut shared = Vec::new();
    for address in addresses {
        let widest = addresses
            .iter()
            .map(|other| other.bind)
            .fold(address.bind, |wide, other| if covers(other, wide) { other } else { wide });
        let address = Address { bind: widest, ..*address };
        if !shared.contains(&address) {
            shared.push(address);
        }
    }
    shared
}
