//! The control path: snapshots in, plan and status out, over and over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::builder::StartError;
use super::report::Report;
use super::rest::Rest;
use crate::forward::Forwarder;
use crate::model::Resources;
use crate::sources::{Feed, Snapshot, Source, SourceError, StatusUpdate};
use crate::translate::{Settings, Translation, evaluate, translate};

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
    rest: Rest,
    forwarder: Forwarder,
    reporter: watch::Sender<Option<Arc<Report>>>,
    sources: Vec<Input>,
    /// Objects that more than one source has.
    shadowed: Vec<String>,
    resources: Arc<Resources>,
    translation: Translation,
}

/// A source, seen from here.
struct Input {
    name: String,
    latest: Option<Arc<Snapshot>>,
    /// Why it publishes no more, where that is a failure.
    failure: Option<String>,
    /// Whether its first snapshot is still to be waited for.
    is_awaited: bool,
    status: watch::Sender<StatusUpdate>,
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
        Self {
            settings,
            rest: Rest::default(),
            forwarder,
            reporter,
            sources: Vec::new(),
            shadowed: Vec::new(),
            resources,
            translation,
        }
    }

    /// Runs until drained, or until nobody holds the handle any more. What is returned waits to be
    /// told that nothing is left.
    pub(super) async fn run(
        mut self,
        sources: Vec<Box<dyn Source>>,
        mut commands: mpsc::Receiver<Drain>,
        mut starter: oneshot::Sender<Result<(), StartError>>,
    ) -> Option<oneshot::Sender<()>> {
        let mut events = self.start_sources(sources);
        let first = tokio::select! {
            first = self.first_snapshots(&mut events) => first,
            // The caller has given up waiting.
            () = starter.closed() => return None,
        };
        if let Err(error) = first {
            let _ = starter.send(Err(error));
            return None;
        }
        self.update().await;
        if starter.send(Ok(())).is_err() {
            return None;
        }
        let mut retry_at = Instant::now() + RETRY;
        loop {
            let rested_at = self.rest.next_end();
            tokio::select! {
                command = commands.recv() => {
                    let Drain { timeout, mut done } = command?;
                    tokio::select! {
                        () = self.forwarder.drain(timeout) => {}
                        // Whoever stops waiting wants it to be over.
                        () = done.closed() => {}
                    }
                    return Some(done);
                }
                Some(event) = events.recv() => {
                    self.take(event);
                    // Whatever else has come in the meantime is dealt with in the same pass.
                    while let Ok(event) = events.try_recv() {
                        self.take(event);
                    }
                    self.update().await;
                }
                () = sleep_until(retry_at), if !self.forwarder.bindings().failures.is_empty() => {
                    if self.forwarder.retry().await.is_some() {
                        self.report();
                    }
                    retry_at = Instant::now() + RETRY;
                }
                () = sleep_until(rested_at.unwrap_or(retry_at)), if rested_at.is_some() => {
                    self.rest.end(&mut self.settings.history, Instant::now());
                    self.translate().await;
                    self.report();
                }
            }
        }
    }

    fn start_sources(&mut self, sources: Vec<Box<dyn Source>>) -> mpsc::Receiver<Event> {
        let (sender, events) = mpsc::channel(QUEUE);
        for (place, source) in sources.into_iter().enumerate() {
            let (feed, fed) = Feed::channel();
            let (mut snapshots, status) = fed.into_parts();
            let name = source.name();
            self.sources.push(Input {
                name,
                latest: None,
                failure: None,
                is_awaited: true,
                status,
            });
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
                source.failure = ended.err().map(|error| {
                    format!("source {}: {error}; what it said last stays in force", source.name)
                });
            }
        }
    }

    /// Brings plan and status in line with the newest snapshots.
    async fn update(&mut self) {
        let (resources, shadowed) = self.merge();
        self.shadowed = shadowed;
        if resources != *self.resources || self.reporter.borrow().is_none() {
            self.resources = Arc::new(resources);
            self.translate().await;
        }
        self.report();
    }

    async fn translate(&mut self) {
        let evaluation = evaluate(&self.resources, &self.settings);
        // Connections need not wait for what there is to say.
        self.forwarder.apply(evaluation.plan()).await;
        let held = evaluation.held();
        let pod_ports = evaluation.pod_ports();
        self.translation = evaluation.finish();
        self.settings.history.pod_ports = pod_ports;
        self.rest.follow(&mut self.settings.history, held, Instant::now());
    }

    /// The objects of all sources; of two with one name, that of the earlier source, and a word on
    /// the other.
    fn merge(&self) -> (Resources, Vec<String>) {
        let latest = |source: &Input| Some((source.name.clone(), source.latest.clone()?));
        let mut snapshots = self.sources.iter().rev().filter_map(latest);
        let mut merged =
            snapshots.next().map(|(_, last)| last.resources.clone()).unwrap_or_default();
        let mut shadowed = Vec::new();
        for (name, snapshot) in snapshots {
            for object in snapshot.resources.objects() {
                let key = object.key();
                if merged.insert(object).is_some() {
                    shadowed.push(format!(
                        "{key}: another source has it too; that of source {name} counts"
                    ));
                }
            }
        }
        (merged, shadowed)
    }

    /// What a person should mend.
    fn problems(&self) -> Vec<String> {
        let of_source = |source: &Input| {
            let found = source.latest.as_ref().map(|latest| latest.problems.clone());
            found.unwrap_or_default().into_iter().chain(source.failure.clone())
        };
        self.sources.iter().flat_map(of_source).chain(self.shadowed.iter().cloned()).collect()
    }

    fn report(&self) {
        let bindings = self.forwarder.bindings();
        let failed = self.sources.iter().filter(|source| source.failure.is_some());
        let mut report = Report::new(
            self.resources.clone(),
            &self.translation,
            bindings,
            self.problems(),
            failed.map(|source| source.name.clone()).collect(),
        );
        let before = self.reporter.borrow().clone();
        // Whoever hears of it again sees at a glance that it is the same.
        if let Some(before) = before.as_ref().filter(|before| before.status == report.status) {
            report.status = before.status.clone();
        }
        if before.as_deref() == Some(&report) {
            return;
        }
        log(before.as_deref(), &report);
        let said =
            StatusUpdate { resources: report.resources.clone(), status: report.status.clone() };
        for source in &self.sources {
            source.status.send_replace(said.clone());
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
