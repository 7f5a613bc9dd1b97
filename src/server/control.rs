//! The control path: snapshots in, plan and status out, over and over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::builder::StartError;
use super::report::Report;
use crate::forward::{Bindings, Forwarder};
use crate::model::Resources;
use crate::sources::{Snapshot, Source, SourceError, feed};
use crate::translate::{Settings, StatusReport, Translation, translate};

/// How often to try again what could not be opened.
const RETRY: Duration = Duration::from_millis(500);

/// Snapshots on their way from the sources; a source waits when there are more.
const QUEUE: usize = 16;

/// What the handle asks for.
#[derive(Debug)]
pub(super) struct Drain {
    pub(super) timeout: Duration,
    pub(super) done: oneshot::Sender<()>,
}

pub(super) struct Control {
    settings: Settings,
    forwarder: Forwarder,
    reporter: watch::Sender<Option<Arc<Report>>>,
    sources: Vec<Input>,
    resources: Arc<Resources>,
    translation: Translation,
    bindings: Bindings,
}

/// A source, seen from here.
struct Input {
    name: String,
    latest: Option<Arc<Snapshot>>,
    /// Whether its first snapshot is still to be waited for.
    is_awaited: bool,
    status: watch::Sender<Arc<StatusReport>>,
}

/// What a source has to say; the number is its place.
enum Event {
    Snapshot(usize, Arc<Snapshot>),
    Ended(usize, Result<(), SourceError>),
}

impl Control {
    pub(super) fn new(
        settings: Settings,
        forwarder: Forwarder,
        reporter: watch::Sender<Option<Arc<Report>>>,
    ) -> Self {
        let resources = Arc::new(Resources::new());
        let translation = translate(&resources, &settings);
        let bindings = Bindings::default();
        Self {
            settings,
            forwarder,
            reporter,
            sources: Vec::new(),
            resources,
            translation,
            bindings,
        }
    }

    /// Runs until drained, or until nobody holds the handle any more.
    pub(super) async fn run(
        mut self,
        sources: Vec<Box<dyn Source>>,
        mut commands: mpsc::Receiver<Drain>,
        starter: oneshot::Sender<Result<(), StartError>>,
    ) {
        let mut events = self.start_sources(sources);
        if let Err(error) = self.first_snapshots(&mut events).await {
            // The caller may have given up waiting; then there is nobody to tell.
            let _ = starter.send(Err(error));
            return;
        }
        self.update().await;
        if starter.send(Ok(())).is_err() {
            return;
        }
        let mut retry_at = Instant::now() + RETRY;
        loop {
            tokio::select! {
                command = commands.recv() => {
                    if let Some(Drain { timeout, done }) = command {
                        self.forwarder.drain(timeout).await;
                        drop(self);
                        let _ = done.send(());
                    }
                    return;
                }
                Some(event) = events.recv() => {
                    self.take(event);
                    // Whatever else has come in the meantime is dealt with in the same pass.
                    while let Ok(event) = events.try_recv() {
                        self.take(event);
                    }
                    self.update().await;
                }
                () = sleep_until(retry_at), if !self.bindings.failures.is_empty() => {
                    if let Some(bindings) = self.forwarder.retry().await {
                        self.bindings = bindings;
                        self.report();
                    }
                    retry_at = Instant::now() + RETRY;
                }
            }
        }
    }

    fn start_sources(&mut self, sources: Vec<Box<dyn Source>>) -> mpsc::Receiver<Event> {
        let (sender, events) = mpsc::channel(QUEUE);
        for (place, source) in sources.into_iter().enumerate() {
            let (feed, fed) = feed();
            let (mut snapshots, status) = fed.into_parts();
            let name = source.name();
            self.sources.push(Input { name, latest: None, is_awaited: true, status });
            let running = tokio::spawn(source.run(feed));
            let sender = sender.clone();
            tokio::spawn(async move {
                // A send fails only where the gateway has stopped.
                while let Some(snapshot) = snapshots.next().await {
                    let _ = sender.send(Event::Snapshot(place, snapshot)).await;
                }
                let ended = running.await.unwrap_or_else(|panic| Err(panic.into()));
                let _ = sender.send(Event::Ended(place, ended)).await;
            });
        }
        events
    }

    async fn first_snapshots(
        &mut self,
        events: &mut mpsc::Receiver<Event>,
    ) -> Result<(), StartError> {
        while self.sources.iter().any(|source| source.is_awaited) {
            let Some(event) = events.recv().await else { break };
            match event {
                Event::Ended(place, Err(error)) if self.sources[place].is_awaited => {
                    let name = self.sources[place].name.clone();
                    return Err(StartError::Source { name, error });
                }
                event => self.take(event),
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Snapshot(place, snapshot) => {
                self.sources[place].is_awaited = false;
                self.sources[place].latest = Some(snapshot);
            }
            Event::Ended(place, ended) => {
                let source = &mut self.sources[place];
                source.is_awaited = false;
                if let Err(error) = ended {
                    tracing::error!(source = %source.name, %error, "source has failed; its last snapshot stays in force");
                }
            }
        }
    }

    /// Brings plan and status in line with the newest snapshots.
    async fn update(&mut self) {
        let resources = self.merge();
        if *resources != *self.resources || self.reporter.borrow().is_none() {
            self.resources = resources;
            self.translation = translate(&self.resources, &self.settings);
            self.bindings = self.forwarder.apply(&self.translation.plan).await;
        }
        self.report();
    }

    /// The objects of all sources; of two with one name, that of the earlier source.
    fn merge(&self) -> Arc<Resources> {
        let mut snapshots = self.sources.iter().rev().filter_map(|source| source.latest.as_ref());
        let mut merged = snapshots.next().map(|last| last.resources.clone()).unwrap_or_default();
        for snapshot in snapshots {
            merged.extend(snapshot.resources.objects());
        }
        Arc::new(merged)
    }

    fn report(&self) {
        let snapshots = self.sources.iter().filter_map(|source| source.latest.as_ref());
        let problems = snapshots.flat_map(|snapshot| snapshot.problems.iter().cloned()).collect();
        let report =
            Report::new(self.resources.clone(), &self.translation, &self.bindings, problems);
        let before = self.reporter.borrow().clone();
        if before.as_deref() == Some(&report) {
            return;
        }
        log(before.as_deref(), &report);
        for source in &self.sources {
            source.status.send_replace(report.status.clone());
        }
        self.reporter.send_replace(Some(Arc::new(report)));
    }
}

/// Says once what an operator should know: what is open, what is not, what is wrong.
fn log(before: Option<&Report>, now: &Report) {
    let nothing = BTreeMap::new();
    let (listeners, problems) =
        before.map_or((&nothing, &[][..]), |before| (&before.listeners, &before.problems[..]));
    for (id, listener) in &now.listeners {
        let before = listeners.get(id);
        if before.is_none_or(|before| before.bound != listener.bound) {
            for address in &listener.bound {
                tracing::info!(listener = %id, %address, "listening");
            }
        }
        for failure in &listener.failures {
            if before.is_none_or(|before| !before.failures.contains(failure)) {
                tracing::warn!(listener = %id, address = %failure.address, reason = failure.message, "cannot listen; trying again");
            }
        }
    }
    for id in listeners.keys().filter(|id| !now.listeners.contains_key(id)) {
        tracing::info!(listener = %id, "no longer listening");
    }
    for problem in now.problems.iter().filter(|problem| !problems.contains(problem)) {
        tracing::warn!("{problem}");
    }
}
