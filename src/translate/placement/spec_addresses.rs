//! The addresses that a Gateway requests in `spec.addresses`.

use std::net::IpAddr;

use crate::model::{Gateway, GatewayAddress};
use crate::translate::refusal::GatewayRefusal;

/// Returns the requested addresses, at least one. `None` stands for any address: the Gateway leaves
/// the choice to the controller.
///
/// # Errors
/// The first entry that does not request an IP address.
pub(in crate::translate) fn parse_requested_addresses(
    gateway: &Gateway,
) -> Result<Vec<Option<IpAddr>>, GatewayRefusal> {
    if gateway.spec.addresses.is_empty() {
        return Ok(vec![None]);
    }
    let addresses = gateway.spec.addresses.iter().map(GatewayAddress::ip);
    addresses.collect::<Result<_, _>>().map_err(GatewayRefusal::Address)
}
