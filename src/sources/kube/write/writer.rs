//! The writer: decides when an object is reconciled.

use std::collections::BTreeSet;
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
use super::orphan_check::OrphanCheck;
use super::pending_write::PendingWrite;
use super::release_claims::ReleaseClaims;
use super::request::{self, BaseVersion};
use super::schedule::Schedule;
use super::service_errors::ServiceErrors;
use super::shared_name::SharedName;
use super::write_context::WriteContext;
use super::write_errors::WriteErrors;
use crate::model::{Condition, GatewayController, NamespacedName, ObjectKey, ObjectKind};
use crate::sources::StatusUpdate;
use crate::sources::kube::cache::Cache;
use crate::sources::kube::event_recorder::EventRecorder;
use crate::sources::kube::gateway_services::{Orphan, ServicePolicy};
use crate::sources::kube::observed::has_status;
use crate::sources::kube::served_kinds::ServedKinds;
use crate::sources::omissions::Omissions;
use crate::sources::status_diff::add_changed_objects;

/// The writer of a source.
pub(in crate::sources::kube) struct Writer {
    client: Client,
    controller: GatewayController,
    pub(super) access: WriteAccess,
    /// The value of [`WriteAccess::may_write`] when it was last handled.
    could_write: bool,
    pub(super) events: EventRecorder,
    pub(super) schedule: Schedule,
    in_flight: InFlight,
    pub(super) errors: WriteErrors,
    pub(super) field_backoff: FieldBackoff,
    pub(super) service_errors: ServiceErrors,
    pub(super) class_features: ClassFeatures,
    omissions: Omissions,
    /// The latest status update; `None` until the first snapshot was translated.
    status_update: Option<StatusUpdate>,
    version_condition: Option<Condition>,
    pub(super) claims: ReleaseClaims,
    /// The value of [`ReleaseClaims::may_write`] when it was last handled. All objects that become
    /// due while it is `false` are enqueued again when it changes.
    is_release_writing: bool,
    shared_name: SharedName,
    pub(super) services: ManagedServices,
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
            is_release_writing: false,
            shared_name: SharedName::default(),
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

    /// Enqueues objects that changed.
    pub(in crate::sources::kube) fn enqueue_changed(
        &mut self,
        changed: &BTreeSet<ObjectKey>,
        cache: &Cache,
    ) {
        changed.iter().for_each(|key| self.enqueue(key, cache));
        if changed.iter().any(|key| key.kind == ObjectKind::GatewayClass) {
            self.observe_claims(cache);
        }
    }

    /// Enqueues an object to be reconciled.
    pub(super) fn enqueue(&mut self, key: &ObjectKey, cache: &Cache) {
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
                // Both use the same time: a claim must not expire between them.
                let now = Instant::now();
                self.update_claims(cache, now);
                self.start_writes(cache, kinds, now);
            }
            Step::Finished(finished) => return self.finish(*finished, cache),
            Step::LeadershipChanged => {
                self.could_write = self.access.may_write();
                self.is_release_writing = false;
                if self.could_write {
                    // The previous leader may have written anything.
                    self.enqueue_all(cache);
                    self.claims.restart(Instant::now());
                } else {
                    self.in_flight.clear();
                    self.field_backoff = FieldBackoff::default();
                    self.class_features.reset();
                    self.service_errors = ServiceErrors::default();
                }
            }
        }
        false
    }

    /// Starts the writes of the objects that are due.
    fn start_writes(&mut self, cache: &Cache, kinds: &ServedKinds, now: Instant) {
        while self.access.may_write() {
            let has_room = |lane| self.in_flight.has_room(lane);
            let Some(key) = self.schedule.pop(now, has_room) else { return };
            // The end of the write that is in flight enqueues the object again.
            if self.in_flight.contains(&key) {
                continue;
            }
            let Some(served) = kinds.get(key.kind) else { continue };
            let claim = self.pending_claim(&key, cache, now);
            if claim.is_none() && !self.is_release_writing {
                continue;
            }
            let Some(update) = &self.status_update else { return };
            let context = WriteContext {
                cache,
                update,
                controller: &self.controller,
                version: self.version_condition.as_ref(),
                shared: self.shared_name.condition(),
                services: &self.services,
                service_errors: &self.service_errors,
                class_features: &self.class_features,
                watches_all_namespaces: self.watches_all_namespaces,
            };
            let state = cache.state(&key);
            let write = claim
                .or_else(|| context.pending_write(&key, Timestamp::now(), &mut self.omissions));
            let Some(write) = write else {
                self.record_match(&key, state.is_some(), now);
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

    /// Returns the write of a claim that an object needs now, and schedules the next comparison of
    /// the claims.
    fn pending_claim(
        &mut self,
        key: &ObjectKey,
        cache: &Cache,
        now: Instant,
    ) -> Option<PendingWrite> {
        if let Some(next) = self.claims.next(key, now) {
            self.schedule.enqueue_at(key.clone(), next);
        }
        let write = self.claims.pending_write(key, now)?;
        let state = cache.state(key)?;
        let changes = changed_fields(&write, Some(state));
        let Some(at) = self.field_backoff.not_before(key, &state.uid, &changes, now) else {
            return Some(write);
        };
        // Other writes do not wait for a claim that does not last.
        self.claims.record_attempt(now);
        match self.claims.may_write(now) && !self.is_release_writing {
            true => self.schedule.enqueue(key.clone(), now),
            false => self.schedule.enqueue_at(key.clone(), at),
        }
        None
    }

    /// Records that an object needs no write.
    fn record_match(&mut self, key: &ObjectKey, exists: bool, now: Instant) {
        self.schedule.reset_backoff(key);
        if !self.claims.is_retried(key) {
            self.errors.forget(key);
        }
        match exists {
            true => self.field_backoff.record_match(key, now),
            false => self.field_backoff.forget(key),
        }
        if let Some(gateway) = self.service_errors.resolve(self.services.get(key)) {
            self.schedule.enqueue(gateway, now);
        }
    }

    /// Reads the claims of releases from the cache, and enqueues the class with them.
    pub(super) fn observe_claims(&mut self, cache: &Cache) {
        if let Some(class) = self.claims.observe(cache, Instant::now()).cloned() {
            self.enqueue(&class, cache);
        }
    }

    /// Handles a change of the claims of releases: enqueues all objects if this release may write
    /// again, and the classes if another release appears or is gone.
    pub(super) fn update_claims(&mut self, cache: &Cache, now: Instant) {
        let may_write = self.claims.may_write(now);
        if may_write && !self.is_release_writing {
            self.enqueue_all(cache);
        }
        self.is_release_writing = may_write;
        if self.shared_name.update(&self.claims, now) {
            cache.keys_of(ObjectKind::GatewayClass).for_each(|key| self.enqueue(&key, cache));
        }
    }
}
