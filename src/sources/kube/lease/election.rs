//! [`Election`]: the settings of a leader election.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::handle::LeaseHandle;
use super::state::ElectionState;
use crate::model::NamespacedName;

/// Leader election with a Lease of `coordination.k8s.io/v1`, as the components of Kubernetes use
/// it.
///
/// Every replica forwards connections. The leader, which holds the Lease, also writes to the
/// cluster: status, Events, and the Services of Gateways. A leader that cannot renew the Lease
/// stops writing before another replica may acquire it. The default durations are those of
/// Kubernetes' own components. The name of the replica in the Lease is
/// [`KubeSource::identity`](crate::sources::KubeSource::identity).
#[derive(Debug)]
#[must_use = "an election does nothing until a source gets it"]
pub struct Election {
    pub(super) lease: NamespacedName,
    pub(super) lease_duration: Duration,
    pub(super) renew_deadline: Duration,
    pub(super) retry_period: Duration,
    pub(super) state: Arc<watch::Sender<ElectionState>>,
    /// The instant until which this replica is the leader; `None` while it is not.
    pub(super) leadership: watch::Sender<Option<Instant>>,
}

impl Election {
    /// Creates an election with the Lease `lease`, which is created if it does not exist.
    pub fn new(lease: NamespacedName) -> Self {
        Self {
            lease,
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            state: Arc::new(watch::Sender::new(ElectionState::NotStarted)),
            leadership: watch::Sender::new(None),
        }
    }

    /// Sets the time after which other replicas may acquire a Lease that is not renewed. It is
    /// rounded up to whole seconds, at least one. Default: 15 s.
    ///
    /// After the death of a leader, nothing is written for this time.
    pub fn with_lease_duration(mut self, duration: Duration) -> Self {
        let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
        self.lease_duration = Duration::from_secs(seconds.clamp(1, i32::MAX as u64));
        self
    }

    /// Sets the time for which a leader continues to write if it cannot renew the Lease. Default:
    /// 10 s, at most the lease duration.
    ///
    /// The time between this deadline and the lease duration is a margin for clocks of different
    /// speed and for writes that are in flight.
    pub fn with_renew_deadline(mut self, deadline: Duration) -> Self {
        self.renew_deadline = deadline;
        self
    }

    /// Sets the interval at which the leader renews the Lease. Default: 2 s.
    ///
    /// The other replicas watch the Lease. When it has expired, each of them tries to acquire it
    /// after a random delay of up to this time. Without the permission to watch the Lease, they
    /// read it at this interval.
    pub fn with_retry_period(mut self, period: Duration) -> Self {
        self.retry_period = period;
        self
    }

    /// Returns the handle with which the replica releases the Lease.
    pub fn handle(&self) -> LeaseHandle {
        LeaseHandle::new(self.state.clone(), self.leadership())
    }

    /// Returns namespace and name of the Lease.
    pub(in crate::sources::kube) fn lease(&self) -> &NamespacedName {
        &self.lease
    }

    /// Returns the instant until which this replica is the leader; `None` while it is not.
    pub(in crate::sources::kube) fn leadership(&self) -> watch::Receiver<Option<Instant>> {
        self.leadership.subscribe()
    }
}
