//! The forwarding engine: it opens a plan's listeners and carries their connections.
//!
//! ```text
//!  apply(plan) ──► diff ──► bind ──► swap ──► drain          (control: whoever owns the Forwarder)
//!                             │        │         │
//!                     a socket per     │     stop signal
//!                     worker           │         │
//!                             ▼        ▼         ▼
//!  worker thread 1..n:  accept ─► pick ─► dial ─► relay ─► outcome       (data: one task each)
//! ```
//!
//! Every worker is a thread with a runtime of its own and, for each listener, an `SO_REUSEPORT`
//! socket of its own: a connection lives and dies on the worker that accepted it. The caller's
//! runtime is never used for the data path.
//!
//! - A change of routes is one pointer swap per listener. A connection keeps the route it began
//!   with; nothing but a removed listener or a drain ends it.
//! - New sockets are bound before old ones close. A listener that cannot be bound leaves the others
//!   alone.
//! - An idle connection owns neither buffer nor pipe, and may be idle for as long as it likes. A peer that
//!   vanished without a word is found out by TCP keepalive, at the system's intervals.

mod accept;
mod bind;
mod buffer;
mod connection;
mod counters;
mod deadline;
mod dial;
mod direction;
mod listener;
mod live;
mod open;
mod outcome;
#[cfg_attr(not(target_os = "linux"), path = "no_pipe.rs")]
mod pipe;
mod ready;
mod reconcile;
mod relay;
mod route;
mod routes;
mod settings;
mod wanted;
mod worker;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::plan::{BindError, ListenerId, Plan};

pub use self::counters::{Counters, ListenerCounters};
pub use self::outcome::Outcome;
pub use self::settings::Settings;

use self::reconcile::Reconciler;

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
/// use sluicegate::forward::{Forwarder, Settings};
/// use sluicegate::plan::Plan;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let mut forwarder = Forwarder::start(Settings::default().with_workers(1))?;
/// let bindings = forwarder.apply(&Plan::default()).await;
/// assert!(bindings.failures.is_empty());
/// # Ok::<_, std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Forwarder {
    reconciler: Reconciler,
}

/// Which addresses are open after a plan was applied, and which could not be opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bindings {
    /// The addresses really bound, by listener: where the plan says port 0, here is the port.
    pub bound: BTreeMap<ListenerId, Vec<SocketAddr>>,
    /// What could not be opened; [`Forwarder::retry`] tries again.
    pub failures: BTreeMap<ListenerId, Vec<BindError>>,
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
