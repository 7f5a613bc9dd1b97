//! The transactions that write the reported status, and Events about it, to the store.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::mem;
use std::pin::Pin;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::event_recorder::EventRecorder;
use super::object_cache::ObjectCache;
use super::pending_objects::PendingObjects;
use super::report_comparison::{ReportChanges, ReportComparison, StatusWrite};
use super::waiting_warnings::WaitingWarnings;
use crate::model::{GatewayController, ObjectKey, SLUICEGATE_CONTROLLER};
use crate::sources::StatusUpdate;
use crate::sources::events::Warning;
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
    comparison: ReportComparison,
    pending: PendingObjects,
    /// The writes of the next transaction. An object that is compared again has one write.
    writes: BTreeMap<ObjectKey, StatusWrite>,
    warnings: WaitingWarnings,
    events: EventRecorder,
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
            comparison: ReportComparison::new(controller, serves_any_controller),
            pending: PendingObjects::default(),
            writes: BTreeMap::new(),
            warnings: WaitingWarnings::default(),
            in_flight: None,
            failed: 0,
            log_interval: LogInterval::new(LOG_INTERVAL),
        }
    }

    /// Receives a report.
    pub(super) fn set_update(&mut self, update: StatusUpdate) {
        let ReportChanges { objects, missing } = self.comparison.set_update(update);
        let now = Instant::now();
        for (key, warning) in missing {
            self.warnings.add(key, warning, now);
        }
        for key in objects {
            self.pending.add_reported(key);
        }
    }

    /// Compares objects again that have changed in the store.
    pub(super) fn touch(&mut self, touched: BTreeSet<ObjectKey>) {
        let now = Instant::now();
        for key in touched.into_iter().filter(|key| self.comparison.concerns(key.kind)) {
            self.pending.add_changed(key, now);
        }
    }

    /// Compares some of the pending objects, unless a transaction is in flight. Starts a
    /// transaction when all that are due are compared.
    pub(super) fn advance(&mut self, cache: &ObjectCache) {
        if self.in_flight.is_some() {
            return;
        }
        let now = Instant::now();
        for _ in 0..COMPARISONS_PER_TURN {
            if self.writes.len() == MAX_WRITES {
                break;
            }
            let Some(key) = self.pending.pop_due(now) else { break };
            match self.comparison.compare(&key, &self.store, cache) {
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

    /// Returns the write of the Event for a warning, if its problem still exists.
    fn record_event(
        &mut self,
        key: &ObjectKey,
        warning: &Warning,
        cache: &ObjectCache,
    ) -> Option<Write> {
        if !self.comparison.is_current(key, warning) {
            return None;
        }
        let object = self.store.get(&cache.store_key(key)?)?;
        self.events.record(&self.store, key, object.uid(), warning)
    }
}

#[cfg(test)]
#[path = "status_writer_tests.rs"]
mod tests;
