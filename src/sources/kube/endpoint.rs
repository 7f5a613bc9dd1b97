//! [`EndpointHandle`]: the state of this replica in EndpointSlices.

use std::collections::BTreeSet;
use std::net::IpAddr;

use tokio::sync::watch;

use super::cache::Cache;
use crate::model::{EndpointAddress, EndpointSlice, NamespacedName, ObjectKey, ObjectKind};

/// Handle that reports if the cluster lists this replica as ready. A replica waits for the end of
/// that before it stops accepting connections.
#[derive(Debug, Clone)]
pub struct EndpointHandle(watch::Receiver<bool>);

impl EndpointHandle {
    pub(super) fn new(is_ready: watch::Receiver<bool>) -> Self {
        Self(is_ready)
    }

    /// Returns `true` if an EndpointSlice lists this replica as ready, as far as the source
    /// observes: one of the Service of the replicas or of the Service of a Gateway. `false` if the
    /// source does not know the [addresses](super::KubeSource::endpoint_addresses) of this replica,
    /// or does not run.
    pub fn is_ready(&self) -> bool {
        *self.0.borrow() && self.0.has_changed().is_ok()
    }

    /// Waits until no EndpointSlice lists this replica as ready.
    ///
    /// The controllers of the cluster may be late, or never come, so the caller needs a limit.
    ///
    /// # Cancel safety
    /// Can be dropped and called again.
    pub async fn until_not_ready(&mut self) {
        // An error means that the source has ended: it observes nothing any more.
        let _ = self.0.wait_for(|is_ready| !is_ready).await;
    }
}

/// The EndpointSlices that list this replica as ready.
#[derive(Debug)]
pub(super) struct OwnEndpoint {
    /// The addresses of this replica.
    addresses: Vec<IpAddr>,
    /// The Service whose endpoints are the replicas.
    replicas: Option<NamespacedName>,
    listed_in: BTreeSet<ObjectKey>,
    is_ready: watch::Sender<bool>,
}

impl OwnEndpoint {
    pub(super) fn new(
        addresses: Vec<IpAddr>,
        replicas: Option<NamespacedName>,
        is_ready: watch::Sender<bool>,
    ) -> Self {
        Self { addresses, replicas, listed_in: BTreeSet::new(), is_ready }
    }

    /// Updates the state after a change of an object.
    pub(super) fn observe(&mut self, key: &ObjectKey, cache: &Cache) {
        if key.kind != ObjectKind::EndpointSlice || self.addresses.is_empty() {
            return;
        }
        if self.is_listed_in(key, cache) {
            self.listed_in.insert(key.clone());
        } else {
            self.listed_in.remove(key);
        }
        let is_ready = !self.listed_in.is_empty();
        self.is_ready.send_if_modified(|before| std::mem::replace(before, is_ready) != is_ready);
    }

    fn is_listed_in(&self, key: &ObjectKey, cache: &Cache) -> bool {
        let Some(name) = key.namespaced_name() else { return false };
        let Some(slice) = cache.resources().endpoint_slices.get(&name) else { return false };
        let is_of_replicas = self.replicas.as_ref().is_some_and(|service| {
            service.namespace == name.namespace
                && slice.service_name() == Some(service.name.as_str())
        });
        let is_of_gateway = cache.state(key).is_some_and(|state| state.raw.is_some());
        (is_of_replicas || is_of_gateway) && self.is_ready_in(slice)
    }

    fn is_ready_in(&self, slice: &EndpointSlice) -> bool {
        slice.endpoints.iter().any(|endpoint| {
            // Unknown counts as ready.
            endpoint.conditions.ready != Some(false)
                && endpoint.addresses.iter().any(|address| match address {
                    EndpointAddress::Ip(address) => self.addresses.contains(address),
                    EndpointAddress::Name(_) => false,
                })
        })
    }
}
