//! Writing of the reported status, and of Events about it, to the store.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::mem;
use std::pin::Pin;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::event_recorder::EventRecorder;
use super::missing_references;
use super::object_cache::ObjectCache;
use super::pending_objects::PendingObjects;
use super::waiting_warnings::WaitingWarnings;
use crate::model::{
    GatewayController, ObjectKey, ObjectKind, ObjectStatus, SLUICEGATE_CONTROLLER, StatusReport,
    Timestamp, merge_status,
};
use crate::sources::StatusUpdate;
use crate::sources::events::{Origin, Warning, new_warnings};
use crate::sources::omissions::Omissions;
use crate::sources::status_diff::add_changed_objects;
use crate::store::{Durability, LogInterval, Store, Write, WriteError, WriteResult};

/// Number of comparisons after which the source handles other events, and other tasks of the
/// control thread run.
const COMPARISONS_PER_TURN: usize = 64;

/// Maximum number of writes of a status in one transaction. It limits the memory for their text.
const MAX_WRITES: usize = 1_024;

type WriteResults = Vec<Result<WriteResult, WriteError>>;

/// Shortest time between two log lines about writes that failed. A full disk refuses them all.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Compares objects with the last report, and writes the status of those that differ, in
/// transactions of at most `MAX_WRITES`.
pub(super) struct StatusWriter {
    store: Store,
    /// The names of the controllers under which this gateway writes entries of `status.parents`.
    controllers: BTreeSet<GatewayController>,
    serves_any_controller: bool,
    update: Option<StatusUpdate>,
    pending: PendingObjects,
    /// The writes of the next transaction. An object that is compared again has one write.
    writes: BTreeMap<ObjectKey, StatusWrite>,
    warnings: WaitingWarnings,
    events: EventRecorder,
    omissions: Omissions,
    in_flight: Option<Transaction>,
    /// Number of writes of a status that failed since the last log line about them.
    failed: usize,
    log_interval: LogInterval,
}

/// A transaction that the store has not answered.
struct Transaction {
    results: Pin<Box<dyn Future<Output = WriteResults> + Send>>,
    /// The objects of the first results, with the warnings of their status; Events follow.
    objects: Vec<(ObjectKey, Vec<Warning>)>,
}

/// The write of one object's status.
struct StatusWrite {
    write: Write,
    /// The warnings about the object once the status is written.
    warnings: Vec<Warning>,
}

/// An event of the writer.
pub(super) enum WriterEvent {
    /// The store has answered the transaction.
    Written(WriteResults),
    /// An object or a warning is due.
    Due,
}

impl StatusWriter {
    /// Creates a writer for the GatewayClasses of one controller, or of all.
    pub(super) fn new(store: Store, controller: Option<GatewayController>) -> Self {
        let serves_any_controller = controller.is_none();
        let controller = controller.unwrap_or_else(|| {
            GatewayController::new(SLUICEGATE_CONTROLLER).expect("a domain and a path")
        });
        Self {
            store,
            events: EventRecorder::new(&controller),
            controllers: BTreeSet::from([controller]),
            serves_any_controller,
            update: None,
            pending: PendingObjects::default(),
            writes: BTreeMap::new(),
            warnings: WaitingWarnings::default(),
            omissions: Omissions::default(),
            in_flight: None,
            failed: 0,
            log_interval: LogInterval::new(LOG_INTERVAL),
        }
    }

    /// Receives a report.
    pub(super) fn set_update(&mut self, update: StatusUpdate) {
        if self.serves_any_controller {
            // The names of earlier classes stay: routes may contain their entries.
            let classes = update.resources.gateway_classes.values();
            self.controllers.extend(classes.map(|class| class.spec.controller_name.clone()));
        }
        let mut changed = BTreeSet::new();
        let before = self.update.take().unwrap_or_default();
        add_changed_objects(&before, &update, &mut changed);
        if self.serves_any_controller {
            let now = Instant::now();
            for (key, warning) in missing_references::find_new(&before.resources, &update.resources)
            {
                self.warnings.add(key, warning, now);
            }
        }
        for key in changed.into_iter().filter(|key| has_status(key.kind)) {
            self.pending.add_reported(key);
        }
        self.update = Some(update);
    }

