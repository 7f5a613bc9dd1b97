//! The Services that this source manages for Gateways.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::{GatewayController, NamespacedName, ObjectKey, ObjectKind};
use crate::sources::StatusUpdate;
use crate::sources::kube::cache::Cache;
use crate::sources::kube::gateway_services::{
    DesiredService, Orphan, ServicePolicy, desired_services, find_orphan,
};
use crate::sources::status_diff::for_each_difference;

/// The Services that this source manages, as they should be.
#[derive(Debug)]
pub(super) struct ManagedServices {
    /// `None` if the source manages none.
    policy: Option<ServicePolicy>,
    desired: BTreeMap<ObjectKey, DesiredService>,
}

impl ManagedServices {
    pub(super) fn new(policy: Option<ServicePolicy>) -> Self {
        Self { policy, desired: BTreeMap::new() }
    }

    /// Returns the keys of the desired Services.
    pub(super) fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.desired.keys()
    }

    /// Computes the desired Services of a status report, and returns those to compare with the
    /// cluster: the ones that differ from the desired Services before, and possible orphans.
    pub(super) fn update(
        &mut self,
        update: &StatusUpdate,
        controller: &GatewayController,
        cache: &Cache,
    ) -> BTreeSet<ObjectKey> {
        let mut changed = BTreeSet::new();
        if let Some(ServicePolicy::Manage(template)) = &self.policy {
            let resources = cache.resources();
            let desired = desired_services(update, resources, template, controller, &self.desired);
            for_each_difference(&self.desired, &desired, |key| {
                changed.insert(key.clone());
            });
            self.desired = desired;
        }
        // A change of a Gateway can make its Service an orphan, so all possible ones are compared.
        let others = cache.managed().filter(|key| !self.desired.contains_key(key));
        changed.extend(others.filter(|key| self.may_include(key, cache)));
        changed
    }

    /// Returns `true` if a Service is desired, or may be an orphan.
    pub(super) fn may_include(&self, key: &ObjectKey, cache: &Cache) -> bool {
        let Some(policy) = &self.policy else { return false };
        key.kind == ObjectKind::Service
            && key.namespace.as_ref() == Some(policy.namespace())
            && (self.desired.contains_key(key)
                || cache.state(key).is_some_and(|state| state.raw.is_some()))
    }

    /// Returns the Gateways that need a Service.
    pub(super) fn gateways(&self) -> BTreeSet<&NamespacedName> {
        self.desired.values().map(DesiredService::gateway).collect()
    }

    /// Returns the desired state of a Service.
    pub(super) fn get(&self, key: &ObjectKey) -> Option<&DesiredService> {
        self.desired.get(key)
    }

    /// Returns the orphan if a live Service that is not desired must be deleted.
    pub(super) fn find_orphan(
        &self,
        live: &Value,
        controller: &GatewayController,
        cache: &Cache,
    ) -> Option<Orphan> {
        let is_known = |namespace: &_| cache.has_listed_gateways(namespace);
        find_orphan(live, self.policy.as_ref()?, controller, cache.resources(), is_known)
    }

    /// Stops requesting the node ports of a Service, if the API server rejected the Service as
    /// invalid: another Service may have the ports. Returns `true` if any were requested.
    pub(super) fn drop_node_port_requests(&mut self, key: &ObjectKey, error: &kube::Error) -> bool {
        matches!(error, kube::Error::Api(status) if status.is_invalid())
            && self.desired.get_mut(key).is_some_and(DesiredService::drop_node_port_requests)
    }
}
