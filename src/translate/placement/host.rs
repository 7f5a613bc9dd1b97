//! Placement on the host: Gateways share its addresses.

use super::overlap::covers;
use super::report::AddressReport;
use super::types::{Address, AddressRequest, BindTargets, Placement};
use crate::translate::settings::Host;

/// Places every Gateway at the addresses it requests, or at the address of the setting.
pub(super) fn place_all(host: &Host, requests: &[&AddressRequest<'_>]) -> Vec<Placement> {
    requests.iter().map(|request| place(host, request)).collect()
}

fn place(host: &Host, request: &AddressRequest<'_>) -> Placement {
    let addresses: Vec<_> = request
        .addresses
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

/// Replaces the bind address of each address by the widest one that covers it. The kernel would
/// refuse to bind both, and clients reach both through the wider one.
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
