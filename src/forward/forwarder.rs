//! The engine as its user sees it.

use std::io;
use std::time::Duration;

use super::bindings::Bindings;
use super::counters::Counters;
use super::reconcile::Reconciler;
use super::settings::Settings;
use crate::plan::Plan;

/// Runs a plan.
///
/// Dropping it ends everything at once; [`drain`](Self::drain) first to let connections finish.
///
/// It takes a file descriptor for each address of a listener on each worker, and two for each
/// connection; and up to 64 for the pipes that bulk goes through, where there are any to be had. The
/// process's limit (`RLIMIT_NOFILE`, of which the soft one is often 1024) is the
/// program's to raise. Beyond it, listeners fail with
/// [`NoResources`](crate::plan::BindErrorKind::NoResources) and connections wait to be accepted.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use sluicegate::forward::{Forwarder, Settings};
/// use sluicegate::plan::Plan;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let mut forwarder = Forwarder::start(Settings::default().with_workers(NonZeroUsize::MIN))?;
/// let bindings = forwarder.apply(&Plan::default()).await;
/// assert!(bindings.failures.is_empty());
/// # Ok::<_, std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Forwarder {
    reconciler: Reconciler,
}

impl Forwarder {
    /// Starts the worker threads.
    ///
    /// # Errors
    /// The system's, where it gives no thread or no event queue.
    pub fn start(settings: Settings) -> io::Result<Self> {
        Ok(Self { reconciler: Reconciler::start(settings)? })
    }

    /// Makes `plan` the one that is run.
    ///
    /// Listeners that stay keep their sockets and connections; new ones are opened; those that are
    /// gone take no more connections, and the ones they have get the drain timeout to finish.
    ///
    /// # Cancel safety
    /// Not cancel safe: a plan that is half applied stays so until the next one.
    pub async fn apply(&mut self, plan: &Plan) -> &Bindings {
        self.reconciler.apply(plan).await;
        self.bindings()
    }

    /// Tries again to open what could not be opened. Returns the new state if anything changed.
    ///
    /// # Cancel safety
    /// As [`apply`](Self::apply).
    pub async fn retry(&mut self) -> Option<&Bindings> {
        self.reconciler.retry().await.then_some(self.reconciler.bindings())
    }

    /// Which addresses are open, and which could not be opened.
    pub fn bindings(&self) -> &Bindings {
        self.reconciler.bindings()
    }

    /// The counters, readable from any thread for as long as wanted.
    pub fn counters(&self) -> Counters {
        self.reconciler.counters()
    }

    /// Closes every listener and waits until the last connection has ended; connections that still
    /// live after `timeout` are reset.
    ///
    /// # Cancel safety
    /// Cancel safe: connections go on as they would have, and another drain waits for them, with
    /// whichever deadline is sooner.
    pub async fn drain(&mut self, timeout: Duration) {
        self.reconciler.drain(timeout).await;
    }
}
