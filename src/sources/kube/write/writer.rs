//! The writer: decides when an object is reconciled.

use std::error::Error;
use std::future::pending;

use jiff::Timestamp;
use kube::Client;
use tokio::time::{Instant, sleep_until};

use super::class_features::ClassFeatures;
use super::field_backoff::FieldBackoff;
use super::field_change::changed_fields;
use super::in_flight::{FinishedWrite, InFlight};
use super::leadership::WriteAccess;
use super::managed_services::ManagedServices;
use super::omissions::Omissions;
use super::orphan_check::OrphanCheck;
use super::pending_write::PendingWrite;
use super::release_claims::ReleaseClaims;
use super::request::{self, BaseVersion, NoResponse, WriteResult};
use super::schedule::Schedule;
use super::service_errors::ServiceErrors;
use super::status_diff::add_changed_objects;
use super::write_context::WriteContext;
use super::write_errors::WriteErrors;
use crate::model::{Condition, GatewayController, NamespacedName, ObjectKey, ObjectKind};
use crate::sources::StatusUpdate;
use crate::sources::kube::cache::Cache;
use crate::sources::kube::events::EventRecorder;
use crate::sources::kube::gateway_services::{Orphan, ServicePolicy};
use crate::sources::kube::observed::has_status;
use crate::sources::kube::served_kinds::ServedKinds;

/// The writer of a source.
pub(in crate::sources::kube) struct Writer {
    client: Client,
    controller: GatewayController,
    access: WriteAccess,
    /// The value of [`WriteAccess::may_write`] when it was last handled.
    could_write: bool,
    events: EventRecorder,
    schedule: Schedule,
    in_flight: InFlight,
    errors: WriteErrors,
    field_backoff: FieldBackoff,
    service_errors: ServiceErrors,
    class_features: ClassFeatures,
    omissions: Omissions,
    /// The latest status update; `None` until the first snapshot was translated.
    status_update: Option<StatusUpdate>,
    version_condition: Option<Condition>,
    claims: ReleaseClaims,
    /// The value of [`ReleaseClaims::may_write`] when it was last handled.
    had_claim: bool,
    /// The condition of GatewayClasses about another release.
    shared_condition: Option<Condition>,
    services: ManagedServices,
    watches_all_namespaces: bool,
}

/// Something that the writer has to do.
#[derive(Debug)]
pub(in crate::sources::kube) enum Step {
    /// Reconcile the objects that are due.
    ObjectsDue,
    /// Process the result of a write.
    Finished(Box<FinishedWrite>),
    /// Start or stop writing.
    LeadershipChanged,
}

impl Writer {
    /// Creates a writer. `lease` is the Lease of the leader election, `services` decides about the
    /// Services of Gateways, and `watches_all_namespaces` is `true` if the source watches all
    /// namespaces.
    pub(in crate::sources::kube) fn new(
        client: Client,
        controller: GatewayController,
        access: WriteAccess,
        lease: Option<NamespacedName>,
        events: EventRecorder,
        services: Option<ServicePolicy>,
        watches_all_namespaces: bool,
    ) -> Self {
        Self {
            client,
            claims: ReleaseClaims::new(controller.clone(), lease),
            had_claim: false,
            shared_condition: None,
            controller,
            access,
            could_write: false,
            events,
            schedule: Schedule::new(Instant::now()),
            in_flight: InFlight::default(),
            errors: WriteErrors::default(),
            field_backoff: FieldBackoff::default(),
            service_errors: ServiceErrors::default(),
            class_features: ClassFeatures::default(),
            omissions: Omissions::default(),
            status_update: None,
            version_condition: None,
            services: ManagedServices::new(services),
            watches_all_namespaces,
        }
    }

    /// Enqueues an object to be reconciled.
    pub(in crate::sources::kube) fn enqueue(&mut self, key: &ObjectKey, cache: &Cache) {
        if key.kind == ObjectKind::GatewayClass {
            self.claims.observe(cache, Instant::now());
        }
        let is_written = has_status(key.kind) || self.services.may_include(key, cache);
        if is_written && !matches!(self.access, WriteAccess::ReadOnly) {
            self.schedule.enqueue(key.clone(), Instant::now());
        }
    }

