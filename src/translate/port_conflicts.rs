//! Ports that several Gateways claim on overlapping addresses.

use std::collections::HashMap;
use std::net::IpAddr;

use super::holder::Holder;
use super::listeners::EvaluatedListener;
use super::placement::{Placement, overlap};
use super::refusal::ListenerRefusal;
use crate::model::NamespacedName;

/// The addresses that Gateways have claimed, by port.
#[derive(Default)]
pub(super) struct PortClaims<'a>(HashMap<u16, Vec<(IpAddr, &'a NamespacedName)>>);

impl<'a> PortClaims<'a> {
    /// Claims the addresses that a Gateway's listeners bind, and refuses the listeners whose
    /// address an earlier Gateway has claimed.
    pub(super) fn claim(
        &mut self,
        gateway: &'a NamespacedName,
        placement: &Placement,
        listeners: &mut [EvaluatedListener<'a>],
    ) {
        for listener in listeners.iter_mut().filter(|listener| listener.refusal.is_none()) {
            let addresses = placement.listen_addresses(listener.listener.port);
            let conflict = addresses.iter().find_map(|address| {
                let bind = address.bind.address;
                let port = bind.port();
                let claims = self.0.get(&port)?;
                let (address, holder) =
                    claims.iter().find(|(claimed, _)| overlap(bind.ip(), *claimed))?;
                let holder = Holder::new(holder, &gateway.namespace);
                Some(ListenerRefusal::PortInUse { holder, port, address: *address })
            });
            if let Some(conflict) = conflict {
                listener.refuse(conflict);
                continue;
            }
            for address in addresses {
                let bind = address.bind.address;
                self.0.entry(bind.port()).or_default().push((bind.ip(), gateway));
            }
        }
    }
}
