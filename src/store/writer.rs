//! The thread that evaluates and stores all writes.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::change::{Change, ChangeKind};
use super::collect::Collector;
use super::disk::{DiskError, Medium};
use super::error::WriteError;
use super::evaluate::{Identities, Limits, Staging};
use super::key::Key;
use super::outage::Outage;
use super::request::{Message, Request};
use super::resource::Catalog;
use super::revision::Revision;
use super::state::{SharedState, State};
use super::stored_object::StoredObject;
use super::write::{Durability, WriteResult};

/// Maximum number of requests that share an fsync.
const MAX_GROUP: usize = 1024;

/// Time until ephemeral changes are written to disk.
const SYNC_DELAY: Duration = Duration::from_secs(5);

/// Longest wait for the next object that expires, since a step of the clock wakes no timer.
const MAX_EXPIRY_WAIT: Duration = Duration::from_secs(60);

/// The only writer of a store: a thread, because it waits for the disk.
///
/// The requests that arrive during an fsync form the next group: they are evaluated one after the
/// other, stored in one transaction, published to readers and answered. Readers never see a change
/// that is not stored, except ephemeral ones.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) receiver: Receiver<Message>,
    pub(super) state: SharedState,
    pub(super) newest: watch::Sender<Revision>,
    pub(super) catalog: Catalog,
    pub(super) identities: Identities,
    pub(super) limits: Limits,
    pub(super) collector: Collector,
    pub(super) disk: Medium,
    /// First revision of this epoch.
    pub(super) floor: Revision,
    /// Newest revision that was assigned to a change, also to one that could not be stored.
    pub(super) newest_assigned: Revision,
    pub(super) outage: Outage,
    pub(super) unsynced: Unsynced,
}

/// Ephemeral changes that are not on disk.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    changes: BTreeMap<Key, Option<Arc<StoredObject>>>,
    due: Option<Instant>,
}

impl Writer {
    /// Handles requests until the store is closed.
    ///
    /// A panic does not end the thread. Without the thread, no object could be changed, and an end
    /// of the process would close all connections. The state that readers see is complete, since no
    /// code that can panic changes it, so the rest is built from it again.
    pub(super) fn run(mut self) {
        let mut is_open = true;
        while is_open {
            let turn = catch_unwind(AssertUnwindSafe(|| self.turn(&mut is_open)));
            if turn.is_err() {
                self.recover_from_panic();
            }
        }
        if !self.outage.is_closed() && !self.unsynced.changes.is_empty() {
            _ = self.store(&[]);
        }
        if let Err(error) = self.disk.close() {
            tracing::error!(
                path = %self.disk.path().display(),
                error = &error as &dyn std::error::Error,
                "cannot close the file of the store; it is checked when it is opened again"
            );
        }
    }

    /// Handles the requests that wait, and what is due. Sets `is_open` to `false` if the store is
    /// closed.
    fn turn(&mut self, is_open: &mut bool) {
        let requests = self.receive(is_open);
        let is_ephemeral = |request: &Request| request.durability == Durability::Ephemeral;
        let (ephemeral, synced) = requests.into_iter().partition(is_ephemeral);
        self.write(ephemeral, Durability::Ephemeral);
        self.write(synced, Durability::Synced);
        if *is_open {
            self.retry_disk();
            self.sync_when_due();
            self.collect_garbage();
        }
    }

    /// Builds the state of this thread from the one that readers see. The file is written again
    /// from memory, because a damaged page of it may have caused the panic.
    fn recover_from_panic(&mut self) {
        let now = self.identities.now();
        self.collector = Collector::new(self.catalog.clone(), self.state.read().objects(), now);
        self.disk.distrust();
        self.fail(DiskError::panicked());
    }

