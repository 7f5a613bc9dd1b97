//! The results of writes.

use std::error::Error;

use tokio::time::Instant;

use super::in_flight::FinishedWrite;
use super::pending_write::PendingWrite;
use super::release_claims::ClaimResult;
use super::request::{NoResponse, WriteResult};
use super::writer::Writer;
use crate::model::{ObjectKey, ObjectKind};
use crate::sources::kube::cache::Cache;

impl Writer {
    /// Processes the result of a write. Returns `true` if the snapshot changes.
    pub(super) fn finish(&mut self, finished: FinishedWrite, cache: &mut Cache) -> bool {
        let FinishedWrite { key, write, changes, result } = finished;
        let now = Instant::now();
        if let PendingWrite::Claim { annotations, .. } = &write {
            self.claims.record(ClaimResult::of(annotations, &result), now);
        }
        let observed = match result {
            WriteResult::Written(observed) => {
                self.schedule.record_write(key.clone(), now);
                self.errors.resolve(write.kind(), &key);
                let uid = cache.state(&key).map(|state| &*state.uid);
                self.field_backoff.record_write(&key, uid.unwrap_or_default(), &changes, now);
                if let PendingWrite::Status { warnings, .. } = &write {
                    self.events.record(&key, uid, warnings);
                }
                self.class_features.observe(&write, observed.as_ref());
                if let Some(gateway) = self.service_errors.resolve(self.services.get(&key)) {
                    self.schedule.enqueue(gateway, now);
                }
                observed
            }
            WriteResult::Conflict(observed) => {
                self.schedule.record_write(key.clone(), now);
                observed
            }
            WriteResult::NotFound => {
                // The object was deleted, or the namespace of a new object. A watch will report
                // that; retry in case it does not.
                self.retry(key, &write);
                return false;
            }
            WriteResult::Kept => {
                // A watch will report the Gateway; retry in case it is deleted before that.
                tracing::debug!("{key} is kept: its Gateway exists, but no watch has reported it");
                self.errors.resolve(write.kind(), &key);
                self.retry(key, &write);
                return false;
            }
            WriteResult::Failed(error) => {
                // Another Service may hold the node ports, and the definition of GatewayClass may
                // be old: retry at once without requesting the ports or the field.
                let is_simplified = self.services.drop_node_port_requests(&key, &error)
                    || self.class_features.omit_if_invalid(&key, &write, &error);
                if !is_simplified {
                    let service = self.services.get(&key);
                    if let Some(gateway) =
                        self.service_errors.record(&key, service, write.kind(), &error)
                    {
                        self.schedule.enqueue(gateway, now);
                    }
                    self.fail(key, &write, &error);
                    return false;
                }
                None
            }
            WriteResult::TimedOut => {
                self.fail(key, &write, &NoResponse);
                return false;
            }
        };
        // Reconcile once more: the report may have changed, and finalizers are written only after
        // the status.
        let is_changed = observed.is_some_and(|observed| cache.record_response(observed));
        self.enqueue(&key, cache);
        if key.kind == ObjectKind::GatewayClass {
            self.observe_claims(cache);
            self.update_claims(cache, now);
        }
        is_changed
    }

    /// Schedules a retry of a write that failed, and logs its error if it is new.
    fn fail(&mut self, key: ObjectKey, write: &PendingWrite, error: &(dyn Error + 'static)) {
        // After this replica lost the Lease, a failure, usually a time-out at the lease deadline,
        // is not worth a warning.
        if self.access.may_write()
            && let Some(message) = self.errors.report(write.kind(), &key, error)
        {
            tracing::warn!("{message}");
        }
        if !matches!(error.downcast_ref(), Some(kube::Error::Api(_))) {
            self.claims.restart_expiry(Instant::now());
        }
        self.retry(key, write);
    }

    /// Schedules a retry of a write that failed.
    fn retry(&mut self, key: ObjectKey, write: &PendingWrite) {
        let now = Instant::now();
        match write {
            // A claim has a backoff of its own, for which the status of the class does not wait.
            PendingWrite::Claim { .. } => {
                self.schedule.record_write(key.clone(), now);
                self.schedule.enqueue(key, now);
            }
            _ => self.schedule.record_failure(key, now),
        }
    }
}
