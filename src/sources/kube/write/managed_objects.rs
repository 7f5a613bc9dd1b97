//! The Services and EndpointSlices that this source manages for Gateways.

use std::collections::{BTreeMap, BTreeSet};

use super::status_diff::for_each_difference;
use crate::model::ObjectKey;
use crate::sources::StatusUpdate;
use crate::sources::kube::cache::Cache;
use crate::sources::kube::gateway_services::{DesiredObject, ServiceTemplate, desired_objects};

/// The Services and EndpointSlices that this source manages, as they should be.
#[derive(Debug)]
pub(super) struct ManagedObjects {
    /// Template of the Services; `None` if the source manages none.
    template: Option<ServiceTemplate>,
    desired: BTreeMap<ObjectKey, DesiredObject>,
}

impl ManagedObjects {
    pub(super) fn new(template: Option<ServiceTemplate>) -> Self {
        Self { template, desired: BTreeMap::new() }
    }

    pub(super) fn desired(&self) -> &BTreeMap<ObjectKey, DesiredObject> {
        &self.desired
    }

    /// Computes the desired objects of a status report, and returns those to compare with the
    /// cluster: the ones that differ from the desired objects before, and possible orphans.
    pub(super) fn update(&mut self, update: &StatusUpdate, cache: &Cache) -> BTreeSet<ObjectKey> {
        let mut changed = BTreeSet::new();
        let Some(template) = &self.template else { return changed };
        let desired = desired_objects(update, cache.resources(), template, &self.desired);
        for_each_difference(&self.desired, &desired, |key| {
            changed.insert(key.clone());
        });
        self.desired = desired;
        // An orphan is deleted once its replacement exists. A change of another object can fulfil
        // this condition, so all possible orphans are compared.
        let others = cache.owned_by_gateways().filter(|key| !self.desired.contains_key(*key));
        changed.extend(others.cloned());
        changed
    }

    /// Returns `true` if an object is desired, or may be an orphan.
    pub(super) fn may_include(&self, key: &ObjectKey, cache: &Cache) -> bool {
        self.desired.contains_key(key) || cache.state(key).is_some_and(|state| state.raw.is_some())
    }

    /// Stops requesting the node ports of a Service, if the API server rejected the Service as
    /// invalid: another Service may have the ports. Returns `true` if any were requested.
    pub(super) fn drop_node_port_requests(&mut self, key: &ObjectKey, error: &kube::Error) -> bool {
        matches!(error, kube::Error::Api(status) if status.is_invalid())
            && self.desired.get_mut(key).is_some_and(DesiredObject::drop_node_port_requests)
    }
}
