//! The sources of a gateway: their tasks, their newest snapshots and their failures.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::error::StartError;
use crate::model::Resources;
use crate::sources::{Feed, Snapshot, Source, SourceError, StatusUpdate};

/// The maximum number of queued events; a source waits while the queue is full.
const QUEUE_LENGTH: usize = 16;

/// The sources of a gateway. Earlier sources have precedence.
#[derive(Default)]
pub(super) struct SourceSet(Vec<SourceState>);

/// The state of a source.
struct SourceState {
    name: String,
    latest: Option<Arc<Snapshot>>,
    /// The error with which the source has ended.
    failure: Option<String>,
    /// The gateway waits for the first snapshot of the source.
    is_awaited: bool,
    status: watch::Sender<StatusUpdate>,
}

/// An event of the source with this index.
pub(super) enum SourceEvent {
    Snapshot(usize, Arc<Snapshot>),
    Ended(usize, Result<(), SourceError>),
}

impl SourceSet {
    /// Starts a task for each source. Their events arrive in the receiver.
    pub(super) fn start(sources: Vec<Box<dyn Source>>) -> (Self, mpsc::Receiver<SourceEvent>) {
        let (sender, events) = mpsc::channel(QUEUE_LENGTH);
        let start = |(index, source)| SourceState::start(index, source, sender.clone());
        (Self(sources.into_iter().enumerate().map(start).collect()), events)
    }

    /// Waits for the first snapshot of every source.
    ///
    /// # Errors
    /// [`StartError::Source`] if a source fails before that.
    pub(super) async fn wait_for_first_snapshots(
        &mut self,
        events: &mut mpsc::Receiver<SourceEvent>,
    ) -> Result<(), StartError> {
        while self.0.iter().any(|source| source.is_awaited) {
            let Some(event) = events.recv().await else { break };
            match event {
                SourceEvent::Ended(index, Err(source)) if self.0[index].is_awaited => {
                    let name = self.0[index].name.clone();
                    return Err(StartError::Source { name, source });
                }
                event => self.handle(event),
            }
        }
        Ok(())
    }

    /// Records an event.
    pub(super) fn handle(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Snapshot(index, snapshot) => {
                self.0[index].is_awaited = false;
                self.0[index].latest = Some(snapshot);
            }
            SourceEvent::Ended(index, result) => {
                let source = &mut self.0[index];
                source.is_awaited = false;
                source.failure = result.err().map(|error| {
                    format!(
                        "source {} failed: {}. Its last objects stay in use, but it receives no further updates; restart the program",
                        source.name,
                        describe(&*error)
                    )
                });
            }
        }
    }

    /// Merges the objects of all sources. If several sources contain the same object, the object of
    /// the earliest source is used, and a problem reports the others.
    pub(super) fn merge(&self) -> (Resources, Vec<String>) {
        let latest = |source: &SourceState| Some((source.name.clone(), source.latest.clone()?));
        let mut snapshots = self.0.iter().rev().filter_map(latest);
        let mut merged =
            snapshots.next().map(|(_, last)| last.resources.clone()).unwrap_or_default();
        let mut duplicates = Vec::new();
        for (name, snapshot) in snapshots {
            for (key, object) in &snapshot.resources.unserved {
                merged.unserved.insert(key.clone(), object.clone());
            }
            for object in snapshot.resources.objects() {
                let key = object.key();
                if merged.insert(object).is_some() {
                    duplicates.push(format!(
                        "{key}: several sources contain this object; the one of source {name} is used. Remove it from the other sources"
                    ));
                }
            }
        }
        (merged, duplicates)
    }

    /// Returns the problems that the sources have found in their input, and their failures.
    pub(super) fn problems(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().flat_map(|source| {
            let latest = source.latest.iter().flat_map(|latest| &latest.problems);
            latest.chain(&source.failure).cloned()
        })
    }

    /// Returns the names of the sources that have failed.
    pub(super) fn failed_names(&self) -> impl Iterator<Item = &str> {
        let failed = self.0.iter().filter(|source| source.failure.is_some());
        failed.map(|source| source.name.as_str())
    }

    /// Sends a status update to every source.
    pub(super) fn send_status(&self, update: &StatusUpdate) {
        for source in &self.0 {
            source.status.send_replace(update.clone());
        }
    }
}

impl SourceState {
    fn start(index: usize, source: Box<dyn Source>, events: mpsc::Sender<SourceEvent>) -> Self {
        let (feed, receiver) = Feed::channel();
        let (mut snapshots, status) = receiver.into_parts();
        let name = source.name();
        let running = tokio::spawn(source.run(feed));
        tokio::spawn(async move {
            // Sending fails only after the gateway has stopped.
            while let Some(snapshot) = snapshots.next().await {
                let _ = events.send(SourceEvent::Snapshot(index, snapshot)).await;
            }
            let result = running.await.unwrap_or_else(|panic| Err(panic.into()));
            let _ = events.send(SourceEvent::Ended(index, result)).await;
        });
        Self { name, latest: None, failure: None, is_awaited: true, status }
    }
}

/// Joins the messages of an error and its sources.
fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let messages: Vec<_> = std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect();
    messages.join(": ")
}
