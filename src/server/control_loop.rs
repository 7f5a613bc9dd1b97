//! The control loop: it translates snapshots, applies plans and reports the results.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::address_cooldown::Cooldown;
use super::changes::PlanChanges;
use super::command::Drain;
use super::duty_cycle::DutyCycle;
use super::error::StartError;
use super::local_address;
use super::own_ports;
use super::report::Report;
use super::report_log::log_changes;
use super::source_set::SourceSet;
use crate::forward::Forwarder;
use crate::model::{Resources, Timestamp};
use crate::plan::{BindError, ListenerId};
use crate::sources::{Source, StatusUpdate};
use crate::translate::{Assignments, Settings, Translation, evaluate, translate};

/// The interval of attempts to open listeners that could not be opened.
const BIND_RETRY_INTERVAL: Duration = Duration::from_millis(500);

pub(super) struct ControlLoop {
    settings: Settings,
    assignments: Assignments,
    cooldown: Cooldown,
    forwarder: Forwarder,
    reporter: watch::Sender<Option<Arc<Report>>>,
    sources: SourceSet,
    duty_cycle: DutyCycle,
    /// Problems with objects that several sources contain.
    duplicate_problems: Vec<String>,
    resources: Arc<Resources>,
    translation: Translation,
    bind_errors: BTreeMap<ListenerId, Vec<BindError>>,
    /// Differences of the plan since the last report.
    plan_changes: PlanChanges,
}

impl ControlLoop {
    pub(super) fn new(
        settings: Settings,
        cooldown: Duration,
        forwarder: Forwarder,
        reporter: watch::Sender<Option<Arc<Report>>>,
    ) -> Self {
        let resources = Arc::new(Resources::new());
        let assignments = Assignments::default();
        let translation = translate(&resources, &settings, &assignments);
        Self {
            settings,
            assignments,
            cooldown: Cooldown::new(cooldown),
            forwarder,
            reporter,
            sources: SourceSet::default(),
            duty_cycle: DutyCycle::new(Instant::now()),
            duplicate_problems: Vec::new(),
            resources,
            translation,
            bind_errors: BTreeMap::new(),
            plan_changes: PlanChanges::default(),
        }
    }

    /// Runs until the server is drained or its handle is dropped. The caller notifies the returned
    /// sender after it has dropped everything else of the server.
    pub(super) async fn run(
        mut self,
        sources: Vec<Box<dyn Source>>,
        mut commands: mpsc::Receiver<Drain>,
        mut started: oneshot::Sender<Result<(), StartError>>,
    ) -> Option<oneshot::Sender<()>> {
        self.sources = SourceSet::start(sources);
        let first = tokio::select! {
            first = self.sources.wait_for_first_snapshots() => first,
            // The caller no longer waits for the start.
            () = started.closed() => return None,
        };
        if let Err(error) = first {
            let _ = started.send(Err(error));
            return None;
        }
        self.update().await;
        if started.send(Ok(())).is_err() {
            return None;
        }
        let mut retry_at = Instant::now() + BIND_RETRY_INTERVAL;
        loop {
            let expiry = self.cooldown.next_expiry();
            let (sources, next_pass) = (&mut self.sources, self.duty_cycle.next_start());
            tokio::select! {
                command = commands.recv() => {
                    let Drain { timeout, mut done } = command?;
                    tokio::select! {
                        () = self.forwarder.drain(timeout) => {}
                        // The caller no longer waits for the drain: stop at once.
                        () = done.closed() => {}
                    }
                    return Some(done);
                }
                events = async {
                    // The sources are not asked for snapshots before the next pass may start.
                    sleep_until(next_pass).await;
                    sources.next().await
                } => {
                    for (index, event) in events {
                        self.sources.handle(index, event);
                    }
                    self.update().await;
                }
                () = sleep_until(retry_at), if !self.forwarder.bindings().errors.is_empty() => {
                    self.retry().await;
                    retry_at = Instant::now() + BIND_RETRY_INTERVAL;
                }
                // `select!` evaluates the future even if the guard is false.
                () = sleep_until(expiry.unwrap_or(retry_at)), if expiry.is_some() => {
                    self.cooldown.expire(&mut self.assignments, Instant::now());
                    self.translate_and_apply().await;
                    self.report();
                }
            }
        }
    }

    /// Applies the newest snapshots and reports the result.
    async fn update(&mut self) {
        let start = Instant::now();
        let (resources, duplicates) = self.sources.merge();
        self.duplicate_problems = duplicates;
        if resources != *self.resources || self.reporter.borrow().is_none() {
            self.resources = Arc::new(resources);
            self.translate_and_apply().await;
        }
        self.report();
        self.duty_cycle.record(start, Instant::now());
    }

    async fn translate_and_apply(&mut self) {
        // Interfaces get other addresses at run time. If the addresses cannot be listed, for
        // example because file descriptors are exhausted, the last ones stay in use.
        match local_address::list() {
            Ok(addresses) => self.settings.own_addresses = addresses.into_iter().collect(),
            Err(error) => debug!(%error, "cannot list the addresses of this host"),
        }
        let evaluation = evaluate(&self.resources, &self.settings, &self.assignments);
        // The plan is applied before the status is built: connections need only the plan.
        let bindings = self.forwarder.apply(evaluation.plan()).await;
        self.bind_errors = own_ports::explain(&bindings.errors, &self.settings.own_sockets);
        let translation = evaluation.finish(self.bind_errors.clone());
        let previous = mem::replace(&mut self.translation, translation);
        self.set_transition_times();
        self.plan_changes = PlanChanges::between(&previous.plan, &self.translation.plan);
        self.assignments = self.translation.assignments.clone();
        self.cooldown.update(&self.assignments, Instant::now());
    }

    /// Tries again to open the listeners that could not be opened.
    async fn retry(&mut self) {
        if let Some(bindings) = self.forwarder.retry().await {
            self.bind_errors = own_ports::explain(&bindings.errors, &self.settings.own_sockets);
            self.translation.set_bind_errors(self.bind_errors.clone());
            self.set_transition_times();
            self.report();
        }
    }

    /// Sets the transition times of the conditions of this pass. Conditions that do not change keep
    /// the times of the last report, so a status stays equal to that of the report.
    fn set_transition_times(&mut self) {
        let previous = self.reporter.borrow().clone().unwrap_or_default();
        let status = Arc::make_mut(&mut self.translation.status);
        status.set_transition_times(
            &self.resources,
            &previous.status,
            &previous.resources,
            Timestamp::now(),
        );
    }

    /// Publishes a report, unless it equals the one before.
    fn report(&mut self) {
        let problems = self.sources.problems().chain(self.duplicate_problems.iter().cloned());
        let mut report = Report::new(
            self.resources.clone(),
            &self.translation,
            &self.forwarder.bindings().bound,
            &self.bind_errors,
            problems.collect(),
            self.sources.failed_names().map(str::to_owned).collect(),
        );
        let previous = self.reporter.borrow().clone();
        // The previous `Arc` is used again if the status is equal, so that sources can compare
        // statuses by pointer.
        if let Some(previous) =
            previous.as_ref().filter(|previous| previous.status == report.status)
        {
            report.status = previous.status.clone();
        }
        if previous.as_deref() == Some(&report) {
            return;
        }
        log_changes(previous.as_deref(), &report, mem::take(&mut self.plan_changes));
        self.sources.send_status(&StatusUpdate {
            resources: report.resources.clone(),
            status: report.status.clone(),
            gateway_services: self.translation.gateway_services.clone(),
        });
        self.reporter.send_replace(Some(Arc::new(report)));
    }
}
