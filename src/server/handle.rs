//! The handle of a running gateway.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::command::Drain;
use super::report::{ListenerReport, Report};
use crate::forward::Counters;
use crate::model::StatusReport;
use crate::plan::ListenerId;

/// The handle of a running gateway. Dropping it stops the gateway at once and resets open
/// connections; [`drain`](Self::drain) lets them finish.
#[derive(Debug)]
#[must_use = "a gateway stops when its handle is dropped"]
pub struct Handle {
    reports: watch::Receiver<Option<Arc<Report>>>,
    counters: Counters,
    commands: mpsc::Sender<Drain>,
}

/// A stream of the reports of a gateway.
#[derive(Debug, Clone)]
pub struct Reports(watch::Receiver<Option<Arc<Report>>>);

impl Handle {
    pub(super) fn new(
        reports: watch::Receiver<Option<Arc<Report>>>,
        counters: Counters,
        commands: mpsc::Sender<Drain>,
    ) -> Self {
        Self { reports, counters, commands }
    }

    /// Returns the latest report.
    pub fn report(&self) -> Arc<Report> {
        self.reports.borrow().clone().expect("a handle is made after the first report")
    }

    /// Returns a stream of the reports; the first is the latest one.
    pub fn reports(&self) -> Reports {
        let mut reports = self.reports.clone();
        reports.mark_changed();
        Reports(reports)
    }

    /// Returns the state of each listener of the plan.
    pub fn listeners(&self) -> BTreeMap<ListenerId, ListenerReport> {
        self.report().listeners.clone()
    }

    /// Returns the status of the objects.
    pub fn status(&self) -> Arc<StatusReport> {
        self.report().status.clone()
    }

    /// Returns the counters of the data path.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// Stops accepting connections, waits for the open ones to end, and stops the gateway.
    /// Connections that are still open after `timeout` are reset.
    ///
    /// # Cancel safety
    /// If the future is dropped, the gateway stops at once.
    pub async fn drain(self, timeout: Duration) {
        let (done, is_done) = oneshot::channel();
        // If the gateway has stopped already, there is nothing to drain.
        if self.commands.send(Drain { timeout, done }).await.is_ok() {
            let _ = is_done.await;
        }
    }

    /// Stops the gateway at once; open connections are reset.
    pub async fn shutdown(self) {
        self.drain(Duration::ZERO).await;
    }
}

impl Reports {
    /// Waits for the next report; returns `None` once the gateway has stopped. Intermediate reports
    /// may be skipped, but never the latest.
    ///
    /// # Cancel safety
    /// Cancel safe: no report is lost.
    pub async fn next(&mut self) -> Option<Arc<Report>> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }
}
