//! Which Gateway has which port, where several share an address.

use std::collections::HashMap;
use std::net::IpAddr;

use super::addresses::{self, Home};
use super::listeners::{EvaluatedListener, Refusal};
use crate::model::{NamespacedName, Reason};

/// The addresses that are taken, by the port that is bound there.
#[derive(Default)]
pub(super) struct Claims<'a>(HashMap<u16, Vec<(IpAddr, &'a NamespacedName)>>);

impl<'a> Claims<'a> {
    /// Takes what a Gateway's listeners bind; those that want what an earlier one has are refused.
    pub(super) fn take(
        &mut self,
        gateway: &'a NamespacedName,
        home: &Home,
        listeners: &mut [EvaluatedListener<'_>],
    ) {
        for listener in listeners.iter_mut().filter(|listener| listener.refusal.is_none()) {
            let binds: Vec<_> =
                home.listen(listener.listener.port).iter().map(|address| address.bind).collect();
            let holder = binds.iter().find_map(|bind| {
                let claims = self.0.get(&bind.port())?;
                let holder =
                    claims.iter().find(|(claimed, _)| addresses::overlap(bind.ip(), *claimed))?;
                Some((bind.port(), holder))
            });
            if let Some((port, (address, holder))) = holder {
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
                continue;
            }
            for bind in binds {
                self.0.entry(bind.port()).or_default().push((bind.ip(), gateway));
            }
        }
    }
}
