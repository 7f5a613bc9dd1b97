//! Which of several replicas writes to the cluster: the one that holds a Lease.

mod campaign;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

pub(super) use self::campaign::campaign;
use crate::model::NamespacedName;

/// How long [`LeaseHandle::resign`] waits at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// An election by a Lease of `coordination.k8s.io/v1`, as those of Kubernetes itself.
///
/// Every replica forwards; the one that holds the Lease also writes status, Events and what else
/// there is to write. A holder that cannot renew the Lease stops writing before another one may
/// take it. The defaults are those of Kubernetes' own components.
///
/// Clones stand for the same replica: only the first that a source is given takes part.
#[derive(Debug, Clone)]
#[must_use = "an election does nothing until a source is given it"]
pub struct Election {
    lease: NamespacedName,
    identity: String,
    lease_duration: Duration,
    renew_deadline: Duration,
    retry_period: Duration,
    stage: Arc<watch::Sender<Stage>>,
}

/// Gives the Lease of an [`Election`] up, as a replica does that is about to stop.
#[derive(Debug, Clone)]
pub struct LeaseHandle(Arc<watch::Sender<Stage>>);

/// How far a replica has come in an election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    NotBegun,
    Running,
    Resigning,
    Over,
}

impl Election {
    /// An election by the Lease `lease`, which is created where it is missing. `identity` is what
    /// the Lease says of its holder; no two replicas may have the same, nor is it empty.
    pub fn new(lease: NamespacedName, identity: impl Into<String>) -> Self {
        Self {
            lease,
            identity: identity.into(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            stage: Arc::new(watch::Sender::new(Stage::NotBegun)),
        }
    }

    /// How long others leave the Lease to a holder of whom they hear nothing; whole seconds, and at
    /// least one. Default: 15 s. It is how long nothing is written after a replica has died.
    pub fn lease_duration(mut self, duration: Duration) -> Self {
        let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
        self.lease_duration = Duration::from_secs(seconds.clamp(1, i32::MAX as u64));
        self
    }

    /// How long a holder goes on writing that cannot renew the Lease. Default: 10 s. The rest of
    /// the Lease's time is a margin for clocks that run at different speeds and writes that take
    /// their time; longer than the Lease lasts counts as so long.
    pub fn renew_deadline(mut self, deadline: Duration) -> Self {
        self.renew_deadline = deadline;
        self
    }

    /// How often the holder renews the Lease, and how often the others look at it. Default: 2 s.
    pub fn retry_period(mut self, period: Duration) -> Self {
        self.retry_period = period;
        self
    }

    /// What this replica resigns with.
    pub fn resigner(&self) -> LeaseHandle {
        LeaseHandle(self.stage.clone())
    }
}

impl LeaseHandle {
    /// Stops the writing, and gives the Lease up, so that another replica can take it at once. This
    /// one does not stand again. Returns when that is done, or after 2 s; the Lease then runs out on
    /// its own.
    ///
    /// # Cancel safety
    /// Whoever stops waiting has resigned all the same.
    pub async fn resign(&self) {
        self.0.send_if_modified(|stage| {
            *stage = match stage {
                Stage::NotBegun => Stage::Over,
                Stage::Running => Stage::Resigning,
                Stage::Resigning | Stage::Over => return false,
            };
            true
        });
        let mut stage = self.0.subscribe();
        let _ = timeout(PATIENCE, stage.wait_for(|stage| *stage == Stage::Over)).await;
    }
}