    /// Compares objects again that have changed in the store.
    pub(super) fn touch(&mut self, touched: BTreeSet<ObjectKey>) {
        // Without a report there is nothing to compare; the first one concerns all objects.
        if self.update.is_some() {
            let now = Instant::now();
            for key in touched.into_iter().filter(|key| has_status(key.kind)) {
                self.pending.add_changed(key, now);
            }
        }
    }

    /// Compares some of the pending objects, unless a transaction is in flight. Starts a
    /// transaction when all that are due are compared.
    pub(super) fn advance(&mut self, cache: &ObjectCache) {
        if self.in_flight.is_some() || self.update.is_none() {
            return;
        }
        let now = Instant::now();
        for _ in 0..COMPARISONS_PER_TURN {
            if self.writes.len() == MAX_WRITES {
                break;
            }
            let Some(key) = self.pending.pop_due(now) else { break };
            match self.compare(&key, cache) {
                Some(write) => self.writes.insert(key, write),
                None => self.writes.remove(&key),
            };
        }
        let has_due = self.pending.next_due(now).is_some_and(|due| due <= now);
        if !has_due || self.writes.len() == MAX_WRITES {
            self.start(cache, now);
        }
    }

    /// Starts a transaction if there is something to write.
    fn start(&mut self, cache: &ObjectCache, now: Instant) {
        let (mut objects, mut writes) = (Vec::new(), Vec::new());
        for (key, StatusWrite { write, warnings }) in mem::take(&mut self.writes) {
            objects.push((key, warnings));
            writes.push(write);
        }
        while let Some((key, warning)) = self.warnings.pop_due(now) {
            writes.extend(self.record_event(&key, &warning, cache));
        }
        if !writes.is_empty() {
            let store = self.store.clone();
            let results =
                Box::pin(async move { store.write_all(writes, Durability::Ephemeral).await });
            self.in_flight = Some(Transaction { results, objects });
        }
    }

    /// Waits for the next event.
    ///
    /// # Cancel safety
    /// Cancel safe: no result is lost.
    pub(super) async fn next(&mut self) -> WriterEvent {
        if let Some(transaction) = &mut self.in_flight {
            return WriterEvent::Written(transaction.results.as_mut().await);
        }
        let now = Instant::now();
        let due = self.pending.next_due(now).into_iter().chain(self.warnings.next_due()).min();
        match due {
            // Other tasks of the thread run between two turns.
            Some(due) if due <= now => yield_now().await,
            Some(due) => sleep_until(due).await,
            None => pending().await,
        }
        WriterEvent::Due
    }

    /// Handles an event.
    pub(super) fn handle(&mut self, event: WriterEvent, cache: &mut ObjectCache) {
        let WriterEvent::Written(results) = event else { return };
        let Some(Transaction { objects, .. }) = self.in_flight.take() else { return };
        let now = Instant::now();
        let mut results = results.into_iter();
        let mut first = None;
        for ((key, warnings), result) in objects.into_iter().zip(results.by_ref()) {
            match result {
                Ok(written) => {
                    cache.record_status_write(&written.object);
                    self.pending.record_write(key.clone(), now);
                    for warning in warnings {
                        self.warnings.add(key.clone(), warning, now);
                    }
                }
                // The change of the other writer arrives by the watch, and the new object is
                // compared then. A closed store ends the source.
                Err(WriteError::Conflict { .. } | WriteError::NotFound(_) | WriteError::Closed) => {
                }
                Err(error) => {
                    self.failed += 1;
                    first.get_or_insert_with(|| (key.clone(), error));
                    self.pending.record_failure(key, now);
                }
            }
        }
        if let Some((object, error)) = first
            && self.log_interval.begin(now.into_std())
        {
            let error = &error as &dyn std::error::Error;
            let failed_writes = mem::take(&mut self.failed);
            tracing::warn!(%object, error, failed_writes, "cannot write the status; retrying");
        }
        // An Event is not written again: the status contains the same message.
        for error in results.filter_map(Result::err) {
            tracing::debug!(error = &error as &dyn std::error::Error, "cannot write an Event");
        }
    }

