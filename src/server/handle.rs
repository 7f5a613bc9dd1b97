//! The way to a running gateway.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::control::Drain;
use super::report::{ListenerReport, Report};
use crate::forward::Counters;
use crate::model::StatusReport;
use crate::plan::ListenerId;

/// A running gateway. When the handle is dropped, the gateway stops at once;
/// [`drain`](Self::drain) is the gentle way.
#[derive(Debug)]
#[must_use = "a gateway stops when its handle is dropped"]
pub struct Handle {
    reports: watch::Receiver<Option<Arc<Report>>>,
    counters: Counters,
    commands: mpsc::Sender<Drain>,
}

/// The reports of a gateway, as they come.
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

    /// The state of the gateway.
    pub fn report(&self) -> Arc<Report> {
        self.reports.borrow().clone().expect("a handle is made after the first report")
    }

    /// The reports from now on, the present one first.
    pub fn reports(&self) -> Reports {
        let mut reports = self.reports.clone();
        reports.mark_changed();
        Reports(reports)
    }

    /// The listeners and the addresses they are bound to, or why they are not.
    pub fn listeners(&self) -> BTreeMap<ListenerId, ListenerReport> {
        self.report().listeners.clone()
    }

    /// What is said of the objects.
    pub fn status(&self) -> Arc<StatusReport> {
        self.report().status.clone()
    }

    /// The counters of the data path.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// Takes no more connections, waits until the live ones have ended, and stops. Connections
    /// that still live after `timeout` are reset.
    ///
    /// # Cancel safety
    /// Whoever stops waiting stops the gateway at once.
    pub async fn drain(self, timeout: Duration) {
        let (done, is_done) = oneshot::channel();
        // Where the gateway is gone, there is nothing left to drain.
        if self.commands.send(Drain { timeout, done }).await.is_ok() {
            let _ = is_done.await;
        }
    }

    /// Stops at once; live connections are reset.
    pub async fn shutdown(self) {
        self.drain(Duration::ZERO).await;
    }
}

impl Reports {
    /// Waits for a report that has not been seen; `None` once the gateway has stopped. Reports in
    /// between may be skipped, the newest never is.
    ///
    /// # Cancel safety
    /// Cancel safe: a report is seen only when it is returned.
    pub async fn next(&mut self) -> Option<Arc<Report>> {
        self.0.changed().await.ok()?;
        self.0.borrow_and_update().clone()
    }
}