    /// Waits for requests or for the next deadline. Sets `is_open` to `false` if the store is
    /// closed.
    fn receive(&self, is_open: &mut bool) -> Vec<Request> {
        let is_busy = !self.outage.is_closed() && self.collector.has_work(self.identities.now());
        let first = match self.next_wake() {
            _ if is_busy => self.receiver.try_recv().map_err(|error| match error {
                TryRecvError::Empty => RecvTimeoutError::Timeout,
                TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            }),
            None => self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => {
                let timeout = due.saturating_duration_since(Instant::now());
                self.receiver.recv_timeout(timeout)
            }
        };
        let mut requests = Vec::new();
        let mut next = match first {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Message::Close),
        };
        while let Some(message) = next {
            match message {
                Message::Write(request) => requests.push(request),
                // Requests before the message are still answered.
                Message::Close => {
                    *is_open = false;
                    break;
                }
            }
            next = (requests.len() < MAX_GROUP).then(|| self.receiver.try_recv().ok()).flatten();
        }
        requests
    }

    /// Returns the time of the next attempt to open the file; else the time when ephemeral changes
    /// are written or an object expires.
    fn next_wake(&self) -> Option<Instant> {
        if let Some(retry_at) = self.outage.retry_at() {
            return Some(retry_at);
        }
        let expiry = self.collector.next_expiry().map(|time| {
            let wait = time.duration_since(self.identities.now());
            let wait = Duration::try_from(wait).unwrap_or_default();
            Instant::now() + wait.min(MAX_EXPIRY_WAIT)
        });
        [expiry, self.unsynced.due].into_iter().flatten().min()
    }

    /// Evaluates a group of requests, stores and publishes its changes, and answers.
    fn write(&mut self, requests: Vec<Request>, durability: Durability) {
        let requests = match self.outage.error() {
            Some(error) if durability == Durability::Synced => {
                let error = WriteError::of_disk(error);
                let (checked, refused): (Vec<_>, _) =
                    requests.into_iter().partition(|request| request.is_dry_run());
                refused.into_iter().for_each(|request| request.refuse(&error));
                checked
            }
            _ => requests,
        };
        if requests.is_empty() {
            return;
        }
        let state = self.state.read();
        let mut staging = self.staging(&state);
        let mut answers = Vec::new();
        for Request { writes, reply, _permit, .. } in requests {
            let results: Vec<_> = writes.into_iter().map(|write| staging.write(write?)).collect();
            answers.push((reply, results));
        }
        let changes = staging.into_changes();
        drop(state);
        let stored = match durability {
            Durability::Ephemeral => {
                self.keep_unsynced(&changes);
                Ok(())
            }
            Durability::Synced if changes.is_empty() && !self.has_unsynced_result(&answers) => {
                Ok(())
            }
            Durability::Synced => self.store(&changes),
        };
        if stored.is_ok() {
            self.publish(&changes);
        }
        for (reply, mut results) in answers {
            if let Err(error) = &stored {
                // The result of each write depends on the writes before it.
                results.fill(Err(error.clone()));
            }
            // A caller that no longer waits does not undo its write.
            _ = reply.send(results);
        }
    }

    /// Returns `true` if a result contains a state that is not on disk.
    fn has_unsynced_result<R>(
        &self,
        answers: &[(R, Vec<Result<WriteResult, WriteError>>)],
    ) -> bool {
        let mut results = answers.iter().flat_map(|(_, results)| results).flatten();
        !self.unsynced.changes.is_empty()
            && results.any(|written| self.unsynced.changes.contains_key(written.object.key()))
    }

    /// Stores changes, and the ephemeral ones before them.
    pub(super) fn store(&mut self, changes: &[Change]) -> Result<(), WriteError> {
        let mut all = std::mem::take(&mut self.unsynced).changes;
        for change in changes {
            let (key, object) = stored_state(change);
            all.insert(key, object);
        }
        if let Some(newest) = changes.last() {
            self.newest_assigned = newest.object().revision();
        }
        let revision = self.newest_revision(&self.state.read());
        match self.disk.commit(&all, revision) {
            Ok(()) => {
                self.outage.end();
                Ok(())
            }
            Err(error) => Err(WriteError::of_disk(&self.fail(error))),
        }
    }

    /// Closes the file until the next attempt. Changes that are not on disk are written when it is
    /// opened again.
    fn fail(&mut self, error: DiskError) -> Arc<DiskError> {
        self.unsynced = Unsynced::default();
        self.outage.record(error)
    }

    /// Opens the file again if the delay of the backoff is over.
    fn retry_disk(&mut self) {
        if self.outage.retry_at().is_none_or(|retry_at| Instant::now() < retry_at) {
            return;
        }
        let reopened = {
            let state = self.state.read();
            let revision = self.newest_revision(&state);
            self.disk.reopen(state.objects(), &self.catalog, self.floor, revision)
        };
        match reopened {
            Ok(()) => self.outage.reopened(),
            Err(error) => _ = self.fail(error),
        }
    }

    /// Begins changes on top of a state.
    ///
    /// A revision is assigned once, also if its change could not be stored: the disk may have
    /// stored it after all.
    pub(super) fn staging<'a>(&'a self, state: &'a State) -> Staging<'a> {
        let newest = self.newest_revision(state);
        let namespaces = self.catalog.namespaces();
        Staging::new(state, newest, &self.identities, namespaces, self.limits)
    }

    fn newest_revision(&self, state: &State) -> Revision {
        self.newest_assigned.max(state.revision())
    }

    fn keep_unsynced(&mut self, changes: &[Change]) {
        // After a failure, the whole state is compared with the file.
        if changes.is_empty() || self.disk.is_memory() || self.outage.is_closed() {
            return;
        }
        self.unsynced.due.get_or_insert_with(|| Instant::now() + SYNC_DELAY);
        self.unsynced.changes.extend(changes.iter().map(stored_state));
    }

    fn sync_when_due(&mut self) {
        if self.unsynced.due.is_some_and(|due| due <= Instant::now()) {
            _ = self.store(&[]);
        }
    }

    pub(super) fn publish(&mut self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        self.state.publish(changes, &self.newest);
        let now = self.identities.now();
        changes.iter().for_each(|change| self.collector.note(change, now));
    }

    /// Runs one round of the garbage collector.
    fn collect_garbage(&mut self) {
        let now = self.identities.now();
        if self.outage.is_closed() || !self.collector.has_work(now) {
            return;
        }
        let state = self.state.read();
        let (steps, checked) = self.collector.next_round(state.objects(), now);
        let mut staging = self.staging(&state);
        for (key, step) in steps {
            if let Err(error) = staging.step(&key, step) {
                let error = &error as &dyn std::error::Error;
                tracing::error!(object = %key, error, "internal error: the garbage collector cannot change an object");
            }
        }
        let changes = staging.into_changes();
        drop(state);
        if changes.is_empty() {
            return;
        }
        match self.store(&changes) {
            Ok(()) => self.publish(&changes),
            Err(_) => self.collector.retry(&checked),
        }
    }
}

/// Returns the key, and the object that is stored after the change.
fn stored_state(change: &Change) -> (Key, Option<Arc<StoredObject>>) {
    let object = change.object();
    let stored = change.kind() != ChangeKind::Deleted;
    (object.key().clone(), stored.then(|| object.clone()))
}
