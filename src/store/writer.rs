//! The thread that evaluates and stores all writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::backoff::Backoff;
use super::change::{Change, ChangeKind};
use super::collect::Collector;
use super::disk::{DiskError, Medium};
use super::error::WriteError;
use super::evaluate::{Identities, Limits, Staging};
use super::key::Key;
use super::request::{Message, Request};
use super::resource::Catalog;
use super::revision::Revision;
use super::state::SharedState;
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
    pub(super) backoff: Backoff,
    pub(super) failure: Option<Failure>,
    pub(super) unsynced: Unsynced,
}

/// Ephemeral changes that are not on disk.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    changes: BTreeMap<Key, Option<Arc<StoredObject>>>,
    due: Option<Instant>,
}

/// Error of the disk, and the time of the next attempt.
#[derive(Debug)]
pub(super) struct Failure {
    error: Arc<DiskError>,
    retry_at: Instant,
}

impl Writer {
    /// Handles requests until the store is closed.
    pub(super) fn run(mut self) {
        while let Some(requests) = self.receive() {
            let is_ephemeral = |request: &Request| request.durability == Durability::Ephemeral;
            let (ephemeral, synced) = requests.into_iter().partition(is_ephemeral);
            self.write(ephemeral, Durability::Ephemeral);
            self.write(synced, Durability::Synced);
            self.retry_disk();
            self.sync_when_due();
            self.collect_garbage();
        }
        if self.failure.is_none() && !self.unsynced.changes.is_empty() {
            _ = self.store(&[]);
        }
        if let Err(error) = self.disk.close() {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot close the file of the store; it is checked when it is opened again"
            );
        }
    }

    /// Waits for requests or for the next deadline. Returns `None` when the store is closed.
    fn receive(&mut self) -> Option<Vec<Request>> {
        let first = if self.failure.is_none() && self.collector.has_work(self.identities.now()) {
            match self.receiver.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Empty) => return Some(Vec::new()),
                Err(TryRecvError::Disconnected) => return None,
            }
        } else {
            match self.next_wake() {
                None => self.receiver.recv().ok()?,
                Some(due) => {
                    let timeout = due.saturating_duration_since(Instant::now());
                    match self.receiver.recv_timeout(timeout) {
                        Ok(message) => message,
                        Err(RecvTimeoutError::Timeout) => return Some(Vec::new()),
                        Err(RecvTimeoutError::Disconnected) => return None,
                    }
                }
            }
        };
        let mut requests = Vec::new();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Write(request) => requests.push(request),
                // Requests before the message are still answered.
                Message::Close if requests.is_empty() => return None,
                Message::Close => {
                    self.write(requests, Durability::Synced);
                    return None;
                }
            }
            next = (requests.len() < MAX_GROUP).then(|| self.receiver.try_recv().ok()).flatten();
        }
        Some(requests)
    }

    /// Returns the time of the next attempt to open the file; else the time when ephemeral changes
    /// are written or an object expires.
    fn next_wake(&self) -> Option<Instant> {
        if let Some(failure) = &self.failure {
            return Some(failure.retry_at);
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
        let requests = match &self.failure {
            Some(failure) if durability == Durability::Synced => {
                let error = WriteError::of_disk(&failure.error);
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
        let namespaces = self.catalog.namespaces();
        let mut staging = Staging::new(&state, &self.identities, namespaces, self.limits);
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
        let newest = changes.last().map(|change| change.object().revision());
        let revision = newest.unwrap_or_else(|| self.state.read().revision());
        match self.disk.commit(&all, revision) {
            Ok(()) => {
                self.backoff.reset();
                Ok(())
            }
            Err(error) => Err(WriteError::of_disk(&self.fail(error))),
        }
    }

    /// Logs an error of the disk. Changes that are not on disk are written after the file is open
    /// again.
    fn fail(&mut self, error: DiskError) -> Arc<DiskError> {
        let delay = self.backoff.next_delay();
        tracing::error!(
            error = &error as &dyn std::error::Error,
            retry_in = ?delay,
            "the store cannot write its file; writes are refused until it can"
        );
        self.unsynced = Unsynced::default();
        let error = Arc::new(error);
        self.failure = Some(Failure { error: error.clone(), retry_at: Instant::now() + delay });
        error
    }

    /// Opens the file again if the delay of the backoff is over.
    fn retry_disk(&mut self) {
        if self.failure.as_ref().is_none_or(|failure| Instant::now() < failure.retry_at) {
            return;
        }
        let reopened = {
            let state = self.state.read();
            self.disk.reopen(state.objects(), &self.catalog, self.floor, state.revision())
        };
        match reopened {
            Ok(()) => {
                tracing::info!("the store can write its file again");
                self.failure = None;
            }
            Err(error) => _ = self.fail(error),
        }
    }

    fn keep_unsynced(&mut self, changes: &[Change]) {
        // After a failure, the whole state is compared with the file.
        if changes.is_empty() || self.disk.is_memory() || self.failure.is_some() {
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
        if self.failure.is_some() || !self.collector.has_work(now) {
            return;
        }
        let state = self.state.read();
        let (steps, checked) = self.collector.next_round(state.objects(), now);
        let namespaces = self.catalog.namespaces();
        let mut staging = Staging::new(&state, &self.identities, namespaces, self.limits);
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