    fn enqueue_all(&mut self, cache: &Cache) {
        let desired: Vec<_> = self.services.keys().cloned().collect();
        cache.keys().chain(desired).for_each(|key| self.enqueue(&key, cache));
    }

    /// Sets the latest status update, and enqueues the objects that it changes.
    pub(in crate::sources::kube) fn set_status_update(
        &mut self,
        update: StatusUpdate,
        cache: &Cache,
    ) {
        let mut changed = self.services.update(&update, &self.controller, cache);
        if !self.service_errors.is_empty() {
            let gateways = self.services.gateways();
            self.service_errors.retain(|gateway| gateways.contains(gateway));
        }
        match &self.status_update {
            None => self.enqueue_all(cache),
            Some(before) => add_changed_objects(before, &update, &mut changed),
        }
        self.status_update = Some(update);
        changed.iter().for_each(|key| self.enqueue(key, cache));
    }

    /// Sets the condition about the installed version of Gateway API.
    pub(in crate::sources::kube) fn set_version(&mut self, version: Condition, cache: &Cache) {
        if self.version_condition.as_ref() != Some(&version) {
            self.version_condition = Some(version);
            self.class_features.reset();
            cache.keys_of(ObjectKind::GatewayClass).for_each(|key| self.enqueue(&key, cache));
        }
    }

