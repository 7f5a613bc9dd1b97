//! The sources of a gateway: their tasks, their newest snapshots and their failures.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::error::StartError;
use crate::model::Resources;
use crate::sources::{Feed, Snapshot, Snapshots, Source, SourceError, StatusUpdate};

/// The sources of a gateway. Earlier sources have precedence.
#[derive(Default)]
pub(super) struct SourceSet(Vec<SourceState>);

/// The state of a source.
struct SourceState {
    name: String,
    snapshots: Snapshots,
    /// The task of the source; `None` once its end is recorded.
    task: Option<JoinHandle<Result<(), SourceError>>>,
    latest: Option<Arc<Snapshot>>,
    /// The error with which the source has ended.
    failure: Option<String>,
    /// The gateway waits for the first snapshot of the source.
    is_awaited: bool,
    status: watch::Sender<StatusUpdate>,
}

/// An event of a source.
pub(super) enum SourceEvent {
    Snapshot(Arc<Snapshot>),
    Ended(Result<(), SourceError>),
}

impl SourceSet {
    /// Starts a task for each source.
    pub(super) fn start(sources: Vec<Box<dyn Source>>) -> Self {
        Self(sources.into_iter().map(SourceState::start).collect())
    }

    /// Waits for the first snapshot of every source.
    ///
    /// # Errors
    /// [`StartError::Source`] if a source fails before that.
    pub(super) async fn wait_for_first_snapshots(&mut self) -> Result<(), StartError> {
        while self.0.iter().any(|source| source.is_awaited) {
            for (index, event) in self.next().await {
                let source = &self.0[index];
                match event {
                    SourceEvent::Ended(Err(error)) if source.is_awaited => {
                        let name = source.name.clone();
                        return Err(StartError::Source { name, source: error });
                    }
                    event => self.handle(index, event),
                }
            }
        }
        Ok(())
    }

    /// Waits for events, and returns those that have arrived, each with the index of its source.
    /// While this waits, the sources are asked for snapshots. It waits forever if all sources have
    /// ended.
    ///
    /// # Cancel safety
    /// Cancel safe: no event is lost.
    pub(super) async fn next(&mut self) -> Vec<(usize, SourceEvent)> {
        let sources = self.0.iter_mut().enumerate().filter(|(_, source)| source.task.is_some());
        let mut pending: Vec<_> = sources
            .map(|(index, source)| Box::pin(async move { (index, source.next().await) }))
            .collect();
        poll_fn(|context| {
            let polled = pending.iter_mut().map(|event| event.as_mut().poll(context));
            let ready: Vec<_> = polled
                .filter_map(|polled| match polled {
                    Poll::Ready(event) => Some(event),
                    Poll::Pending => None,
                })
                .collect();
            if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
        })
        .await
    }

    /// Records an event of a source.
    pub(super) fn handle(&mut self, index: usize, event: SourceEvent) {
        let source = &mut self.0[index];
        source.is_awaited = false;
        match event {
            SourceEvent::Snapshot(snapshot) => source.latest = Some(snapshot),
            SourceEvent::Ended(result) => {
                source.task = None;
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
    fn start(source: Box<dyn Source>) -> Self {
        let (feed, receiver) = Feed::channel();
        let (snapshots, status) = receiver.into_parts();
        Self {
            name: source.name(),
            snapshots,
            task: Some(tokio::spawn(source.run(feed))),
            latest: None,
            failure: None,
            is_awaited: true,
            status,
        }
    }

    /// Waits for the next snapshot, or for the end of the source after its last snapshot.
    ///
    /// # Cancel safety
    /// Cancel safe: no snapshot is lost, and the end is returned by a later call.
    async fn next(&mut self) -> SourceEvent {
        if let Some(snapshot) = self.snapshots.next().await {
            return SourceEvent::Snapshot(snapshot);
        }
        let Some(task) = &mut self.task else { return SourceEvent::Ended(Ok(())) };
        SourceEvent::Ended(task.await.unwrap_or_else(|panic| Err(panic.into())))
    }
}

/// Joins the messages of an error and its sources.
fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let messages: Vec<_> = std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect();
    messages.join(": ")
}