    /// Returns the write of an object's status, if the status differs from the report.
    fn compare(&mut self, key: &ObjectKey, cache: &ObjectCache) -> Option<StatusWrite> {
        let update = self.update.as_ref()?;
        let store_key = cache.store_key(key)?;
        let Some(object) = self.store.get(&store_key) else {
            self.omissions.forget(key);
            return None;
        };
        let observed = cache.resources().get(key)?;
        // Either the change of the object has not arrived by the watch, or the report was computed
        // from another version of the object: wait for the next one.
        if !cache.is_observed(&object) || update.resources.get(key)? != observed {
            return None;
        }
        let value = object.to_value();
        let live = value.get("status").unwrap_or(&Value::Null);
        let has_parents = || live["parents"].as_array().is_some_and(|known| !known.is_empty());
        let status = match reported_status(&update.status, key) {
            Some(status) => status,
            // A route that refers to no Gateway of this controller has no entry: the entries that
            // this controller wrote earlier are removed.
            None if key.kind == ObjectKind::TcpRoute && has_parents() => {
                ObjectStatus::TcpRoute(&[])
            }
            None => return None,
        };
        let is_ours = |name: &str| self.controllers.iter().any(|known| known.as_str() == name);
        let merged = merge_status(live, status, is_ours, Timestamp::now());
        self.omissions.record(key, &merged);
        if merged.status == *live {
            return None;
        }
        // The revision is a precondition.
        let metadata =
            json!({ "name": key.name, "resourceVersion": object.revision().to_string() });
        let written = json!({
            "apiVersion": value["apiVersion"],
            "kind": value["kind"],
            "metadata": metadata,
            "status": merged.status,
        });
        let warnings = new_warnings(status, live, Origin::Store);
        Some(StatusWrite { write: Write::replace_status(store_key, written), warnings })
    }

    /// Returns the write of the Event for a warning, if its problem still exists.
    fn record_event(
        &mut self,
        key: &ObjectKey,
        warning: &Warning,
        cache: &ObjectCache,
    ) -> Option<Write> {
        let update = self.update.as_ref()?;
        let missing = missing_references::find(&update.resources, key);
        let is_current = missing.as_ref() == Some(warning)
            || reported_status(&update.status, key).is_some_and(|status| {
                new_warnings(status, &Value::Null, Origin::Store).contains(warning)
            });
        let object = self.store.get(&cache.store_key(key)?).filter(|_| is_current)?;
        self.events.record(&self.store, key, object.uid(), warning)
    }
}

/// Returns the status of an object in a report.
fn reported_status<'a>(report: &'a StatusReport, key: &ObjectKey) -> Option<ObjectStatus<'a>> {
    Some(match key.kind {
        ObjectKind::GatewayClass => {
            ObjectStatus::GatewayClass(report.gateway_classes.get(&key.name)?)
        }
        ObjectKind::Gateway => ObjectStatus::Gateway(report.gateways.get(&key.namespaced_name()?)?),
        ObjectKind::TcpRoute => {
            ObjectStatus::TcpRoute(&report.tcp_routes.get(&key.namespaced_name()?)?.parents)
        }
        _ => return None,
    })
}

/// Returns `true` if this source writes the status of objects of the kind.
fn has_status(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::GatewayClass | ObjectKind::Gateway | ObjectKind::TcpRoute)
}

#[cfg(test)]
#[path = "status_writer_tests.rs"]
mod tests;