    /// Waits for the next step, which the caller passes to [`handle`](Self::handle).
    ///
    /// # Cancel safety
    /// Cancel safe: a finished write is removed only when it is returned.
    pub(in crate::sources::kube) async fn next(&mut self) -> Step {
        loop {
            let may_write = self.access.may_write();
            if may_write != self.could_write {
                return Step::LeadershipChanged;
            }
            let is_ready = may_write && self.status_update.is_some();
            let due = self.schedule.next(|lane| is_ready && self.in_flight.has_room(lane));
            let due = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                Some(finished) = self.in_flight.next() => return Step::Finished(finished),
                () = due => return Step::ObjectsDue,
                () = self.access.changed() => {}
            }
        }
    }

    /// Handles a step. Returns `true` if the snapshot changes.
    pub(in crate::sources::kube) fn handle(
        &mut self,
        step: Step,
        cache: &mut Cache,
        kinds: &ServedKinds,
    ) -> bool {
        match step {
            Step::ObjectsDue => {
                self.update_claims(cache);
                self.start_writes(cache, kinds);
            }
            Step::Finished(finished) => return self.finish(*finished, cache),
            Step::LeadershipChanged => {
                self.could_write = self.access.may_write();
                if self.could_write {
                    // The previous leader may have written anything.
                    self.enqueue_all(cache);
                    self.claims.restart_expiry(Instant::now());
                } else {
                    self.in_flight.clear();
                    self.had_claim = false;
                    self.field_backoff = FieldBackoff::default();
                    self.class_features.reset();
                    self.service_errors = ServiceErrors::default();
                }
            }
        }
        false
    }

    /// Starts the writes of the objects that are due.
    fn start_writes(&mut self, cache: &Cache, kinds: &ServedKinds) {
        while self.access.may_write() {
            let has_room = |lane| self.in_flight.has_room(lane);
            let Some(key) = self.schedule.pop(Instant::now(), has_room) else { return };
            // The end of the write that is in flight enqueues the object again.
            if self.in_flight.contains(&key) {
                continue;
            }
            let Some(served) = kinds.get(key.kind) else { continue };
            let Some(update) = &self.status_update else { return };
            let context = WriteContext {
                cache,
                update,
                controller: &self.controller,
                version: self.version_condition.as_ref(),
                shared: self.shared_condition.as_ref(),
                services: &self.services,
                service_errors: &self.service_errors,
                class_features: &self.class_features,
                watches_all_namespaces: self.watches_all_namespaces,
            };
            let now = Instant::now();
            let state = cache.state(&key);
            let (claim, next_claim) = self.claims.pending_write(&key, now);
            if let Some(next) = next_claim {
                self.schedule.enqueue_at(key.clone(), next);
            }
            // If another release has the claim, all objects are enqueued when that expires.
            if claim.is_none() && !self.claims.may_write(now) {
                continue;
            }
            let write = claim
                .or_else(|| context.pending_write(&key, Timestamp::now(), &mut self.omissions));
            let Some(write) = write else {
                self.schedule.reset_backoff(&key);
                self.errors.forget(&key);
                match state {
                    Some(_) => self.field_backoff.record_match(&key, now),
                    None => self.field_backoff.forget(&key),
                }
                if let Some(gateway) = self.service_errors.resolve(self.services.get(&key)) {
                    self.schedule.enqueue(gateway, now);
                }
                continue;
            };
            let changes = changed_fields(&write, state);
            let uid = state.map_or("", |state| &state.uid);
            if let Some(at) = self.field_backoff.not_before(&key, uid, &changes, now) {
                self.schedule.enqueue_at(key, at);
                continue;
            }
            let check = match &write {
                PendingWrite::Delete(Orphan::OfGateway(owner)) => {
                    let Some(check) = OrphanCheck::new(owner, &self.controller, kinds) else {
                        self.schedule.record_failure(key, now);
                        continue;
                    };
                    Some(check)
                }
                _ => None,
            };
            self.schedule.take_token();
            let base = state.map(BaseVersion::from);
            let (client, resource) = (self.client.clone(), served.resource.clone());
            let deadline = self.access.deadline();
            self.in_flight.add(key.clone(), async move {
                let (check, base) = (check.as_ref(), base.as_ref());
                let sent = request::send(&client, &resource, &key, &write, check, base, deadline);
                Box::new(FinishedWrite { result: sent.await, key, write, changes })
            });
        }
    }

    /// Processes the result of a write. Returns `true` if the snapshot changes.
    fn finish(&mut self, finished: FinishedWrite, cache: &mut Cache) -> bool {
        let FinishedWrite { key, write, changes, result } = finished;
        let now = Instant::now();
        let observed = match result {
            WriteResult::Written(observed) if matches!(write, PendingWrite::Claim(_)) => {
                // The status of the class need not wait for the interval between two writes.
                self.schedule.reset_backoff(&key);
                self.errors.resolve(write.kind(), &key);
                self.claims.record_write();
                observed
            }
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
                self.schedule.record_failure(key, now);
                return false;
            }
            WriteResult::Kept => {
                // A watch will report the Gateway; retry in case it is deleted before that.
                tracing::debug!("{key} is kept: its Gateway exists, but no watch has reported it");
                self.errors.resolve(write.kind(), &key);
                self.schedule.record_failure(key, now);
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
                    if matches!(write, PendingWrite::Claim(_)) && is_forbidden(&error) {
                        self.claims.record_forbidden(now);
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
            self.update_claims(cache);
        }
        is_changed
    }

    /// Handles a change of the claims of releases: enqueues all objects if this release may write
    /// again, and the classes if another release appears or is gone.
    fn update_claims(&mut self, cache: &Cache) {
        let now = Instant::now();
        self.claims.report(now);
        let may_write = self.claims.may_write(now);
        if may_write && !self.had_claim {
            self.enqueue_all(cache);
        }
        self.had_claim = may_write;
        let shared = self.claims.condition(now);
        if shared != self.shared_condition {
            self.shared_condition = shared;
            cache.keys_of(ObjectKind::GatewayClass).for_each(|key| self.enqueue(&key, cache));
        }
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
        let now = Instant::now();
        if !matches!(error.downcast_ref(), Some(kube::Error::Api(_))) {
            self.claims.restart_expiry(now);
        }
        self.schedule.record_failure(key, now);
    }
}

fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.is_forbidden())
}
