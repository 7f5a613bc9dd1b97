//! The addresses that a Gateway requests in `spec.addresses`.

use std::net::IpAddr;

use crate::model::Gateway;
use crate::translate::refusal::GatewayRefusal;
use crate::translate::special_addresses::SpecialAddresses;

/// The addresses that a Gateway requests, at least one.
pub(in crate::translate) struct RequestedAddresses {
    /// `None` stands for any address: the Gateway leaves the choice to the controller.
    pub(in crate::translate) allowed: Vec<Option<IpAddr>>,
    /// The special addresses that the Gateway may not request.
    pub(in crate::translate) denied: Vec<IpAddr>,
}

/// Returns the requested addresses.
///
/// # Errors
/// The first entry that does not request an IP address.
pub(in crate::translate) fn parse_requested_addresses(
    gateway: &Gateway,
    special_addresses: &SpecialAddresses,
) -> Result<RequestedAddresses, GatewayRefusal> {
    let (mut allowed, mut denied) = (Vec::new(), Vec::new());
    for address in &gateway.spec.addresses {
        match address.ip().map_err(GatewayRefusal::Address)? {
            Some(ip) if !special_addresses.allows(ip) => denied.push(ip),
            requested => allowed.push(requested),
        }
    }
    if gateway.spec.addresses.is_empty() {
        allowed.push(None);
    }
    Ok(RequestedAddresses { allowed, denied })
}
