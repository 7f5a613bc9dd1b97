//! Which Gateway has which port, where several share an address.

use std::collections::HashMap;
use std::net::IpAddr;

use super::addresses::{self, Address};
use super::listeners::{EvaluatedListener, Refusal};
use crate::model::{NamespacedName, PortNumber, Reason};

/// The addresses that are taken, by port.
#[derive(Default)]
pub(super) struct Claims<'a>(HashMap<PortNumber, Vec<(IpAddr, &'a NamespacedName)>>);

impl<'a> Claims<'a> {
    /// Takes the ports of a Gateway's listeners; those that an earlier Gateway has are refused.
    pub(super) fn take(
        &mut self,
        gateway: &'a NamespacedName,
        addresses: &[Address],
        listeners: &mut [EvaluatedListener<'_>],
    ) {
        for listener in listeners.iter_mut().filter(|listener| listener.refusal.is_none()) {
            let port = listener.listener.port;
            let claims = self.0.entry(port).or_default();
            let holder = claims.iter().find(|(claimed, _)| {
                addresses.iter().any(|address| addresses::overlap(address.bind, *claimed))
            });
            if let Some((address, holder)) = holder {
                listener.refusal = Some(Refusal {
                    reason: Reason::PORT_UNAVAILABLE,
                    message: format!(
                        "Gateway {holder} has port {port} on {}; a port goes to the oldest Gateway that wants it, among those of one age to the first by name.",
                        if address.is_unspecified() {
                            "all addresses".to_owned()
                        } else {
                            address.to_string()
                        }
                    ),
                });
                listener.supported_kinds.clear();
            } else {
                claims.extend(addresses.iter().map(|address| (address.bind, gateway)));
            }
        }
    }
}
