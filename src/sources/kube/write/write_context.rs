//! Comparison of an object with what it should be: which write it needs, if any.

use jiff::Timestamp;
use serde_json::Value;

use super::class_features::ClassFeatures;
use super::managed_services::ManagedServices;
use super::pending_write::PendingWrite;
use super::service_errors::ServiceErrors;
use crate::model::{
    Condition, GatewayClassStatus, GatewayController, ObjectKey, ObjectKind, ObjectName,
    ObjectStatus, Resources, merge_status,
};
use crate::sources::StatusUpdate;
use crate::sources::events::{Origin, new_warnings};
use crate::sources::kube::cache::Cache;
use crate::sources::kube::observed::{ServerState, has_status};
use crate::sources::omissions::Omissions;

/// The finalizer that
/// [keeps](https://gateway-api.sigs.k8s.io/reference/spec/#gatewayclass) a GatewayClass from being
/// deleted while Gateways use it.
pub(in crate::sources::kube) const CLASS_FINALIZER: &str =
    "gateway-exists-finalizer.gateway.networking.k8s.io";

/// Everything that objects are compared with.
#[derive(Debug)]
pub(super) struct WriteContext<'a> {
    pub(super) cache: &'a Cache,
    pub(super) update: &'a StatusUpdate,
    pub(super) controller: &'a GatewayController,
    /// The condition about the installed version of Gateway API.
    pub(super) version: Option<&'a Condition>,
    /// The condition about another release with the same controller name.
    pub(super) shared: Option<&'a Condition>,
    pub(super) services: &'a ManagedServices,
    pub(super) service_errors: &'a ServiceErrors,
    pub(super) class_features: &'a ClassFeatures,
    /// The source watches all namespaces.
    pub(super) watches_all_namespaces: bool,
}

impl WriteContext<'_> {
    /// Returns the write that an object needs.
    pub(super) fn pending_write(
        &self,
        key: &ObjectKey,
        now: Timestamp,
        omissions: &mut Omissions,
    ) -> Option<PendingWrite> {
        let state = self.cache.state(key);
        if !has_status(key.kind) {
            return self.sync_service(key, state);
        }
        let Some(state) = state else {
            omissions.forget(key);
            return None;
        };
        self.sync_status(key, state, now, omissions).or_else(|| self.sync_finalizers(key, state))
    }

    /// Creates, updates or deletes the Service of a Gateway. Other Services are left unchanged.
    fn sync_service(&self, key: &ObjectKey, state: Option<&ServerState>) -> Option<PendingWrite> {
        // The pod ports were computed from another version of this Service: wait for the next
        // report.
        if self.update.resources.get(key) != self.cache.resources().get(key) {
            return None;
        }
        if self.cache.is_unmanaged(key) {
            return None;
        }
        let desired = self.services.get(key);
        let Some(state) = state else { return Some(PendingWrite::Create(desired?.apply_to(None))) };
        let live: Value = serde_json::from_str(state.raw.as_deref()?).ok()?;
        match desired {
            Some(desired) => {
                let updated = desired.apply_to(Some(&live));
                (updated != live).then_some(PendingWrite::Update(updated))
            }
            None if state.is_being_deleted => None,
            None => {
                let orphan = self.services.find_orphan(&live, self.controller, self.cache);
                orphan.map(PendingWrite::Delete)
            }
        }
    }

    fn sync_status(
        &self,
        key: &ObjectKey,
        state: &ServerState,
        now: Timestamp,
        omissions: &mut Omissions,
    ) -> Option<PendingWrite> {
        // The report was computed from a different version of this object: wait for the next one.
        if self.update.resources.get(key) != self.cache.resources().get(key) {
            return None;
        }
        let report = &self.update.status;
        let mut write = |status| self.write_status(key, state, status, now, omissions);
        match key.kind {
            ObjectKind::GatewayClass => {
                write(ObjectStatus::GatewayClass(&self.class_status(&key.name)?))
            }
            ObjectKind::Gateway => {
                let name = key.namespaced_name()?;
                let mut status = report.gateways.get(&name)?.clone();
                self.service_errors.add_to(&name, &mut status);
                write(ObjectStatus::Gateway(&status))
            }
            ObjectKind::TcpRoute => match report.tcp_routes.get(&key.namespaced_name()?) {
                Some(route) => write(ObjectStatus::TcpRoute(&route.parents)),
                // The route no longer refers to a Gateway of this controller: the entries that this
                // controller wrote earlier are removed.
                None if state.status.contains(self.controller.as_str()) => {
                    write(ObjectStatus::TcpRoute(&[]))
                }
                None => None,
            },
            _ => None,
        }
    }

    /// Returns the status of a GatewayClass: the reported one, with the conditions about the
    /// installed version of Gateway API and about another release.
    fn class_status(&self, name: &ObjectName) -> Option<GatewayClassStatus> {
        let mut status = self.update.status.gateway_classes.get(name)?.clone();
        let class = self.update.resources.gateway_classes.get(name)?;
        let others = self.version.into_iter().chain(self.shared).cloned();
        status.conditions.extend(others.map(|condition| Condition {
            observed_generation: class.metadata.generation,
            ..condition
        }));
        if self.class_features.is_omitted() {
            status.supported_features.clear();
        }
        Some(status)
    }

    fn write_status(
        &self,
        key: &ObjectKey,
        state: &ServerState,
        status: ObjectStatus<'_>,
        now: Timestamp,
        omissions: &mut Omissions,
    ) -> Option<PendingWrite> {
        let before: Value = serde_json::from_str(&state.status).unwrap_or_default();
        let merged = merge_status(&before, status, |name| name == self.controller.as_str(), now);
        omissions.record(key, &merged);
        (merged.status != before).then(|| PendingWrite::Status {
            status: merged.status,
            warnings: new_warnings(status, &before, Origin::Cluster),
        })
    }

    fn sync_finalizers(&self, key: &ObjectKey, state: &ServerState) -> Option<PendingWrite> {
        let is_ours = key.kind == ObjectKind::GatewayClass
            && self.update.status.gateway_classes.contains_key(&key.name);
        let is_used = is_ours && is_class_used(self.cache.resources(), key);
        let is_present = state.finalizers.iter().any(|finalizer| finalizer == CLASS_FINALIZER);
        let is_wanted = match self.watches_all_namespaces {
            true => is_used,
            // The finalizer may have been set when all namespaces were watched. No Gateway of
            // another namespace is served, so it must not prevent the deletion of the class.
            false => is_present && (is_used || !state.is_being_deleted),
        };
        // The API server rejects a new finalizer on an object that is being deleted.
        if !is_ours || is_wanted == is_present || (is_wanted && state.is_being_deleted) {
            return None;
        }
        let mut finalizers = state.finalizers.clone();
        match is_wanted {
            true => finalizers.push(CLASS_FINALIZER.to_owned()),
            false => finalizers.retain(|finalizer| finalizer != CLASS_FINALIZER),
        }
        Some(PendingWrite::Finalizers(finalizers))
    }
}

fn is_class_used(resources: &Resources, class: &ObjectKey) -> bool {
    resources.gateways.values().any(|gateway| gateway.spec.gateway_class_name == class.name)
}
