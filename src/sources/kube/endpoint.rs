//! [`EndpointHandle`]: the state of this replica in EndpointSlices.

use std::collections::BTreeSet;
use std::net::IpAddr;

use tokio::sync::watch;

use super::cache::Cache;
use crate::model::{EndpointAddress, EndpointSlice, NamespaceName, ObjectKey, ObjectKind};

/// Handle that reports if the cluster lists this replica as ready. A replica waits for the end of
/// that before it stops accepting connections.
#[derive(Debug, Clone)]
pub struct EndpointHandle(watch::Receiver<bool>);

impl EndpointHandle {
    pub(super) fn new(is_ready: watch::Receiver<bool>) -> Self {
        Self(is_ready)
    }

    /// Returns `true` if an EndpointSlice in the namespace of the Services of Gateways lists this
    /// replica as ready, as far as the source observes. `false` if the source does not know the
    /// [addresses](super::KubeSource::endpoint_addresses) of this replica, or does not run.
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
    /// The namespace of the Services of Gateways.
    namespace: Option<NamespaceName>,
    listed_in: BTreeSet<ObjectKey>,
    is_ready: watch::Sender<bool>,
}

impl OwnEndpoint {
    pub(super) fn new(
        addresses: Vec<IpAddr>,
        namespace: Option<NamespaceName>,
        is_ready: watch::Sender<bool>,
    ) -> Self {
        Self { addresses, namespace, listed_in: BTreeSet::new(), is_ready }
    }

    /// Updates the state after a change of an object.
    pub(super) fn observe(&mut self, key: &ObjectKey, cache: &Cache) {
        let is_relevant = key.kind == ObjectKind::EndpointSlice
            && self.namespace.is_some()
            && key.namespace == self.namespace;
        if !is_relevant || self.addresses.is_empty() {
            return;
        }
        let name = key.namespaced_name();
        let slice = name.and_then(|name| cache.resources().endpoint_slices.get(&name));
        if slice.is_some_and(|slice| self.is_ready_in(slice)) {
            self.listed_in.insert(key.clone());
        } else {
            self.listed_in.remove(key);
        }
        let is_ready = !self.listed_in.is_empty();
        self.is_ready.send_if_modified(|before| std::mem::replace(before, is_ready) != is_ready);
    }

    fn is_ready_in(&self, slice: &EndpointSlice) -> bool {
        slice.endpoints.iter().any(|endpoint| {
            // Unknown counts as ready. With `publishNotReadyAddresses`, a terminating endpoint is
            // listed as ready too.
            endpoint.conditions.ready != Some(false)
                && endpoint.conditions.terminating != Some(true)
                && endpoint.addresses.iter().any(|address| match address {
                    EndpointAddress::Ip(address) => self.addresses.contains(address),
                    EndpointAddress::Name(_) => false,
                })
        })
    }
}
